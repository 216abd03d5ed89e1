"""What ties a manifest to the bytes of a file: `c2pa.hash.data` (C2PA 2.4 §18.5)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["LABEL", "MISMATCH", "Binding", "Hole"]

LABEL = "c2pa.hash.data"
MISMATCH = "assertion.dataHash.mismatch"
"""The status of a file that is another than the manifest's."""
_ALGORITHM = "sha256"
_ALGORITHMS = frozenset({_ALGORITHM, "sha384", "sha512"})
"""What C2PA 2.4 §13.1 permits."""


@dataclass(frozen=True, slots=True)
class Hole:
    """The bytes of a file that hold its manifest, which the manifest's own hash cannot cover."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Binding:
    """The hash of all bytes of a file but those in the holes."""

    algorithm: str
    digest: bytes
    holes: tuple[Hole, ...]

    @classmethod
    def of(cls, parts: Iterable[bytes], *holes: Hole) -> Binding:
        """The tie to a file whose bytes outside the holes are `parts`, one after the other."""
        return cls(_ALGORITHM, _hash(_ALGORITHM, parts), holes)

    @classmethod
    def stated(cls, manifest: Any) -> Binding | None:
        """The tie that a manifest states (crJSON); None where it states none of this kind, or a bad one."""
        try:
            data = manifest["assertions"][LABEL]
            digest = base64.b64decode(data["hash"].removeprefix("b64'").rstrip("'"), validate=True)
            holes = [Hole(int(each["start"]), int(each["length"])) for each in data.get("exclusions") or ()]
            return cls(str(data.get("alg") or manifest["claim.v2"]["alg"]), digest, tuple(holes))
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    @property
    def assertion(self) -> dict[str, Any]:
        """The assertion that states it, as c2pa-rs takes it."""
        data = {
            "exclusions": [{"start": hole.start, "length": hole.length} for hole in self.holes],
            "name": "jumbf manifest",
            "alg": self.algorithm,
            "hash": list(self.digest),
            "pad": [],
        }
        return {"label": LABEL, "created": True, "data": data}

    def fits(self, parts: Iterable[bytes]) -> bool:
        """Whether the file's bytes outside the holes are these."""
        return self.algorithm in _ALGORITHMS and _hash(self.algorithm, parts) == self.digest


def _hash(algorithm: str, parts: Iterable[bytes]) -> bytes:
    hasher = hashlib.new(algorithm)
    for part in parts:
        hasher.update(part)
    return hasher.digest()
