"""Calibrates the embedded image detector, tests it once, and writes its weights and report card.

`python -m training.image_report --bank BANK --out detectors/deepfake/weights` wants `BANK/image.onnx` from
`training.image_network` and the trials of the roles `calibrate` and `test`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Platt, fit_platt
from detectors.deepfake.image_network import Network
from detectors.evaluation.metrics import auc, even
from training.image_sources import SPLIT

__all__ = ["Trials", "nominal", "report"]

_ROUNDS = 2000
_NOMINAL = (0.01, 0.05)
_SURE = 0.9
_BINS = 10
_CARD = {
    "description": "Screens pictures for what generators' last layers leave between neighbouring pixels. A "
    "screening signal: alone it proves nothing and must never block, and it mostly abstains.",
    "licence": "Apache-2.0",
    "data": "78 photographs and drawings (Kodak's suite, scikit-image's, and Debian's lomiri and Plasma "
    "wallpapers), what small decoders and fitted upsampling layers make of them, and 98 Stable "
    "Diffusion sheets (MIT); licences and hashes are in training/splits/image.json",
    "calibration": "Platt, on sources and artists that it was not trained on",
    "calibration_set": "52 photographs and drawings of four other packages, plain and under controls; 72 "
    "Stable Diffusion sheets of other artists, and two decoders that were not trained on",
    "abstains": "wherever it finds no clear trace, which is on most pictures, real and synthetic; below 128 "
    "pixels on the shorter side, on plain surfaces, and on JPEG below quality 60",
    "limits": "Of generators that it does not know it may see nothing; made smaller, GPT-4o's pictures rank "
    "below photographs. Stable Diffusion's pictures here are drawings and the test photographs are not, so "
    "that style and trace are confounded. Pictures of 256 pixels, which have few crops, are judged worse: "
    "AUC 0.75 if made to answer, and of the 3 that it flagged at 512 pixels one was a photograph. That it is "
    "silent says nothing.",
}


@dataclass(frozen=True, slots=True)
class Trials:
    """Pictures under conditions, and the network's mean answer to each one's crops."""

    raw: NDArray[np.float64]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    condition: NDArray[np.str_]
    synthetic: NDArray[np.bool_]
    trivial: NDArray[np.float64]

    @classmethod
    def read(cls, bank: Path, role: str, network: Network) -> Trials:
        """The trials that `training.image_trials` cut; those without any detail are left out."""
        crops = np.load(bank / f"{role}.crops.npy", mmap_mode="r")
        with np.load(bank / f"{role}.npz") as file:
            owner, count = file["owner"], len(file["source"])
            seen = np.bincount(owner, minlength=count)
            raw = np.bincount(owner, network.logits(crops), count) / np.maximum(seen, 1)
            names = ("source", "group", "condition")
            columns = (raw, *(file[name] for name in names), file["label"] == "synthetic", file["trivial"])
            return cls(*columns)._chosen(seen > 0)

    def under(self, condition: str) -> Trials:
        """The trials under one condition."""
        return self._chosen(self.condition == condition)

    def of(self, source: str) -> Trials:
        """The trials of one source, and all real ones."""
        return self._chosen(~self.synthetic | (self.source == source))

    def balanced(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Raw answers and classes, with as many of each synthetic source."""
        names = sorted(set(self.source[self.synthetic]))
        fewest = min(int((self.source == name).sum()) for name in names)
        chosen = [rng.choice(np.flatnonzero(self.source == name), fewest, replace=False) for name in names]
        rows = np.concatenate([*chosen, np.flatnonzero(~self.synthetic)])
        return self.raw[rows], self.synthetic[rows]

    def _chosen(self, rows: NDArray[np.bool_]) -> Trials:
        return replace(self, **{name: getattr(self, name)[rows] for name in self.__slots__})


def nominal(calibrating: Trials, rate: float) -> float:
    """The raw output that the real trials of the worst condition exceed at this rate: whatever befell a
    photograph, it is to be flagged no more often."""
    real = calibrating._chosen(~calibrating.synthetic)
    return max(float(np.quantile(real.under(name).raw, 1 - rate)) for name in sorted(set(real.condition)))


def report(calibrating: Trials, test: Trials, card: dict[str, str]) -> dict[str, Any]:
    """The report card: how it ranks if made to answer, how often it speaks and is right, and what is void."""
    raw, synthetic = calibrating.balanced(np.random.default_rng(0))
    calibration = fit_platt(raw.tolist(), synthetic.astype(int).tolist())
    limits = {str(rate): nominal(calibrating, rate) for rate in _NOMINAL}
    sure = (math.log(_SURE / (1 - _SURE)) - calibration.b) / calibration.a
    speaks = max(limits["0.05"], sure)
    measured = [*_sources(test, speaks), *_controls(test, speaks)]
    alarms = [row["answered"] for row in measured if row["label"] == "real"]
    both = {name: test.under(name) for name in ("native", "512")}
    ranking = {name: _ranking(trials) for name, trials in both.items()}
    speaking = {name: _speaking(trials, speaks) for name, trials in both.items()}
    return {
        "card": card | {"measured_error": _sentence(ranking, speaking, max(alarms))},
        "calibration": calibration.as_json(),
        "calibration_error": {name: _calibration_error(row, calibration) for name, row in both.items()},
        "speaks": speaks,
        "threshold": min(_SURE, round(calibration.probability(speaks), 9)),
        "thresholds": {rate: calibration.probability(limit) for rate, limit in limits.items()},
        "nominal": {rate: _at(test, limit) for rate, limit in limits.items()},
        "false_alarms": float(np.mean(alarms)),
        "measured": measured,
        "ranking": ranking,
        "speaking": speaking,
        "void": {name: _void(trials) for name, trials in both.items()},
        "configurations_tried": 38,
        "never_trained_on": ["photos_bsds", "ai_gpt4o"],
        "training": {"sha256": _trained_on()},
    }


def _at(test: Trials, limit: float) -> dict[str, dict[str, float]]:
    """The share of each condition's photographs, and of each generator's pictures, above a limit."""
    over, real = test.raw > limit, ~test.synthetic
    return {
        "alarms": {
            str(name): float(over[real & (test.condition == name)].mean())
            for name in sorted(set(test.condition))
        },
        "caught": {
            f"{name}, {condition}": float(over[(test.source == name) & (test.condition == condition)].mean())
            for name in sorted(set(test.source[test.synthetic]))
            for condition in ("native", "512")
        },
    }


def _calibration_error(trials: Trials, calibration: Platt) -> float:
    """How far probability and share lie apart on average if it is made to answer, both classes alike."""
    probability = np.array([calibration.probability(float(raw)) for raw in trials.raw])
    weights = even(trials.synthetic)
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    apart = np.bincount(bins, weights * (probability - trials.synthetic), _BINS)
    return float(np.abs(apart).sum())


def _sources(test: Trials, speaks: float) -> list[dict[str, Any]]:
    plain = test.under("native")
    rows = []
    for name in sorted(set(plain.source)):
        mine = plain.source == name
        synthetic = bool(plain.synthetic[mine].all())
        chosen = plain.of(name)
        area = auc(chosen.raw, chosen.synthetic) if synthetic else None
        label = "synthetic" if synthetic else "real"
        rows.append(_row(name, "source", label, plain.raw[mine], speaks, area))
    return rows


def _controls(test: Trials, speaks: float) -> list[dict[str, Any]]:
    rows = []
    for name in sorted(set(test.condition) - {"native"}):
        raw = test.raw[(test.condition == name) & ~test.synthetic]
        rows.append(_row(name, "control", "real", raw, speaks, None))
    return rows


def _row(
    name: str, kind: str, label: str, raw: NDArray[np.float64], speaks: float, area: float | None
) -> dict[str, Any]:
    """Whatever it answers it flags."""
    share = float((raw > speaks).mean())
    return {
        "name": name, "kind": kind, "label": label, "n": len(raw), "answered": share,
        "flagged": share, "auc": area,
    }  # fmt: skip


def _ranking(trials: Trials) -> dict[str, Any]:
    """The AUC of each generator against the photographs if the detector is made to answer, with intervals."""
    names = sorted(set(trials.source[trials.synthetic]))
    found = {
        name: _interval(trials.of(name), lambda sample: auc(sample.raw, sample.synthetic)) for name in names
    }
    return found | {"macro": float(np.mean([row["value"] for row in found.values()]))}


def _speaking(trials: Trials, speaks: float) -> dict[str, Any]:
    """How often it speaks by source, and is right then, at even odds and all generators alike."""
    loud = trials.raw > speaks
    shares = {str(name): float(loud[trials.source == name].mean()) for name in sorted(set(trials.source))}
    caught = np.mean([shares[name] for name in set(trials.source[trials.synthetic])])
    alarms = float(loud[~trials.synthetic].mean())
    right = float(caught / (caught + alarms)) if caught + alarms else None
    return {"share": shares, "right": right, "n": int(loud.sum())}


def _interval(trials: Trials, measure: Callable[[Trials], float]) -> dict[str, float]:
    """The value with its 95 % interval over resampled pictures, both classes apart."""
    rng = np.random.default_rng(0)
    members: dict[tuple[bool, str], list[int]] = {}
    for row, key in enumerate(zip(trials.synthetic.tolist(), trials.group.tolist(), strict=True)):
        members.setdefault(key, []).append(row)
    sides = [
        [np.array(rows) for (side, _), rows in members.items() if side is which] for which in (False, True)
    ]
    values = []
    for _ in range(_ROUNDS):
        drawn = [side[i] for side in sides for i in rng.integers(0, len(side), len(side))]
        rows = np.concatenate(drawn)
        values.append(measure(replace(trials, raw=trials.raw[rows], synthetic=trials.synthetic[rows])))
    low, high = np.quantile(values, (0.025, 0.975))
    return {"value": measure(trials), "low": float(low), "high": float(high)}


def _void(trials: Trials) -> dict[str, Any]:
    """How well height, width, sharpness, brightness or contrast alone tell the classes apart."""
    names = ("height", "width", "sharpness", "brightness", "contrast")
    areas = {}
    for column, name in enumerate(names):
        area = auc(trials.trivial[:, column], trials.synthetic)
        areas[name] = max(area, 1 - area)
    return {"auc": areas, "void": max(areas.values()) > 0.6}


def _sentence(ranking: dict[str, Any], speaking: dict[str, Any], worst: float) -> str:
    plain, small = speaking["native"], speaking["512"]
    share = ", ".join(f"{value:.0%} of {name}" for name, value in plain["share"].items())
    plain_auc, small_auc = ranking["native"]["macro"], ranking["512"]["macro"]
    right = [f"{_percent(row['right'])} of these {row['n']} times" for row in (plain, small)]
    return (
        f"Made to answer, macro AUC {plain_auc:.2f} as JPEG and {small_auc:.2f} at 512 pixels (goals: 0.85 "
        f"and 0.70, not reached). It speaks on {share} as JPEG, and is right {right[0]}, at even odds; "
        f"at 512 pixels {right[1]}. Worst control: {worst:.0%} of photographs. The test set is "
        "void by its own test: size and sharpness give the classes away."
    )


def _percent(share: float | None) -> str:
    return "never" if share is None else f"{share:.0%}"


def _trained_on() -> list[str]:
    rows = json.loads(SPLIT.read_text(encoding="utf-8"))["files"]
    return sorted(row["sha256"] for row in rows if row["role"] == "train")


def _main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate and test the embedded image detector.")
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    data = (args.bank / "image.onnx").read_bytes()
    network = Network(data)
    calibrating, test = (Trials.read(args.bank, role, network) for role in ("calibrate", "test"))
    found = report(calibrating, test, _CARD)
    found["weights"] = {"file": "image.onnx", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (args.out / "image.onnx").write_bytes(data)
    (args.out / "image.report.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: found[key] for key in ("ranking", "speaking", "nominal", "void")}, indent=1))


if __name__ == "__main__":
    _main()
