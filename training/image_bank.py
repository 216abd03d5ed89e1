"""The bank that training starts from: crops of real pictures, and small decoders, trained on some of them.

`python -m training.image_bank --data DATA --photos DIR --bank BANK [--only NAME …]` takes about two minutes
of one core for each decoder of `training.image_decoders`.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.image_decoders import VARIANTS, Coder, train
from training.image_degrade import resized
from training.image_sources import Source, load, read

__all__ = ["SIDE", "UNSEEN", "build", "coders", "crops"]

SIDE = 256
UNSEEN = ("nearest8q", "patch8")
"""Decoders that never train the detector: their pictures help to calibrate it."""
_EACH = 8


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


def build(data: Path, photos: Path, bank: Path, names: Sequence[str]) -> None:
    """Write the real crops of both roles, then train each named decoder on those for training."""
    bank.mkdir(parents=True, exist_ok=True)
    for seed, role in enumerate(("train", "calibrate")):
        target = bank / f"{role}-real.npy"
        if not target.exists():
            real = [source for source in load(data, photos, [role]) if not source.synthetic]
            np.save(target, crops(real, _EACH, np.random.default_rng(seed)))
    real_crops = np.load(bank / "train-real.npy", mmap_mode="r")
    for name in names:
        # A seed of its own, that does not change when others join.
        coder, error = _learned(name, real_crops, zlib.crc32(name.encode()))
        torch.save(coder.state_dict(), bank / f"{name}.pt")
        print(f"{name}: mean error {error:.2f} of 255", flush=True)


def coders(bank: Path, names: Sequence[str]) -> dict[str, Coder]:
    """The trained decoders of these names."""
    found = {name: Coder(VARIANTS[name]).eval() for name in names}
    for name, coder in found.items():
        coder.load_state_dict(torch.load(bank / f"{name}.pt", weights_only=True))
    return found


def _learned(name: str, real: NDArray[np.uint8], seed: int) -> tuple[Coder, float]:
    rng = np.random.default_rng(seed)

    def patches(count: int) -> NDArray[np.uint8]:
        corners = rng.integers(0, SIDE - 64, (count, 2))
        rows = rng.integers(0, len(real), count)
        return np.stack([real[r, y : y + 64, x : x + 64] for r, (y, x) in zip(rows, corners, strict=True)])

    return train(VARIANTS[name], patches, seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the bank of crops and decoders.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    build(args.data, args.photos, args.bank, args.only)
