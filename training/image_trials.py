"""The trials of the embedded image detector: pictures it was not trained on, under what befalls pictures.

`python -m training.image_trials --data DATA --photos DIR --bank BANK` measures the windows of every trial
once and writes them to `BANK/trials.npz`, for `training.image_synthetic` to calibrate and test with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detectors.deepfake.image_features import features, windows
from training.image_bank import UNSEEN
from training.image_degrade import CONTROLS, Pixels, jpeg, resized
from training.image_fitted import fitted
from training.image_sources import Source, load, read

__all__ = ["MOST", "Trial", "trials"]

MOST = 6
"""Windows of one picture at most."""
_LONGEST = 1024
_TRIED = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture under one condition; `group` is what it must be kept together with."""

    source: str
    label: str
    role: str
    group: str
    condition: str
    pixels: Pixels


def trials(data: Path, photos: Path, bank: Path) -> Iterator[Trial]:
    """Every trial, each written as JPEG last, so that no format tells real from synthetic."""
    rng = np.random.default_rng(7)
    for source in load(data, photos, ["calibrate", "test"]):
        for number, pixels in enumerate(_pictures(source)):
            group = f"{source.path.stem}"
            yield from _conditions(source.source, source.label, source.role, group, pixels, rng, number == 0)
    real = np.load(bank / "calibrate-real.npy", mmap_mode="r")
    for name in (*UNSEEN, "fitted"):
        made = real if name == "fitted" else np.load(bank / f"calibrate-{name}.npy", mmap_mode="r")
        for number in range(0, len(made), 2):
            pixels = fitted(made[number], rng) if name == "fitted" else made[number]
            shown = jpeg(pixels, int(rng.integers(70, 96)))
            yield Trial(name, "synthetic", "calibrate", f"{name}-{number}", "native", shown)


def _pictures(source: Source) -> Iterator[Pixels]:
    pixels = read(source)
    if source.source == "stable-diffusion":
        half = pixels.shape[0] // 2
        # One of the four pictures on each sheet, less the edges at which they meet.
        yield pixels[4 : half - 4, 4 : half - 4]
        yield pixels[half + 4 : -4, half + 4 : -4]
        return
    longest = max(pixels.shape[:2])
    yield resized(pixels, _LONGEST / longest, cv2.INTER_AREA) if longest > _LONGEST else pixels


def _conditions(
    source: str, label: str, role: str, group: str, pixels: Pixels, rng: np.random.Generator, controls: bool
) -> Iterator[Trial]:
    def trial(condition: str, shown: Pixels) -> Trial:
        return Trial(source, label, role, group, condition, shown)

    yield trial("native", jpeg(pixels, int(rng.integers(70, 96))))
    factor = 512 / min(pixels.shape[:2])
    small = resized(pixels, factor, cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    yield trial("512", jpeg(small, int(rng.integers(70, 96))))
    if label == "real" and controls:
        names = list(CONTROLS) if role == "test" else rng.permutation(list(CONTROLS))[:_TRIED].tolist()
        for name in names:
            yield trial(name, jpeg(CONTROLS[name](pixels), 92))


def write(data: Path, photos: Path, bank: Path) -> None:
    """Measure the windows of every trial."""
    rows, owner, about = [], [], []
    for number, trial in enumerate(trials(data, photos, bank)):
        for _, _, window in windows(trial.pixels, MOST):
            rows.append(features(window))
            owner.append(number)
        height, width = trial.pixels.shape[:2]
        sharp = cv2.Laplacian(cv2.cvtColor(trial.pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        trivial = (height, width, np.log(sharp + 1), trial.pixels.mean(), trial.pixels.std())
        about.append(
            (trial.source, trial.label, trial.role, trial.group, trial.condition, *map(float, trivial))
        )
        if number % 200 == 0:
            print(number, len(rows), flush=True)
    columns = list(zip(*about, strict=True))
    names = ("source", "label", "role", "group", "condition")
    arrays: dict[str, Any] = {name: np.array(column) for name, column in zip(names, columns, strict=False)}
    arrays |= {"x": np.stack(rows), "owner": np.array(owner), "trivial": np.array(columns[5:]).T}
    np.savez(bank / "trials.npz", **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the trials of the image detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    write(args.data, args.photos, args.bank)
