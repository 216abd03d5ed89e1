"""The bank of sounds as numbers: one window a trial, with its family, its speaker and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.deepfake.sound_features import Spoken, features
from detectors.deepfake.sound_model import Model
from training.sound_bank import PEAK

__all__ = ["Trials", "equal_error"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trials:
    """The numbers of windows `x` (N, D), and of each its family, speaker and condition."""

    x: NDArray[np.float32]
    family: NDArray[np.str_]
    speaker: NDArray[np.str_]
    condition: NDArray[np.str_]

    @classmethod
    def read(cls, bank: Path, role: str) -> Trials:
        """All of the bank's files of a role, those windows that have enough speech. What was measured once is
        kept under `bank/numbers`."""
        parts = [_numbers(path) for path in sorted(bank.glob(f"{role}*.npz"))]
        return cls(
            **{field.name: np.concatenate([part[field.name] for part in parts]) for field in fields(cls)}
        )

    @property
    def fake(self) -> Flags:
        """Which trials are synthetic."""
        return np.asarray(self.family != "real")

    def chosen(self, trials: Flags | NDArray[np.intp]) -> Trials:
        """These trials."""
        return Trials(**{field.name: getattr(self, field.name)[trials] for field in fields(self)})

    def under(self, condition: str) -> Trials:
        """The trials under one condition."""
        return self.chosen(np.asarray(self.condition == condition))

    def raw(self, model: Model) -> Numbers:
        """The model's log-odds."""
        return model.logits(self.x).astype(np.float64)

    def strange(self, model: Model) -> Numbers:
        """How far each trial lies from those of training."""
        return model.strange(self.x).astype(np.float64)


def equal_error(raw: Numbers, fake: Flags) -> float:
    """The error where as large a share of each class is taken for the other."""
    order = np.argsort(raw)
    missed = np.cumsum(fake[order]) / fake.sum()
    alarms = 1 - np.cumsum(~fake[order]) / (~fake).sum()
    at = int(np.argmin(np.abs(missed - alarms)))
    return float((missed[at] + alarms[at]) / 2)


def _numbers(path: Path) -> dict[str, NDArray[Any]]:
    kept = path.parent / "numbers" / path.name
    if not kept.is_file():
        held = dict(np.load(path))
        spoken = [Spoken(sound.astype(np.float32) / PEAK) for sound in held.pop("sound")]
        enough = np.array([window.enough for window in spoken])
        x = np.stack([features(window) for window in spoken if window.enough])
        kept.parent.mkdir(exist_ok=True)
        np.savez(kept, x=x, **{name: column[enough] for name, column in held.items()})
    return dict(np.load(kept))
