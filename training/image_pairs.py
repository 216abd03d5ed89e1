"""The pairs that train the embedded image detector: a real picture and a synthetic one after the same random
life, so that no resizing, editing or saving tells them apart.

`python -m training.image_pairs --data DATA --photos DIR --bank BANK` writes `BANK/pairs.npy`,
(N, 2, 128, 128, 3), real ones first, and `BANK/pairs.json` with where each synthetic one is from. Those that
small decoders painted show what the real one shows (Rajan et al., 2024, arXiv 2410.11835), and, two times out
of three, are as sharp. Those of Stable Diffusion show something else: no decoder of theirs was at hand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from training.image_bank import UNSEEN, coders
from training.image_decoders import VARIANTS, Coder, reconstruct
from training.image_degrade import Pixels, degraded, webp
from training.image_fitted import fitted
from training.image_sources import load, read

__all__ = ["PAINTED", "SHEETS", "SIDE", "matched", "painted", "tiles", "unpaired"]

SIDE = 128
PAINTED, SHEETS = 2500, 2600
"""Pairs of decoders and fitted layers, and of Stable Diffusion."""
_SAVED = 0.6
"""Of the real pictures beside Stable Diffusion's, how many were WebP first, as all of its sheets were."""
_FITTED = 0.3
"""Of painted pairs, how many are by layers fitted to the picture, not by a trained decoder."""


def painted(
    real: Pixels, decoders: dict[str, Coder], count: int, rng: np.random.Generator
) -> Iterator[tuple[str, Pixels]]:
    """Of real pictures (N, 256, 256, 3) `count` pairs (2, 128, 128, 3), each with the name of its decoder."""
    names = sorted(decoders)
    for _ in range(count):
        pixels = _part(real[int(rng.integers(len(real)))], _side(rng), rng)
        name = "fitted" if rng.random() < _FITTED else str(rng.choice(names))
        made = fitted(pixels, rng) if name == "fitted" else _decoded(pixels, decoders[name], rng)
        before, after = _alike(pixels, made, rng)
        yield name, _lived(before, after, rng)


def unpaired(real: Pixels, made: Sequence[Pixels], count: int, rng: np.random.Generator) -> Iterator[Pixels]:
    """`count` pairs of any real picture and any of a generator's (S, S, 3)."""
    for _ in range(count):
        before, after = real[int(rng.integers(len(real)))], made[int(rng.integers(len(made)))]
        side = _side(rng)
        before, after = _part(before, side, rng), _part(after, side, rng)
        if rng.random() < _SAVED:
            before = webp(before, int(rng.integers(75, 97)))
        yield _lived(before, after, rng)


def tiles(sheet: Pixels) -> list[Pixels]:
    """The four pictures of a sheet of Stable Diffusion's, less the edges at which they meet."""
    half = sheet.shape[0] // 2
    return [
        sheet[top + 4 : top + half - 4, left + 4 : left + half - 4] for top in (0, half) for left in (0, half)
    ]


def matched(pixels: Pixels, like: Pixels) -> Pixels:
    """`pixels` with as much power as `like` has at each distance from the spectrum's middle."""
    height, width = pixels.shape[:2]
    axes = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    ring = np.minimum(np.hypot(*axes) * 64, 31).astype(int)
    painted = []
    for channel in range(3):
        a, b = (np.fft.rfft2(p[..., channel].astype(np.float32)) for p in (pixels, like))
        power = [np.bincount(ring.ravel(), (np.abs(f) ** 2).ravel()) for f in (a, b)]
        gain = np.sqrt(power[1] / (power[0] + 1e-9)).clip(0.2, 6)
        painted.append(np.fft.irfft2(a * gain[ring], (height, width)))
    return np.clip(np.rint(np.stack(painted, axis=2)), 0, 255).astype(np.uint8)


def _side(rng: np.random.Generator) -> int:
    """How much of a picture is used: small parts, which can be made smaller by less, take less time."""
    return int(rng.choice([160, 192, 256], p=[0.4, 0.3, 0.3]))


def _part(pixels: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    top, left = rng.integers(np.array(pixels.shape[:2]) - side + 1)
    return np.array(pixels[top : top + side, left : left + side])


def _decoded(pixels: Pixels, coder: Coder, rng: np.random.Generator) -> Pixels:
    """Half of the time from a code that is a little off, as those are that a generator makes up."""
    noise = float(rng.uniform(0, 0.3)) if rng.random() < 0.5 else 0.0
    return np.asarray(reconstruct(coder, pixels[None], noise)[0])


def _alike(before: Pixels, after: Pixels, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    kind = rng.random()
    if kind < 1 / 3:
        return before, matched(after, before)
    if kind < 2 / 3:
        return matched(before, after), after
    return before, after


def _lived(before: Pixels, after: Pixels, rng: np.random.Generator) -> Pixels:
    seed = int(rng.integers(2**31))
    both = np.stack([degraded(pixels, np.random.default_rng(seed), SIDE) for pixels in (before, after)])
    top, left = (int(rng.integers(length - SIDE + 1)) for length in both.shape[1:3])
    return both[:, top : top + SIDE, left : left + SIDE]


def _write(data: Path, photos: Path, bank: Path) -> None:
    real = np.load(bank / "train-real.npy", mmap_mode="r")
    decoders = coders(bank, [name for name in VARIANTS if name not in UNSEEN])
    found = np.lib.format.open_memmap(
        bank / "pairs.npy", "w+", np.uint8, (PAINTED + SHEETS, 2, SIDE, SIDE, 3)
    )
    names: list[str] = []
    for name, pair in painted(real, decoders, PAINTED, np.random.default_rng(3)):
        found[len(names)] = pair
        names.append(name)
    sheets = [source for source in load(data, photos, ["train"]) if source.synthetic]
    made = [tile for source in sheets for tile in tiles(read(source))]
    for pair in unpaired(real, made, SHEETS, np.random.default_rng(11)):
        found[len(names)] = pair
        names.append("stable-diffusion")
    (bank / "pairs.json").write_text(json.dumps(names), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the pairs that train the image detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _write(args.data, args.photos, args.bank)
