"""What the tests of the routes that only look share: detectors, and what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from starlette.testclient import TestClient

from detectors.base import Context, Detector, DetectorCard, Finding
from guard.app import App
from guard.errors import DetectorError
from guard.ledger.tables import releases
from guard.media import Artifact, Modality
from tests.unit.api.parts import serving


@dataclass
class Seer:
    """Scores each signal as it is told; without scores it fails."""

    name: str
    scores: Mapping[str, float] = field(default_factory=dict)
    modality: Modality = Modality.IMAGE
    contexts: list[Context] = field(default_factory=list)

    @property
    def card(self) -> DetectorCard:
        return DetectorCard(
            self.name, "1", next(iter(self.scores), "nothing"), frozenset({self.modality}), "tests", "none"
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.contexts.append(context)
        if not self.scores:
            raise DetectorError("The lamp at /srv/lamps/7 is broken.")
        return [Finding(self.name, "1", signal, score, 0.5) for signal, score in self.scores.items()]


@contextmanager
def seeing(app: App, *detectors: Detector) -> Iterator[TestClient]:
    """The API with these detectors alone."""
    with serving(replace(app, detectors=detectors), None) as client:
        yield client


def records(app: App) -> list[str]:
    """The status of every entry of the ledger."""
    with app.ledger.engine.connect() as connection:
        return [row["status"] for row in connection.execute(releases.select()).mappings()]
