"""The numbers of the windows that train the embedded image detector: pictures after a random life, measured.

`python -m training.image_windows --data DATA --photos DIR --bank BANK --only PART …` writes `BANK/PART.npz`
for each part: the real pictures, each decoder's, the fitted ones, and the Stable Diffusion sheets.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from detectors.deepfake.image_features import SIDE, features
from training.image_bank import UNSEEN
from training.image_decoders import VARIANTS
from training.image_degrade import Pixels, degraded
from training.image_fitted import fitted
from training.image_sources import load, read

__all__ = ["PARTS", "measure"]

PARTS = ("real", "fitted", "stable-diffusion", *(name for name in VARIANTS if name not in UNSEEN))
_LIVES = {"real": 10, "fitted": 4, "stable-diffusion": 6}
_LEAST = 128


def measure(part: str, data: Path, photos: Path, bank: Path, seed: int) -> None:
    """Write the numbers of a part's windows (N, D) and which picture each is of (N,)."""
    rng = np.random.default_rng(seed)
    rows, pictures = [], []
    for number, pixels in enumerate(_pictures(part, data, photos, bank, rng)):
        for _ in range(_LIVES.get(part, 1)):
            start = fitted(pixels, rng) if part == "fitted" else pixels
            rows.append(features(_window(degraded(start, rng, _LEAST), rng)))
            pictures.append(number)
    np.savez(bank / f"{part}.npz", x=np.stack(rows), picture=np.array(pictures))
    print(part, len(rows), flush=True)


def _pictures(part: str, data: Path, photos: Path, bank: Path, rng: np.random.Generator) -> Iterator[Pixels]:
    if part == "stable-diffusion":
        for source in load(data, photos, ["train"]):
            if source.synthetic:
                yield from _tiles(read(source))
        return
    real = np.load(bank / "train-real.npy", mmap_mode="r")
    if part in ("real", "fitted"):
        yield from real
        return
    for before, after in zip(real, np.load(bank / f"train-{part}.npy", mmap_mode="r"), strict=True):
        yield _sharp(before, after, rng)


def _tiles(sheet: Pixels) -> Iterator[Pixels]:
    """The four pictures of a sheet, less the edges at which they meet."""
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 2
    for top in (0, height):
        for left in (0, width):
            yield sheet[top + 4 : top + height - 4, left + 4 : left + width - 4]


def _sharp(before: Pixels, after: Pixels, rng: np.random.Generator) -> Pixels:
    """A reconstruction whose blur does not give it away: brought back to the picture's own spectrum, or
    blended with the picture."""
    if rng.random() < 0.6:
        return _matched(before, after)
    share = rng.uniform(0, 0.6)
    return np.rint(after * (1 - share) + before * share).astype(np.uint8)


def _matched(before: Pixels, after: Pixels) -> Pixels:
    """`after` with as much power as `before` has at each distance from the spectrum's middle."""
    axes = np.fft.fftfreq(SIDE)
    ring = np.minimum(np.hypot(axes[:, None], axes[None]) * 64, 31).astype(int)
    painted = []
    for channel in range(3):
        a, b = (np.fft.fft2(p[..., channel].astype(np.float64)) for p in (after, before))
        power = [np.bincount(ring.ravel(), (np.abs(f) ** 2).ravel()) for f in (a, b)]
        gain = np.sqrt(power[1] / (power[0] + 1e-9)).clip(0.2, 6)
        painted.append(np.fft.ifft2(a * gain[ring]).real)
    return np.clip(np.rint(np.stack(painted, axis=2)), 0, 255).astype(np.uint8)


def _window(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = min(SIDE, pixels.shape[0]), min(SIDE, pixels.shape[1])
    top = int(rng.integers(pixels.shape[0] - height + 1))
    left = int(rng.integers(pixels.shape[1] - width + 1))
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the windows that train the image detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(PARTS))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for part in args.only:
        measure(part, args.data, args.photos, args.bank, PARTS.index(part))
