"""The bank of training pictures: crops of real ones, and what each small decoder makes of them.

`python -m training.image_bank --data DATA --photos DIR --out BANK [--only NAME …]` trains the decoders of
`training.image_decoders`, some minutes each on one core, and writes one array for each role and decoder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.image_decoders import VARIANTS, Coder, reconstruct, train
from training.image_degrade import resized
from training.image_sources import Source, load, read

__all__ = ["SIDE", "UNSEEN", "build", "crops"]

SIDE = 256
UNSEEN = ("nearest8q",)
"""Decoders that never train the detector: their pictures help to calibrate it."""
_EACH = 8
_STEPS = 600


def crops(sources: Sequence[Source], each: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Of every picture `each` crops, (N, 256, 256, 3), at scales from the whole picture's to its own."""
    found = []
    for source in sources:
        pixels = read(source)
        short = min(pixels.shape[:2])
        for _ in range(each):
            factor = min(1.0, float(np.exp(rng.uniform(np.log(min(1.0, 288 / short)), 0.0))))
            # Area averaging, 3: cv2.INTER_AREA, leaves no trace of its own when it makes pictures smaller.
            scaled = resized(pixels, factor, 3) if factor < 0.98 else pixels
            scaled = scaled if min(scaled.shape[:2]) >= SIDE else resized(pixels, (SIDE + 1) / short)
            top = int(rng.integers(scaled.shape[0] - SIDE + 1))
            left = int(rng.integers(scaled.shape[1] - SIDE + 1))
            found.append(scaled[top : top + SIDE, left : left + SIDE])
    return np.stack(found)


def build(data: Path, photos: Path, out: Path, names: Sequence[str]) -> None:
    """Write the real crops of both roles, then train each named decoder and write its pictures."""
    out.mkdir(parents=True, exist_ok=True)
    for seed, role in enumerate(("train", "calibrate")):
        target = out / f"{role}-real.npy"
        if not target.exists():
            real = [source for source in load(data, photos, [role]) if not source.synthetic]
            np.save(target, crops(real, _EACH, np.random.default_rng(seed)))
    for name in names:
        _paint(name, out)


def _paint(name: str, out: Path) -> None:
    """Train one decoder on the training crops; have it repaint these, or the others if it stays unseen."""
    seed = sorted(VARIANTS).index(name)
    real = np.load(out / "train-real.npy", mmap_mode="r")
    rng = np.random.default_rng(seed)

    def patches(count: int) -> NDArray[np.uint8]:
        corners = rng.integers(0, SIDE - 64, (count, 2))
        rows = rng.integers(0, len(real), count)
        return np.stack([real[r, y : y + 64, x : x + 64] for r, (y, x) in zip(rows, corners, strict=True)])

    coder, error = train(VARIANTS[name], patches, _STEPS, seed)
    print(f"{name}: mean error {error:.2f} of 255", flush=True)
    torch.save(coder.state_dict(), out / f"{name}.pt")
    role = "calibrate" if name in UNSEEN else "train"
    np.save(out / f"{role}-{name}.npy", _all(coder, np.load(out / f"{role}-real.npy", mmap_mode="r")))


def _all(coder: Coder, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([reconstruct(coder, pictures[i : i + 8]) for i in range(0, len(pictures), 8)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the bank of training pictures.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    build(args.data, args.photos, args.out, args.only)
