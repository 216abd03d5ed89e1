"""The verify path: what a file is, layer by layer, the cheapest first, none hiding another.

credential (C2PA) → exact hash in the ledger → watermark → content against the ledger → detectors
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from detectors.base import Context, Detector
from detectors.run import inspect_all
from guard.ledger import Entry, Ledger
from guard.media import Artifact, Modality
from guard.provenance.read import read
from guard.provenance.visible import visible_text
from guard.sketches import compare
from guard.trace import Trace
from guard.verdict import LedgerMatch, MatchKind, Verdict, conclude
from guard.watermark import Payload, Reading, ReadingState, Watermarker

__all__ = ["Verifier"]


@dataclass(frozen=True)
class Verifier:
    """The verify path, with everything it consults.

    `anchors` (PEM) are the roots whose signers count as trusted; `mark_keys` the ring, newest first;
    `watermarkers` the engines to try; `detectors` those that tell synthetic media.
    """

    anchors: str
    ledger: Ledger
    watermarkers: Sequence[Watermarker]
    mark_keys: Sequence[bytes]
    detectors: Sequence[Detector] = ()
    trace: Trace = nullcontext

    def verify(self, artifact: Artifact, *, name: str = "") -> Verdict:
        """What `artifact` is. Raises `InputError` only for media that cannot be decoded at all."""
        with self.trace("credential"):
            credential = read(artifact, anchors=self.anchors)
        with self.trace("decode"):
            artifact.decode()
        with self.trace("watermark"):
            reading = self._read(artifact)
        with self.trace("ledger"):
            reading, match = self._match(artifact, reading)
        with self.trace("detectors"):
            findings = tuple(inspect_all(self.detectors, artifact, Context("upload")))
        return Verdict(
            file=name,
            modality=artifact.modality,
            mime=artifact.mime,
            sha256=artifact.sha256,
            conclusion=conclude(credential, reading, match, findings),
            credential=credential,
            reading=reading,
            match=match,
            findings=findings,
        )

    def _read(self, artifact: Artifact) -> Reading:
        """The first engine's reading that says something; else that of the last engine asked."""
        reading = Reading(ReadingState.UNSUPPORTED)
        for engine in self.watermarkers:
            if engine.modality is artifact.modality:
                reading = engine.read(artifact, keys=self.mark_keys)
                if reading.state in (ReadingState.FOUND, ReadingState.CANDIDATE):
                    break
        return reading

    def _match(self, artifact: Artifact, reading: Reading) -> tuple[Reading, LedgerMatch]:
        """The registered release that hash or mark lead to, and the reading in its light."""
        exact = self.ledger.by_sha256(artifact.sha256) or self._same_text(artifact)
        marked = self._marked(artifact, reading)
        if reading.state is ReadingState.CANDIDATE:
            reading = _settle(reading, marked)
        if exact is not None:
            return reading, self._evidence(MatchKind.EXACT, exact, 1.0, same=True)
        return reading, marked

    def _same_text(self, artifact: Artifact) -> Entry | None:
        if artifact.modality is not Modality.TEXT:
            return None
        return self.ledger.by_sha256(hashlib.sha256(visible_text(artifact.text).encode()).hexdigest())

    def _marked(self, artifact: Artifact, reading: Reading) -> LedgerMatch:
        if reading.state is ReadingState.FOUND and reading.payload is not None:
            entry = self.ledger.by_payload(reading.payload.hex)
            return self._compared(entry, artifact, reading) if entry else LedgerMatch()
        if reading.state is ReadingState.CANDIDATE and reading.short_id is not None:
            # Any unmarked picture yields 32 bits, so only a release with the same content counts.
            entries = self.ledger.by_short_id(reading.short_id)
            matches = (self._compared(entry, artifact, reading) for entry in entries)
            return next((match for match in matches if match.same), LedgerMatch())
        return LedgerMatch()

    def _compared(self, entry: Entry, artifact: Artifact, reading: Reading) -> LedgerMatch:
        if entry.sketch is None:
            return self._evidence(MatchKind.WATERMARK, entry, None, same=None)
        likeness = compare(entry.sketch, artifact, reading.geometry)
        return self._evidence(MatchKind.WATERMARK, entry, likeness.score, same=likeness.same)

    def _evidence(
        self, kind: MatchKind, entry: Entry, score: float | None, *, same: bool | None
    ) -> LedgerMatch:
        return LedgerMatch(kind, entry, self.ledger.receipt(entry.id), score, same)


def _settle(reading: Reading, match: LedgerMatch) -> Reading:
    """What a reading without a presence test is worth once the ledger has spoken."""
    if match.entry is None:
        return Reading(ReadingState.ABSENT)
    return replace(reading, state=ReadingState.FOUND, payload=Payload.from_hex(match.entry.id))
