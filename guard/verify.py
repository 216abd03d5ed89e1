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
from guard.ledger import Entry, Ledger, Likeness
from guard.media import Artifact, Modality
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.read import read
from guard.provenance.visible import visible_text
from guard.sketches import compare, sketch_of
from guard.trace import Trace
from guard.verdict import LedgerMatch, MatchKind, Source, Verdict, conclude
from guard.watermark import Payload, Reading, ReadingState, Watermarker

__all__ = ["Verifier"]

_WHOLE = Likeness(1.0, 1.0, 1.0, same=True)
_NOTHING = Likeness(0.0, 0.0, 0.0, same=False)


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

    def verify(self, artifact: Artifact, *, name: str = "", sidecar: bytes | None = None) -> Verdict:
        """What `artifact` is; `sidecar` is a manifest that came beside it, for want of one inside.

        Raises `InputError` only for media that cannot be decoded at all.
        """
        with self.trace("credential"):
            credential, source = self._credential(artifact, sidecar)
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
            conclusion=conclude(credential, reading, match, findings, source),
            credential=credential,
            source=source,
            reading=reading,
            match=match,
            findings=findings,
        )

    def _credential(self, artifact: Artifact, sidecar: bytes | None) -> tuple[Credential, Source | None]:
        """The credential in the file; else the one beside it; else the one that the ledger keeps for these
        very bytes."""
        credential = read(artifact, anchors=self.anchors)
        if credential.state is not CredentialState.ABSENT:
            return credential, Source.EMBEDDED
        if sidecar is not None:
            return read(artifact, anchors=self.anchors, manifest=sidecar), Source.SIDECAR
        entry = self.ledger.by_sha256(artifact.sha256)
        if entry is not None and entry.sha256 == artifact.sha256 and entry.manifest is not None:
            return read(artifact, anchors=self.anchors, manifest=entry.manifest), Source.LEDGER
        return credential, None

    def _read(self, artifact: Artifact) -> Reading:
        """The first engine's reading that says something; else that of the last engine asked."""
        reading = Reading(ReadingState.UNSUPPORTED)
        if artifact.modality is Modality.TEXT:
            # The characters of a manifest are no choice of words.
            artifact = replace(artifact, data=visible_text(artifact.text).encode())
        for engine in self.watermarkers:
            if engine.modality is artifact.modality:
                reading = engine.read(artifact, keys=self.mark_keys)
                if reading.state in (ReadingState.FOUND, ReadingState.CANDIDATE):
                    break
        return reading

    def _match(self, artifact: Artifact, reading: Reading) -> tuple[Reading, LedgerMatch]:
        """The registered release that hash, mark or content lead to, and the reading in its light."""
        marked = self._marked(artifact, reading)
        if reading.state is ReadingState.CANDIDATE:
            reading = _settle(reading, marked)
        exact = self.ledger.by_sha256(artifact.sha256) or self._same_text(artifact)
        if exact is not None:
            return reading, self._evidence(MatchKind.EXACT, exact, _WHOLE)
        if marked.entry is not None:
            return reading, marked
        return reading, self._resembling(artifact)

    def _same_text(self, artifact: Artifact) -> Entry | None:
        if artifact.modality is not Modality.TEXT:
            return None
        return self.ledger.by_sha256(hashlib.sha256(visible_text(artifact.text).encode()).hexdigest())

    def _marked(self, artifact: Artifact, reading: Reading) -> LedgerMatch:
        """The release whose mark was read, compared: a mark can be copied onto anything."""
        if reading.state is ReadingState.FOUND and reading.payload is not None:
            entry = self.ledger.by_payload(reading.payload.hex)
            return self._compared(entry, artifact, reading) if entry else LedgerMatch()
        if reading.short_id is None or reading.state not in (ReadingState.FOUND, ReadingState.CANDIDATE):
            return LedgerMatch()
        # Several releases may share a short id: the one with this content is meant.
        other = LedgerMatch()
        for entry in self.ledger.by_short_id(reading.short_id, reading.short_bits):
            match = self._compared(entry, artifact, reading)
            if match.same:
                return match
            other = match
        # From any unmarked picture some candidate can be read: it counts for nothing.
        return other if reading.state is ReadingState.FOUND else LedgerMatch()

    def _compared(self, entry: Entry, artifact: Artifact, reading: Reading) -> LedgerMatch:
        if entry.modality != artifact.modality:
            return self._evidence(MatchKind.WATERMARK, entry, _NOTHING)
        likeness = compare(entry.sketch, artifact, reading.geometry) if entry.sketch else None
        return self._evidence(MatchKind.WATERMARK, entry, likeness)

    def _resembling(self, artifact: Artifact) -> LedgerMatch:
        """The registered text that has the most in common with this one, or with a part of it."""
        sketch = sketch_of(artifact) if artifact.modality is Modality.TEXT else None
        best: tuple[Likeness, Entry] | None = None
        for entry in self.ledger.by_text(sketch) if sketch else ():
            likeness = compare(entry.sketch, artifact) if entry.sketch else None
            if likeness and likeness.same and (best is None or likeness.common > best[0].common):
                best = likeness, entry
        return self._evidence(MatchKind.FINGERPRINT, best[1], best[0]) if best else LedgerMatch()

    def _evidence(self, kind: MatchKind, entry: Entry, likeness: Likeness | None) -> LedgerMatch:
        receipt = self.ledger.receipt(entry.id)
        if likeness is None:
            return LedgerMatch(kind, entry, receipt)
        return LedgerMatch(kind, entry, receipt, likeness.score, likeness.same, likeness.share)


def _settle(reading: Reading, match: LedgerMatch) -> Reading:
    """What a reading without a presence test is worth once the ledger has spoken."""
    if match.entry is None:
        return Reading(ReadingState.ABSENT)
    return replace(reading, state=ReadingState.FOUND, payload=Payload.from_hex(match.entry.id))
