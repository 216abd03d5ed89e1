"""What the embedded text detector's report card says, from texts that its models had not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Platt, fit_platt
from detectors.evaluation.metrics import auc
from training.text_sources import CHAT, SIMPLIFIED, Passage

__all__ = ["Trials", "calibrated", "report"]

_ROUNDS = 2000
_SHARE_OF_OTHERS = 1 / 3
_TAIL = 0.97
_OF_EACH = 300


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Passages and the raw answers of models that had not seen them; gates let `answered` ones pass."""

    raw: NDArray[np.float64]
    answered: NDArray[np.bool_]
    domain: NDArray[np.str_]
    generator: NDArray[np.str_]
    group: NDArray[np.str_]
    words: NDArray[np.int64]

    @classmethod
    def of(cls, passages: Sequence[Passage], raw: NDArray[np.float64], answered: NDArray[np.bool_]) -> Trials:
        """The trials of these passages."""
        names = ([getattr(p, name) for p in passages] for name in ("domain", "generator", "group"))
        words = np.array([len(passage.text.split()) for passage in passages])
        domain, generator, group = map(np.array, names)
        return cls(raw, answered, domain, generator, group, words)

    def only(self, rows: NDArray[Any]) -> Trials:
        """The trials of these rows."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def chat(self) -> NDArray[np.bool_]:
        """Whether a generator that follows instructions wrote it."""
        return np.asarray(np.isin(self.generator, CHAT), bool)

    @property
    def other(self) -> NDArray[np.bool_]:
        """Whether a generator that only continues text wrote it."""
        return np.asarray(~np.isin(self.generator, ["", SIMPLIFIED, *CHAT]), bool)

    @property
    def human(self) -> NDArray[np.bool_]:
        """Whether nobody but people wrote it."""
        return np.asarray(self.generator == "", bool)


def calibrated(folds: Trials) -> tuple[Platt, float]:
    """From raw answers to probabilities, human domains weighing alike, and the raw answer to flag from.

    A third of the machine texts are of generators that do not follow instructions, so that a low answer
    claims no more than it can: those are not seen. No human domain has more than three in a hundred flagged.
    """
    rng = np.random.default_rng(0)
    kept = folds.only(folds.answered)
    domains = sorted(set(kept.domain[kept.human]))
    sides = [kept.raw[kept.human & (kept.domain == name)] for name in domains]
    chat = kept.raw[kept.chat]
    count = round(len(chat) * _SHARE_OF_OTHERS / (1 - _SHARE_OF_OTHERS))
    human = [rng.choice(raw, _OF_EACH) for raw in sides]
    raw = np.concatenate([*human, chat, rng.choice(kept.raw[kept.other], count)])
    labels = np.arange(len(raw)) >= _OF_EACH * len(human)
    flag = max(float(np.quantile(raw, _TAIL)) for raw in sides)
    return fit_platt(raw.tolist(), labels.astype(int).tolist()), flag


def report(folds: Trials) -> dict[str, Any]:
    """The report card. Each domain is judged by what the other domains gave."""
    names = sorted(set(folds.domain[folds.answered & folds.human]))
    told = sorted(set(folds.domain[folds.answered & folds.chat]) & set(names))
    parts = {name: folds.only(folds.domain == name) for name in sorted(set(folds.domain))}
    flags = {name: calibrated(folds.only(folds.domain != name))[1] for name in parts}
    measured = [row for name, part in parts.items() for row in _rows(part, flags[name])]
    innocent = [row for row in measured if row["name"].endswith("/human") and row["answered"]]
    alarms = float(np.mean([row["flagged"] for row in innocent]))
    ranking = _ranking(parts, told)
    speaking = _speaking(parts, flags, told, alarms)
    final, flag = calibrated(folds)
    return {
        "card": {"measured_error": _sentence(ranking, speaking, alarms, measured)},
        "calibration": final.as_json(),
        "threshold": final.probability(flag),
        "false_alarms": alarms,
        "measured": measured,
        "ranking": ranking,
        "speaking": speaking,
        "void": _void(parts, told),
    }


def _rows(part: Trials, flag: float) -> list[dict[str, Any]]:
    human = part.only(part.human)
    rows = []
    for domain, generator in sorted(set(zip(part.domain.tolist(), part.generator.tolist(), strict=True))):
        mine = part.only((part.domain == domain) & (part.generator == generator))
        asked = mine.only(mine.answered)
        flagged = asked.raw >= flag
        against = human.raw[human.answered & (human.domain == domain)]
        innocent = generator in ("", SIMPLIFIED)
        area = _auc(asked.raw, against) if not innocent and len(asked.raw) and len(against) else None
        rows.append(
            {
                "name": f"{domain}/{generator or 'human'}",
                "kind": "control" if generator == SIMPLIFIED else "source",
                "label": "real" if innocent else "synthetic",
                "n": len(mine.raw), "answered": float(mine.answered.mean()),
                "flagged": float(flagged.mean()) if len(flagged) else None, "auc": area,
            }
        )  # fmt: skip
    return rows


def _ranking(parts: dict[str, Trials], names: Sequence[str]) -> dict[str, Any]:
    """The AUC of each domain and generator against the domain's human passages, with intervals."""
    cells = {}
    for name in names:
        part = parts[name].only(parts[name].answered)
        for generator in CHAT:
            pair = part.only(part.human | (part.generator == generator))
            cells[f"{name}/{generator}"] = _interval(pair, lambda t: _auc(t.raw[~t.human], t.raw[t.human]))
    return cells | {"macro": float(np.mean([row["value"] for row in cells.values()]))}


def _speaking(
    parts: dict[str, Trials], flags: dict[str, float], names: Sequence[str], alarms: float
) -> dict[str, Any]:
    """By domain, how often it flags machine texts, and how often it is right then at even odds
    against people of all domains."""
    found = {}
    for name in names:
        part = parts[name].only(parts[name].answered & parts[name].chat)
        caught = float((part.raw >= flags[name]).mean())
        found[name] = {"caught": caught, "right": caught / (caught + alarms) if caught + alarms else None}
    return found


def _void(parts: dict[str, Trials], names: Sequence[str]) -> dict[str, Any]:
    """How well a passage's length alone tells the classes apart."""
    areas = {}
    for name in names:
        part = parts[name].only(parts[name].answered)
        area = _auc(part.words[part.chat], part.words[part.human])
        areas[name] = max(area, 1 - area)
    return {"auc": areas, "void": max(areas.values()) > 0.6}


def _interval(trials: Trials, measure: Callable[[Trials], float]) -> dict[str, float]:
    """The value with its 95 % interval over resampled passages, each with its continuations."""
    rng = np.random.default_rng(0)
    members: dict[str, list[int]] = {}
    for row, key in enumerate(trials.group.tolist()):
        members.setdefault(key, []).append(row)
    groups = list(members.values())
    values = []
    for _ in range(_ROUNDS):
        rows = [row for number in rng.integers(0, len(groups), len(groups)) for row in groups[number]]
        values.append(measure(trials.only(np.array(rows))))
    low, high = np.quantile(values, (0.025, 0.975))
    return {"value": measure(trials), "low": float(low), "high": float(high)}


def _auc(machine: NDArray[Any], human: NDArray[Any]) -> float:
    return float(auc(np.concatenate([machine, human]), np.arange(len(machine) + len(human)) < len(machine)))


def _sentence(
    ranking: dict[str, Any], speaking: dict[str, Any], alarms: float, measured: Sequence[dict[str, Any]]
) -> str:
    spoken = ", ".join(f"{row['caught']:.0%} of {name}" for name, row in speaking.items())
    right = min((row["right"] for row in speaking.values() if row["right"] is not None), default=None)
    worst = max(row["flagged"] for row in measured if row["label"] == "real" and row["flagged"] is not None)
    blind = [row["auc"] for row in measured if row["auc"] is not None and not row["name"].endswith(CHAT)]
    return (
        f"Macro AUC {ranking['macro']:.2f} on GPT-3.5 and GPT-4, domain and generator left out. It flags "
        f"{spoken}, and {alarms:.1%} of human texts (worst source or control {worst:.1%}): "
        f"right {'never' if right is None else format(right, '.0%')} of the time at even odds. It does not "
        f"see models that only continue text: AUC {min(blind):.2f} to {max(blind):.2f}."
    )
