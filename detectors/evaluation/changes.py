"""The conditions under which a detector is measured, by kind of media."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from detectors.evaluation import picture_changes, sound_changes
from guard.errors import GuardError
from guard.media import Artifact, Modality

__all__ = ["AS_GIVEN", "Change", "Condition", "conditions", "controls"]

T = TypeVar("T")
Change = Callable[[Artifact, np.random.Generator], Artifact]

AS_GIVEN = "as given"
_FEWEST_WORDS = 50
_SMALLEST = 128
_SLOWEST = 8_000
_SHORTEST = 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """A way in which both classes are shown to the detector; `note` says which to a report's reader.

    Items as they were given differ in format, size and length by class more often than not, so what is
    measured on them is `confounded`, unless nothing can be done to them.
    """

    name: str
    note: str
    change: Change | None = None
    confounded: bool = False


def conditions(modality: Modality, signal: str, artifacts: Iterable[Artifact]) -> list[Condition]:
    """The conditions, the one that counts first; `artifacts` is a sample of all items."""
    given = Condition(
        AS_GIVEN, "Files as they are: format, size and length may give the class away.", None, True
    )
    if modality is Modality.IMAGE:
        return [*_of_pictures(artifacts), given]
    if modality is Modality.AUDIO:
        return [_of_sounds(artifacts), given]
    if modality is Modality.TEXT and signal == "synthetic":
        return [_of_texts(artifacts), given]
    return [Condition(AS_GIVEN, "Items as they are.")]


def controls(modality: Modality) -> Mapping[str, Change]:
    """Harmless changes under which what is innocent must stay so."""
    if modality is Modality.IMAGE:
        return picture_changes.CONTROLS
    return sound_changes.CONTROLS if modality is Modality.AUDIO else {}


def _of_pictures(artifacts: Iterable[Artifact]) -> list[Condition]:
    sides = _measured(artifacts, lambda artifact: min(artifact.picture.rgb().shape[:2]))
    side = int(np.clip(min(sides, default=512), _SMALLEST, 512))
    return [
        Condition(
            "same pipeline",
            f"Metadata off, a random square of {side} pixels at its own scale, JPEG 70 to 95.",
            lambda artifact, rng: picture_changes.common(artifact, side, rng),
        ),
        Condition(
            "resized to 512",
            "Metadata off, the middle square at 512 × 512 pixels, JPEG 70 to 95.",
            picture_changes.resized,
        ),
    ]


def _of_sounds(artifacts: Iterable[Artifact]) -> Condition:
    def shape(artifact: Artifact) -> tuple[int, float]:
        return next(iter(artifact.sound_blocks())).rate, artifact.duration

    shapes = _measured(artifacts, shape)
    rate = int(np.clip(min((rate for rate, _ in shapes), default=16_000), _SLOWEST, 16_000))
    shortest = (
        float(np.quantile([length for _, length in shapes], 0.05)) if shapes else sound_changes.MOST_SECONDS
    )
    seconds = round(float(np.clip(shortest, _SHORTEST, sound_changes.MOST_SECONDS)), 1)
    return Condition(
        "same pipeline",
        f"Metadata off, a random {seconds:g} s, mono, {rate:,} Hz, a random level, WAV or MP3.",
        lambda artifact, rng: sound_changes.common(artifact, rate, seconds, rng),
    )


def _of_texts(artifacts: Iterable[Artifact]) -> Condition:
    lengths = _measured(artifacts, lambda artifact: len(artifact.text.split()))
    words = int(max(_FEWEST_WORDS, np.quantile(lengths, 0.1))) if lengths else _FEWEST_WORDS

    def cut(artifact: Artifact, _: np.random.Generator) -> Artifact:
        return Artifact.from_text(" ".join(artifact.text.split()[:words]))

    return Condition("same length", f"The first {words} words, with single blanks between.", cut)


def _measured(artifacts: Iterable[Artifact], measure: Callable[[Artifact], T]) -> list[T]:
    found = []
    for artifact in artifacts:
        try:
            found.append(measure(artifact))
        except (GuardError, StopIteration):
            continue  # counted and named when it is its turn to be scored
    return found
