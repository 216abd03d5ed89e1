"""The verify path: what a file is, layer by layer, the cheapest first, none hiding another.

credential (C2PA) → exact hash in the ledger → watermark → content against the ledger → detectors
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from detectors.base import Context, Detector, Finding
from detectors.run import inspect_all
from guard.errors import InputError
from guard.ledger import Entry, Ledger, Likeness
from guard.media import Artifact, Modality
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.kept import by_itself
from guard.provenance.read import read
from guard.provenance.reader import Reads
from guard.provenance.trust import Trust
from guard.provenance.visible import visible_text
from guard.sketches import Seen
from guard.trace import Trace
from guard.verdict import LedgerMatch, MatchKind, Source, Verdict, conclude
from guard.watermark import Payload, Reading, ReadingState, Watermarker

__all__ = ["Verifier"]

_WHOLE = Likeness(1.0, 1.0, 1.0, same=True)
_NOTHING = Likeness(0.0, 0.0, 0.0, same=False)


@dataclass(frozen=True)
class Verifier:
    """The verify path, with everything it consults.

    `trust` says whose signatures count as trusted; `mark_keys` the ring, newest first;
    `watermarkers` the engines to try; `detectors` those that tell synthetic media. `read_credential` reads
    credentials: for files from strangers, in a sandbox.
    """

    trust: Trust
    ledger: Ledger
    watermarkers: Sequence[Watermarker]
    mark_keys: Sequence[bytes]
    detectors: Sequence[Detector] = ()
    trace: Trace = nullcontext
    read_credential: Reads = read

    def verify(self, artifact: Artifact, *, name: str = "", sidecar: bytes | None = None) -> Verdict:
        """What `artifact` is; `sidecar` is a manifest that came beside it, for want of one inside.

        Of media that cannot be decoded, the credential and the hash are the only evidence. Raises
        `InputError` where no credential comes out of them either.
        """
        with self.trace("credential"):
            credential, source = self._credential(artifact, sidecar)
        unseen = ""
        try:
            reading, match, findings = self._content(artifact)
        except InputError as error:
            if credential.state in (CredentialState.ABSENT, CredentialState.UNREADABLE):
                raise
            unseen = error.message
            reading, match, findings = Reading(ReadingState.UNSUPPORTED), self._exact(artifact), ()
        return Verdict(
            file=name,
            modality=artifact.modality,
            mime=artifact.mime,
            sha256=artifact.sha256,
            conclusion=conclude(credential, reading, match, findings, source, unseen),
            credential=credential,
            source=source,
            reading=reading,
            match=match,
            findings=findings,
        )

    def _content(self, artifact: Artifact) -> tuple[Reading, LedgerMatch, tuple[Finding, ...]]:
        """What the content tells, beside any credential. Raises `InputError` where it cannot be decoded."""
        with self.trace("decode"):
            if artifact.decodable or artifact.flaw:
                artifact.decode()
        with self.trace("watermark"):
            reading = self._read(artifact)
        with self.trace("ledger"):
            reading, match = self._match(artifact, reading)
            match = self._vouched(artifact, match)
        with self.trace("detectors"):
            seen = self.detectors if artifact.decodable else ()
            return reading, match, tuple(inspect_all(seen, artifact, Context("upload")))

    def _credential(self, artifact: Artifact, sidecar: bytes | None) -> tuple[Credential, Source | None]:
        """The credential in the file; else the one beside it; else the one that the ledger keeps for these
        very bytes."""
        credential = self.read_credential(artifact, trust=self.trust)
        if credential.state is not CredentialState.ABSENT:
            return credential, Source.EMBEDDED
        if sidecar is not None:
            return self.read_credential(artifact, trust=self.trust, manifest=sidecar), Source.SIDECAR
        entry = self.ledger.by_sha256(artifact.sha256)
        if entry is not None and entry.sha256 == artifact.sha256 and entry.manifest is not None:
            kept = self.read_credential(artifact, trust=self.trust, manifest=entry.manifest)
            return kept, Source.LEDGER
        return credential, None

    def _read(self, artifact: Artifact) -> Reading:
        """The first engine's reading that says something; else that of the last engine asked."""
        reading = Reading(ReadingState.UNSUPPORTED)
        if artifact.modality is Modality.TEXT:
            # The characters of a manifest are no choice of words.
            artifact = replace(artifact, data=visible_text(artifact.text).encode())
        for engine in self.watermarkers if artifact.decodable else ():
            if engine.modality is artifact.modality:
                reading = engine.read(artifact, keys=self.mark_keys)
                if reading.state in (ReadingState.FOUND, ReadingState.CANDIDATE):
                    break
        return reading

    def _match(self, artifact: Artifact, reading: Reading) -> tuple[Reading, LedgerMatch]:
        """The registered release that hash, mark or content lead to, and the reading in its light."""
        seen = Seen(artifact)
        marked = self._marked(artifact, reading, seen)
        if reading.state is ReadingState.CANDIDATE:
            reading = _settle(reading, marked)
        exact = self._exact(artifact)
        if exact.entry is not None:
            return reading, exact
        if marked.entry is not None:
            return reading, marked
        return reading, self._resembling(artifact, seen)

    def _exact(self, artifact: Artifact) -> LedgerMatch:
        """The release with these very bytes."""
        entry = self.ledger.by_sha256(artifact.sha256) or self._same_text(artifact)
        return self._evidence(MatchKind.EXACT, entry, _WHOLE) if entry else LedgerMatch()

    def _same_text(self, artifact: Artifact) -> Entry | None:
        if artifact.modality is not Modality.TEXT or artifact.flaw:
            return None
        return self.ledger.by_sha256(hashlib.sha256(visible_text(artifact.text).encode()).hexdigest())

    def _marked(self, artifact: Artifact, reading: Reading, seen: Seen) -> LedgerMatch:
        """The release whose mark was read, compared: a mark can be copied onto anything."""
        if reading.state is ReadingState.FOUND and reading.payload is not None:
            entry = self.ledger.by_payload(reading.payload.hex)
            return self._compared(entry, artifact, reading, seen) if entry else LedgerMatch()
        if reading.short_id is None or reading.state not in (ReadingState.FOUND, ReadingState.CANDIDATE):
            return LedgerMatch()
        # Several releases may share a short id: the one with this content is meant.
        other = LedgerMatch()
        for entry in self.ledger.by_short_id(reading.short_id, reading.short_bits):
            match = self._compared(entry, artifact, reading, seen)
            if match.same:
                return match
            other = match
        # From any unmarked picture some candidate can be read: it counts for nothing.
        return other if reading.state is ReadingState.FOUND else LedgerMatch()

    def _compared(self, entry: Entry, artifact: Artifact, reading: Reading, seen: Seen) -> LedgerMatch:
        if entry.modality != artifact.modality:
            return self._evidence(MatchKind.WATERMARK, entry, _NOTHING)
        likeness = seen.compare(entry.sketch, reading.geometry) if entry.sketch else None
        return self._evidence(MatchKind.WATERMARK, entry, likeness)

    def _resembling(self, artifact: Artifact, seen: Seen) -> LedgerMatch:
        """The registered release that has the most in common with this artifact, or with a part of it."""
        if artifact.modality is Modality.TEXT:
            sketch = seen.sketch()
            candidates = self.ledger.by_text(sketch) if sketch else []
        else:
            candidates = self.ledger.nearest(seen.questions())
        best: tuple[Likeness, Entry] | None = None
        for entry in candidates:
            likeness = seen.compare(entry.sketch, alone=True) if entry.sketch else None
            if likeness and likeness.same and (best is None or likeness.common > best[0].common):
                best = likeness, entry
        return self._evidence(MatchKind.FINGERPRINT, best[1], best[0]) if best else LedgerMatch()

    def _vouched(self, artifact: Artifact, match: LedgerMatch) -> LedgerMatch:
        """The match with what its manifest is worth, where this is a copy of the content."""
        if match.entry is None or match.entry.manifest is None or not match.same:
            return match
        kept = self.read_credential(artifact, trust=self.trust, manifest=match.entry.manifest)
        return replace(match, credential=by_itself(kept))

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
