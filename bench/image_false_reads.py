"""Reads of pictures that carry no mark: how often is one found, and do the p-values keep their promise?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from bench.image_attacks import Attack, Pixels, jpeg, noise, perspective, resize, rotate, shear
from bench.image_sets import drawn, photographs
from guard.watermark.base import ReadingState
from guard.watermark.tile import read

__all__ = ["CROPS", "false_reads"]

Numbers = NDArray[np.float64]

# Sides of the crops and how many keys read each: a key is a read of its own. On small crops a read tries more
# poses, on large ones a key costs less.
CROPS = {"small": ((128, 128, 160, 192, 256, 384), 8), "large": ((384, 512, 640), 48)}
_KEYS = 64
_PERIODIC = 0.05
_CHANGES: list[Attack] = [
    lambda x, _: x,
    lambda x, _: np.ascontiguousarray(x[:, ::-1]),
    rotate(None),
    resize(0.6),
    resize(1.4),
    shear(0.05),
    perspective(0.04),
    noise(6),
    jpeg(60),
]


def false_reads(count: int, seed: int, crops: str) -> None:
    """Read crops of unmarked pictures, each changed in one random way, under several keys: `count` in all.

    Prints what came out so far after every 100 pictures.
    """
    sides, ring = CROPS[crops]
    rng = np.random.default_rng(seed)
    sources = [x for _, x in _sources()]
    keys = [rng.bytes(32) for _ in range(_KEYS)]
    p_values, qualities, found = [], [], 0
    for done in range(1, -(-count // ring) + 1):
        picture = _unmarked(sources[int(rng.integers(len(sources)))], int(rng.choice(sides)), rng)
        reading = read(picture, keys=[keys[i] for i in rng.choice(_KEYS, ring, replace=False)])
        found += reading.state is ReadingState.FOUND
        p_values.append(reading.p_value or 0.0)
        qualities.append(reading.quality or 0.0)
        if done % 100 == 0 or done * ring >= count:
            _report(done * ring, done, found, np.array(p_values), np.array(qualities))


def _sources() -> Iterator[tuple[str, Pixels]]:
    patterns = ("photos_bsds/*.jpg", "photos_kodak/*.png", "ai_gpt4o/**/*.png", "ai_sd_cheatsheet/img/*.*")
    return chain(drawn(range(6)), *(islice(photographs(pattern), 100) for pattern in patterns))


def _unmarked(source: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """A crop, changed; now and then a patch repeated, which looks most like a mark to the search."""
    top, left = (int(rng.integers(0, max(n - side, 0) + 1)) for n in source.shape[:2])
    crop = np.ascontiguousarray(source[top : top + side, left : left + side])
    if rng.random() < _PERIODIC:
        period = int(rng.integers(48, 129))
        crop = np.tile(crop[:period, :period], (4, 4, 1))
    return np.asarray(_CHANGES[int(rng.integers(len(_CHANGES)))](crop, rng), np.uint8)


def _report(reads: int, pictures: int, found: int, p_values: Numbers, qualities: Numbers) -> None:
    shares = "  ".join(
        f"p≤{limit:g}: {np.mean(p_values <= limit):.2g}" for limit in (0.3, 0.1, 0.01, 1e-3, 1e-4)
    )
    print(
        f"{reads} reads of {pictures} pictures, {found} found; {shares}",
        flush=True,
    )
    print(f"  highest quality {qualities.max():.3f}, lowest p {p_values.min():.2g}", flush=True)
