"""The trials of the embedded image detector: pictures it was not trained on, under what befalls pictures.

`python -m training.image_trials --data DATA --photos DIR --bank BANK --role ROLE` cuts the crops that the
detector would look at in every trial of a role (`calibrate` or `test`) and writes them to
`BANK/ROLE.crops.npy`, and what they are of to `BANK/ROLE.npz`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from detectors.deepfake.image_crops import SIDE, crops
from training.image_bank import UNSEEN, coders
from training.image_decoders import reconstruct
from training.image_degrade import CONTROLS, Pixels, jpeg, resized
from training.image_sources import Source, load, read

__all__ = ["MOST", "ROLES", "Trial", "trials"]

MOST = 12
"""Crops of one picture at most."""
ROLES = {"calibrate": 1, "test": 2}
"""The roles that have trials, and the seed of each."""
_LONGEST = 2048
_TRIED = 4
_EVERY = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture under one condition; `group` is what it must be kept together with."""

    source: str
    label: str
    group: str
    condition: str
    pixels: Pixels


def trials(data: Path, photos: Path, bank: Path, role: str) -> Iterator[Trial]:
    """Every trial of a role, each written as JPEG last, so that no format tells real from synthetic."""
    rng = np.random.default_rng(ROLES[role])
    for source in load(data, photos, [role]):
        for pixels in _pictures(source):
            yield from _conditions(source, pixels, rng, list(CONTROLS) if role == "test" else None)
    if role != "calibrate":
        return
    real = np.load(bank / "calibrate-real.npy", mmap_mode="r")
    for name, coder in coders(bank, UNSEEN).items():
        for number in range(0, len(real), _EVERY):
            shown = jpeg(reconstruct(coder, real[number][None])[0], int(rng.integers(70, 96)))
            yield Trial(name, "synthetic", f"{name}-{number}", "native", shown)


def _pictures(source: Source) -> Iterator[Pixels]:
    pixels = read(source)
    if source.source == "stable-diffusion":
        half = pixels.shape[0] // 2
        # Two of the four pictures on each sheet, less the edges at which they meet.
        yield pixels[4 : half - 4, 4 : half - 4]
        yield pixels[half + 4 : -4, half + 4 : -4]
        return
    longest = max(pixels.shape[:2])
    yield resized(pixels, _LONGEST / longest, cv2.INTER_AREA) if longest > _LONGEST else pixels


def _conditions(
    source: Source, pixels: Pixels, rng: np.random.Generator, controls: list[str] | None
) -> Iterator[Trial]:
    def trial(condition: str, shown: Pixels) -> Trial:
        return Trial(source.source, source.label, source.path.stem, condition, shown)

    yield trial("native", jpeg(pixels, int(rng.integers(70, 96))))
    factor = 512 / min(pixels.shape[:2])
    small = resized(pixels, factor, cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    yield trial("512", jpeg(small, int(rng.integers(70, 96))))
    if source.synthetic:
        return
    # A control each of some kinds is enough to calibrate with; a test takes all.
    for name in controls or rng.permutation(list(CONTROLS))[:_TRIED].tolist():
        yield trial(name, jpeg(CONTROLS[name](_middle(pixels)), 92))


def _middle(pixels: Pixels, most: int = 1024) -> Pixels:
    top, left = (max(0, length - most) // 2 for length in pixels.shape[:2])
    return pixels[top : top + most, left : left + most]


def write(data: Path, photos: Path, bank: Path, role: str) -> None:
    """Cut the crops of every trial of a role."""
    cut: list[Pixels] = []
    owner: list[int] = []
    about: list[tuple[Any, ...]] = []
    for number, trial in enumerate(trials(data, photos, bank, role)):
        if min(trial.pixels.shape[:2]) < SIDE:
            continue
        found = [crop for _, _, crop in crops(trial.pixels, MOST)]
        cut += found
        owner += [len(about)] * len(found)
        height, width = trial.pixels.shape[:2]
        sharp = cv2.Laplacian(cv2.cvtColor(trial.pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()
        trivial = (height, width, np.log(sharp + 1), trial.pixels.mean(), trial.pixels.std())
        about.append((trial.source, trial.label, trial.group, trial.condition, *map(float, trivial)))
        if number % 200 == 0:
            print(role, number, len(cut), flush=True)
    columns = list(zip(*about, strict=True))
    names = ("source", "label", "group", "condition")
    arrays: dict[str, Any] = {name: np.array(column) for name, column in zip(names, columns, strict=False)}
    arrays |= {"owner": np.array(owner), "trivial": np.array(columns[4:]).T}
    np.save(bank / f"{role}.crops.npy", np.stack(cut))
    np.savez(bank / f"{role}.npz", **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Cut the trials of the image detector.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--role", choices=list(ROLES), required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    write(args.data, args.photos, args.bank, args.role)
