"""How a story is told: generate, release, and verify what may become of the file out there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Protocol

from detectors import DetectorCard
from guard.app import App, open_app
from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.pipeline import Release
from guard.provenance.keys import KeyStore
from guard.settings import Settings
from guard.trace import StepTimes
from guard.verdict import Verdict, VerdictState
from models.base import GenerationRequest, ModelCard
from models.registry import load

__all__ = ["Fate", "Plot", "Step", "Story", "play"]


class Fate(NamedTuple):
    """What becomes of a file: its new name, what was done, the verdict it deserves, and its bytes."""

    file: str
    done: str
    expected: VerdictState
    data: bytes


class Plot(Protocol):
    """What makes one story differ from another."""

    @property
    def request(self) -> GenerationRequest: ...

    def fates(self, released: Artifact) -> Iterator[Fate]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the story: what was done to it, what Guard should say, what it said, and how fast."""

    file: Path
    done: str
    expected: VerdictState
    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happened; `detectors` did the screening, `seconds` are the release's, by step."""

    folder: Path
    modality: Modality
    prompt: str
    model: ModelCard
    detectors: list[DetectorCard]
    release: Release
    seconds: dict[str, float]
    steps: tuple[Step, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the right one."""
        return all(step.verdict.state is step.expected for step in self.steps)


def play(plot: Plot, folder: Path) -> Story:
    """Play the story in `folder`, where its files stay.

    Keys and ledger are its own, in `folder/guard-home`: neither the user's settings nor their state are
    touched. Raises `InputError` where the folder cannot be written.
    """
    home = folder / "guard-home"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}.", "Choose another --out-dir."
        ) from error
    KeyStore(home).init_development(force=True)
    with open_app(Settings.model_construct(home=home)) as app:
        times = StepTimes()
        request = plot.request
        scene = load("scene", modality=request.modality)
        guard = app.guard(times)
        [release] = guard.generate(scene, request)
        steps = tuple(_verified(app, folder, plot.fates(release.artifact)))
        looking = (*guard.screening(Modality.TEXT, "prompt"), *guard.screening(request.modality))
        cards = list({detector.card.id: detector.card for detector in looking}.values())
    return Story(folder, request.modality, request.prompt, scene.card, cards, release, times.seconds, steps)


def _verified(app: App, folder: Path, fates: Iterator[Fate]) -> Iterator[Step]:
    verifier = app.verifier()
    for fate in fates:
        path = folder / fate.file
        path.write_bytes(fate.data)
        start = perf_counter()
        verdict = verifier.verify(Artifact.from_path(path), name=fate.file)
        yield Step(path, fate.done, fate.expected, verdict, perf_counter() - start)
