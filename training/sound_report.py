"""What the embedded sound detector's report card says, from its trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Platt
from detectors.deepfake.sound_model import Model
from detectors.evaluation.metrics import auc
from training.sound_sources import SPLIT
from training.sound_trials import Flags, Numbers, Trials, equal_error

__all__ = ["Limits", "calibration_error", "limits", "report"]

_ROUNDS = 500
_SURE = 0.9
_KEPT = 0.98
_KNOWN = 0.95
_BINS = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Above `speaks` the detector gives a score; what lies beyond `strange` is unlike training."""

    speaks: float
    strange: float

    def heard(self, trials: Trials, model: Model) -> Flags:
        """Of which trials it says that they are synthetic."""
        return np.asarray((trials.strange(model) <= self.strange) & (trials.raw(model) > self.speaks))


def limits(trained: Trials, calibrating: Trials, model: Model, calibration: Platt) -> Limits:
    """Speaks above 0.9 and above 98 % of each speaker's recordings under every condition; hears what lies no
    farther off than 95 % of the family in training that lies farthest."""
    raw, real = calibrating.raw(model), ~calibrating.fake
    quantiles = [
        np.quantile(
            raw[real & (calibrating.condition == condition) & (calibrating.speaker == speaker)], _KEPT
        )
        for condition in set(calibrating.condition[real])
        for speaker in set(calibrating.speaker[real])
    ]
    sure = (float(np.log(_SURE / (1 - _SURE))) - calibration.b) / calibration.a
    far = trained.strange(model)
    strange = max(float(np.quantile(far[trained.family == name], _KNOWN)) for name in set(trained.family))
    return Limits(float(max(sure, *quantiles)), strange)


def report(model: Model, calibration: Platt, limit: Limits, test: Trials, sealed: Trials) -> dict[str, Any]:
    """The report card: how it ranks if made to answer, how often it speaks and is right."""
    sets = {"unseen speakers": test, "Tortoise's voices": sealed}
    measured = [row for whose, trials in sets.items() for row in _rows(model, limit, trials, whose)]
    degraded = {"test": test.under("degraded"), "sealed": sealed.under("degraded")}
    ranking = {name: _ranking(model, trials) for name, trials in degraded.items()}
    speaking = {name: _speaking(model, limit, trials) for name, trials in degraded.items()}
    speaking["test, plain"] = _speaking(model, limit, test.under("plain"))
    errors = {name: _errors(model, calibration, limit, trials) for name, trials in degraded.items()}
    alarms = [row["answered"] * (row["flagged"] or 0) for row in measured if row["label"] == "real"]
    return {
        "card": _CARD | {"measured_error": _sentence(ranking, speaking, max(alarms))},
        "calibration": calibration.as_json(),
        "speaks": limit.speaks,
        "strange": limit.strange,
        "threshold": _SURE,
        "false_alarms": float(np.mean(alarms)),
        "measured": measured,
        "ranking": ranking,
        "speaking": speaking,
        "calibration_error": errors,
        "never_trained_on": ["tts_tortoise", "VITS", "HiFi-GAN"],
        "training": {"sha256": _trained_on()},
    }


def calibration_error(calibration: Platt, raw: Numbers, fake: Flags, whole: Flags | None = None) -> float:
    """How far probabilities lie from shares, in ten bins (ECE; Naeini et al., 2015), with both classes of
    `whole`, from which the trials are taken, weighing the same."""
    whole = fake if whole is None else whole
    p = np.array([calibration.probability(float(value)) for value in raw])
    weight = np.where(fake, 1 / whole.sum(), 1 / (~whole).sum())
    place = np.minimum((p * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(place, weight * (p - fake), _BINS)
    return float(np.abs(gaps).sum() / weight.sum())


def _errors(model: Model, calibration: Platt, limit: Limits, trials: Trials) -> dict[str, float | None]:
    """The calibration error if made to answer, and of what it answers."""
    said = trials.chosen(limit.heard(trials, model))
    both = 0 < said.fake.sum() < len(said.fake)
    return {
        "made to answer": calibration_error(calibration, trials.raw(model), trials.fake),
        "answered": calibration_error(calibration, said.raw(model), said.fake, trials.fake) if both else None,
    }


def _rows(model: Model, limit: Limits, trials: Trials, whose: str) -> list[dict[str, Any]]:
    """A row for each family, degraded and plain, and for each control of real speech."""
    mild, heard, raw = trials.condition == "degraded", limit.heard(trials, model), trials.raw(model)
    names = np.where(trials.fake, trials.family, whose)
    keys = np.where(mild, names, np.char.add(np.char.add(names, ", "), trials.condition))
    rows = []
    for key in sorted(set(keys)):
        mine = keys == key
        fake = bool(trials.fake[mine].all())
        rivals = mine | (~trials.fake & (trials.condition == trials.condition[mine][0]))
        rows.append(
            {
                "name": str(key),
                "kind": "source" if fake or mild[mine].all() else "control",
                "label": "synthetic" if fake else "real",
                "n": int(mine.sum()),
                "answered": float(heard[mine].mean()),
                "flagged": 1.0 if heard[mine].any() else None,
                "auc": auc(raw[rivals], trials.fake[rivals]) if fake else None,
            }
        )
    return rows


def _ranking(model: Model, trials: Trials) -> dict[str, Any]:
    """AUC and equal error rate of each family, and of all, against real speech, with 95 % intervals over
    speakers."""
    found = {}
    names = sorted(set(trials.family[trials.fake]))
    for family in ("all", *names):
        mine = trials.chosen(~trials.fake | (trials.family == family) | (family == "all"))
        found[str(family)] = {
            "n": int(mine.fake.sum()),
            "auc": _interval(auc, mine.raw(model), mine),
            "eer": _interval(equal_error, mine.raw(model), mine),
        }
    return found


def _interval(measure: Callable[[Numbers, Flags], float], raw: Numbers, trials: Trials) -> dict[str, float]:
    rng, values = np.random.default_rng(0), []
    sides = [_clusters(trials.speaker, trials.fake == side) for side in (False, True)]
    for _ in range(_ROUNDS):
        drawn = np.concatenate([side[i] for side in sides for i in rng.integers(0, len(side), len(side))])
        values.append(measure(raw[drawn], trials.fake[drawn]))
    low, high = np.quantile(values, (0.025, 0.975))
    return {"value": float(measure(raw, trials.fake)), "low": float(low), "high": float(high)}


def _clusters(speaker: NDArray[np.str_], chosen: Flags) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(chosen & (speaker == name)) for name in sorted(set(speaker[chosen]))]


def _speaking(model: Model, limit: Limits, trials: Trials) -> dict[str, Any]:
    """How often it says synthetic of unseen sources, and is right then at even odds."""
    heard = limit.heard(trials, model)
    caught, alarms = float(heard[trials.fake].mean()), float(heard[~trials.fake].mean())
    right = caught / (caught + alarms) if caught + alarms else None
    return {"of synthetic": caught, "of real": alarms, "right": right}


def _sentence(ranking: dict[str, Any], speaking: dict[str, Any], worst: float) -> str:
    rows = {name: row for side in ranking.values() for name, row in side.items() if name != "all"}
    errors = "; ".join(
        f"{name} {row['eer']['value']:.0%} ({row['eer']['low']:.0%} to {row['eer']['high']:.0%}, "
        f"n = {row['n']})"
        for name, row in rows.items()
    )
    said, other = speaking["sealed"], speaking["test"]
    return (
        f"Equal error rate if made to answer, with 95 % interval over speakers or texts: {errors}. It speaks "
        f"on {said['of synthetic']:.1%} of Tortoise's examples and {said['of real']:.1%} of the real voices "
        f"beside them, degraded alike; of other unseen synthesisers on {other['of synthetic']:.0%}, of other "
        f"unseen recordings on {other['of real']:.1%}. Worst set of recordings: {worst:.0%} called synthetic."
    )


def _trained_on() -> list[str]:
    rows = json.loads(SPLIT.read_text(encoding="utf-8"))["files"]
    return sorted(row["sha256"] for row in rows if row["role"] == "train")


_CARD = {
    "description": "Screens speech for what speech engines and vocoders leave in it. A screening signal: "
    "alone it proves nothing and must never block.",
    "licence": "Apache-2.0",
    "data": "recordings of 7 speakers (Asterisk's telephone prompts, CC-BY-SA-3.0 and CC-BY-3.0; the Free "
    "Spoken Digit Dataset, CC-BY-SA-4.0), copies of them by signal processing and by small neural vocoders "
    "trained on them, and what espeak-ng reads; hashes are in training/splits/sound.json",
    "calibration": "Platt, on vocoders and recordings left out of training in turn, and on others",
    "calibration_set": "each of four neural vocoders left out in turn, against 4 speakers of a source left "
    "out with it; 2 other speakers, plain and under five controls; mel inversion and one voice of flite",
    "abstains": "below 2 s, on silence, without anything above 2 kHz, where less than 0.4 s is loud or "
    "nothing changes as syllables do, on sound far from that of training, and wherever it finds no clear "
    "trace, which is on most speech, recorded and synthetic",
    "limits": "It cannot tell Tortoise from recordings: made to answer, it ranks it below them, so it stays "
    "silent there; expect the same of other published generators. The vocoders that it knows are far smaller "
    "than theirs. That it is silent says nothing. It knows no recordings but telephone prompts and digits, "
    "and recordings of a new kind look more synthetic to it than those.",
}
