"""Finds manifests by soft bindings: what Guard released and what others deposited, in one answer.

After the C2PA Soft Binding Resolution API (C2PA 2.4, "Decoupled Content Credentials").
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from guard.errors import InputError
from guard.ledger import Entry
from guard.ledger.fingerprint import KEY_BITS, Algorithm, Fingerprint, distances
from guard.ledger.repository import Binding, Repository
from guard.media import Artifact
from guard.verdict import MatchKind
from guard.verify import Verifier

__all__ = ["Match", "Resolver"]

_CODE_BYTES = 32
_MOST_CODES = 256
"""Codes of one question: each costs as many look-ups as its key has bits, and one more."""
_PAYLOAD = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Match:
    """A manifest, by the URN of its active one; `similarity` in [0, 1], None where it is no question."""

    manifest_id: str
    similarity: float | None = None


@dataclass(frozen=True)
class Resolver:
    """Soft bindings to manifests."""

    repository: Repository
    verifier: Verifier

    @property
    def watermarks(self) -> list[str]:
        """The algorithms whose marks lead to releases, as credentials name them."""
        return sorted({engine.alg for engine in self.verifier.watermarkers})

    @property
    def fingerprints(self) -> list[str]:
        """The algorithms whose codes lead to releases."""
        return sorted(Algorithm)

    def by_binding(self, alg: str, value: str, limit: int) -> list[Match]:
        """The manifests that a soft binding leads to, the likeliest first; none for an algorithm that nobody
        here knows. Raises `InputError` where `value` is none of `alg`."""
        deposited = [Match(name) for name in self._bound(alg, value, limit)]
        return _first([*self._released(alg, value, limit), *deposited], limit)

    def by_content(self, artifact: Artifact, alg: str | None, limit: int) -> list[Match]:
        """The manifests that marks in an artifact and its fingerprints lead to; those of `alg` alone where
        one is named. Raises `InputError` for media that cannot be decoded."""
        verdict = self.verifier.verify(artifact)
        reading, match = verdict.reading, verdict.match
        algs = {engine.name: engine.alg for engine in self.verifier.watermarkers}
        mark = algs.get(reading.engine or "")
        by = mark if match.kind is MatchKind.WATERMARK else None
        found: list[Match] = []
        if match.entry is not None and alg in (None, by, *([] if by else self.fingerprints)):
            found += _matches(match.entry, match.similarity)
        if mark is not None and reading.payload is not None and alg in (None, mark):
            found += [
                Match(name)
                for value in _spellings(reading.payload.hex)
                for name in self._bound(mark, value, limit)
            ]
        return _first(found, limit)

    def manifest(self, manifest_id: str) -> bytes | None:
        """The manifest store whose active manifest has this URN."""
        entry = self.verifier.ledger.by_manifest(manifest_id)
        return entry.manifest if entry and entry.manifest else self.repository.manifest(manifest_id)

    def _bound(self, alg: str, value: str, limit: int) -> list[str]:
        return self.repository.bound(Binding(value, alg), limit)

    def _released(self, alg: str, value: str, limit: int) -> Iterator[Match]:
        if alg in self.watermarks:
            entry = self.verifier.ledger.by_payload(_payload(value))
            if entry is not None and any(mark.alg == alg for mark in entry.marks):
                yield from _matches(entry, None)
        elif alg in self.fingerprints:
            yield from self._near(Algorithm(alg), _decoded(value), limit)

    def _near(self, alg: Algorithm, codes: bytes, limit: int) -> Iterator[Match]:
        if not codes or len(codes) % _CODE_BYTES:
            raise InputError(f"A value of '{alg}' is one or more codes of {_CODE_BYTES} bytes.")
        if len(codes) > _MOST_CODES * _CODE_BYTES:
            raise InputError(
                f"A value of '{alg}' has at most {_MOST_CODES} codes.", "Ask for a part of the recording."
            )
        asked = np.frombuffer(codes, np.uint8).reshape(-1, _CODE_BYTES)
        questions = [Fingerprint(alg, code) for row in asked for code in _around(row.tobytes())]
        for entry in self.verifier.ledger.nearest(questions, limit):
            kept = [each.code for each in self.verifier.ledger.fingerprints(entry.id) if each.alg is alg]
            filed = np.frombuffer(b"".join(kept), np.uint8).reshape(-1, _CODE_BYTES)
            # 0 for codes of two strangers, which differ in half of their bits.
            alike = 1 - float(distances(asked, filed).min()) / (4 * _CODE_BYTES)
            yield from _matches(entry, max(0.0, alike))


def _around(code: bytes) -> Iterator[bytes]:
    """A code, and what it may have been filed under if one bit of its key was turned."""
    yield code
    number = int.from_bytes(code, "big")
    for bit in range(KEY_BITS):
        yield (number ^ 1 << 8 * _CODE_BYTES - 1 - bit).to_bytes(_CODE_BYTES, "big")


def _payload(value: str) -> str:
    """The payload of a mark as 16 hexadecimal digits: written so, as credentials have it, or in base64."""
    if _PAYLOAD.fullmatch(value):
        return value
    raw = _decoded(value)
    if len(raw) == 8:
        return raw.hex()
    text = raw.decode("ascii", "replace")
    if _PAYLOAD.fullmatch(text):
        return text
    raise InputError("This is no value of a mark: give its 8 bytes, or their 16 digits, in base64.")


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("The value of the soft binding is not base64.") from error


def _spellings(payload: str) -> tuple[str, ...]:
    """How a deposited manifest may have written the payload of a mark."""
    raw = bytes.fromhex(payload)
    return payload, *(base64.b64encode(each).decode() for each in (raw, payload.encode()))


def _matches(entry: Entry, similarity: float | None) -> Iterator[Match]:
    if entry.manifest_label is not None:
        yield Match(entry.manifest_label, similarity)


def _first(matches: Iterable[Match], limit: int) -> list[Match]:
    unique: dict[str, Match] = {}
    for match in matches:
        unique.setdefault(match.manifest_id, match)
    return list(unique.values())[:limit]
