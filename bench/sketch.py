"""Does a sketch tell a copy of a released picture from another picture that carries its mark?

    python -m bench.sketch [--pictures N]

Marks N photographs (default 30) of the test media beside the checkout, attacks each, reads mark and geometry,
and compares the result with the picture's own sketch (a copy: should be the same) and with those of five
others (what a transplanted mark would lead to: should not be). Beside it, in the same run, a 64-bit DCT hash
at the usual ten bits, which knows no geometry.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.image_attacks import GROUPS, Attack, Pixels
from bench.image_sets import photographs
from guard.media import Artifact
from guard.media.picture import Picture
from guard.sketches import Seen
from guard.watermark import Payload, ReadingState
from guard.watermark.tile import embed, read

KEY = b"bench"
OTHERS = 5
SAME_BITS = 10


@dataclass
class Count:
    """Copies and strangers compared, and how often each method called them the same."""

    copies: int = 0
    strangers: int = 0
    copies_kept: int = 0
    strangers_taken: int = 0
    hash_copies_kept: int = 0
    hash_strangers_taken: int = 0


@dataclass
class Registered:
    """A marked picture as the ledger would know it."""

    pixels: Pixels
    sketch: bytes
    bits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def dct_hash(pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """64 bits: which of the 8×8 lowest DCT coefficients of a 32×32 thumbnail exceed their median."""
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8]
    return np.asarray(low > np.median(low)).ravel()


def registered(pixels: Pixels, number: int) -> Registered:
    marked = np.asarray(embed(pixels, Payload(number), key=KEY), np.uint8)
    sketch = Seen(artifact(marked)).sketch()
    assert sketch is not None
    return Registered(marked, sketch, dct_hash(marked))


def artifact(pixels: Pixels) -> Artifact:
    return Artifact.from_picture(Picture.from_array(pixels), "image/png")


def measure(known: list[Registered], attack: Attack) -> Count:
    count, rng = Count(), np.random.default_rng(0)
    for number, picture in enumerate(known):
        attacked = np.ascontiguousarray(attack(picture.pixels, rng))
        reading = read(attacked, keys=[KEY])
        if reading.state is not ReadingState.FOUND:
            continue  # without a mark there is no release to compare with
        seen, bits = Seen(artifact(attacked)), dct_hash(attacked)
        for step in range(OTHERS + 1):
            other = known[(number + step) % len(known)]
            likeness = seen.compare(other.sketch, reading.geometry)
            same = likeness is not None and likeness.same
            near = int((other.bits != bits).sum()) <= SAME_BITS
            if step == 0:
                count.copies += 1
                count.copies_kept += same
                count.hash_copies_kept += near
            else:
                count.strangers += 1
                count.strangers_taken += same
                count.hash_strangers_taken += near
    return count


def main(pictures: int) -> None:
    sources = [
        pixels
        for pattern in ("photos_kodak/*.png", "photos_bsds/**/*.jpg")
        for _, pixels in photographs(pattern)
    ]
    known = [registered(pixels, number) for number, pixels in enumerate(sources[:pictures])]
    table = Table("attack", "copies kept", "strangers taken", "hash: copies", "hash: strangers")
    total = Count()
    attacks = {name: attack for group in GROUPS.values() for name, attack in group.items()}
    for name, attack in track(attacks.items(), description="attacks"):
        count = measure(known, attack)
        for field, value in vars(count).items():
            setattr(total, field, getattr(total, field) + value)
        table.add_row(name, *_cells(count))
    table.add_section()
    table.add_row("all", *_cells(total))
    Console(width=100).print(table)


def _cells(count: Count) -> list[str]:
    return [
        f"{count.copies_kept} of {count.copies}",
        f"{count.strangers_taken} of {count.strangers}",
        f"{count.hash_copies_kept} of {count.copies}",
        f"{count.hash_strangers_taken} of {count.strangers}",
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=30)
    main(parser.parse_args().pictures)
