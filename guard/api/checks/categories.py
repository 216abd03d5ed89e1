"""OpenAI's categories of unfit content, filled from what Guard's detectors say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from detectors.base import Finding
from guard.media import Modality

__all__ = ["CATEGORIES", "Tally"]

CATEGORIES: Mapping[str, tuple[frozenset[str], ...]] = MappingProxyType(
    {
        "harassment": (frozenset({"insult", "toxicity"}),),
        "harassment/threatening": (frozenset({"insult", "toxicity"}), frozenset({"threat"})),
        "hate": (frozenset({"identity_attack"}),),
        "hate/threatening": (frozenset({"identity_attack"}), frozenset({"threat"})),
        "illicit": (),
        "illicit/violent": (),
        "self-harm": (frozenset({"self_harm"}),),
        "self-harm/instructions": (),
        "self-harm/intent": (),
        "sexual": (frozenset({"sexual"}),),
        "sexual/minors": (),
        "violence": (frozenset({"threat"}),),
        "violence/graphic": (),
    }
)
"""What each category takes: one signal of every set, the lowest of what these score. A detector may also give
a signal that has the category's own name. What neither is there for was not screened."""


class Tally:
    """The worst of what was found, by signal and then by category."""

    def __init__(self) -> None:
        self._scores: dict[str, tuple[float, bool]] = {}
        self._applied: dict[str, list[str]] = {}
        self._failed: set[str] = set()

    def add(self, finding: Finding, modality: Modality) -> None:
        """Counts a finding on a part of that modality."""
        if finding.error is not None:
            self._failed.add(f"{finding.detector}@{finding.version}")
        if finding.score is not None:
            self._raise(finding.signal, finding.score, finding.flagged, [modality.value])

    def as_json(self) -> dict[str, Any]:
        """One result of a moderation, with what was not screened and which detectors had no answer. What
        these said of it is for the operator."""
        missing = [category for category in CATEGORIES if not self._fill(category)]
        scores = self._scores | dict.fromkeys(missing, (0.0, False))
        return {
            "flagged": any(flagged for _, flagged in scores.values()),
            "categories": {name: flagged for name, (_, flagged) in scores.items()},
            "category_scores": {name: score for name, (score, _) in scores.items()},
            "category_applied_input_types": {name: self._applied.get(name, []) for name in scores},
            "guard": {"failed_detectors": sorted(self._failed), "not_screened": missing},
        }

    def _raise(self, name: str, score: float, flagged: bool, kinds: list[str]) -> None:
        known, was_flagged = self._scores.get(name, (0.0, False))
        self._scores[name] = max(known, score), flagged or was_flagged
        applied = self._applied.setdefault(name, [])
        applied += [kind for kind in kinds if kind not in applied]

    def _fill(self, category: str) -> bool:
        """Counts the signals that make up a category; says whether anything was screened for it."""
        needed = [
            [name for name in sorted(any_of) if name in self._scores] for any_of in CATEGORIES[category]
        ]
        if needed and all(needed):
            score = min(max(self._scores[name][0] for name in names) for names in needed)
            flagged = all(any(self._scores[name][1] for name in names) for names in needed)
            self._raise(
                category,
                score,
                flagged,
                [kind for names in needed for n in names for kind in self._applied[n]],
            )
        return category in self._scores
