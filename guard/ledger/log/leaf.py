"""What the log keeps of a record: canonical JSON with nothing personal in it but salted hashes.

Whoever holds the record and its salt can show that the leaf tells of it; once the salt is dropped, nobody can
find out from the leaf who called, with which prompt, and what the detectors saw in the words.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from guard.errors import LedgerError
from guard.ledger.entry import Entry, utc_now
from guard.ledger.log.jcs import canonical
from guard.ledger.log.merkle import leaf_hash

__all__ = [
    "FORGOTTEN",
    "PERSONAL",
    "RELEASE",
    "Leaf",
    "deposit_leaf",
    "facts_in",
    "facts_of",
    "forgotten_leaf",
    "release_leaf",
    "salted",
]

RELEASE, FORGOTTEN, DEPOSIT = "release", "forgotten", "deposit"
PERSONAL = ("caller", "findings", "prompt_sha256")
"""What a record may tell of a person: in the leaf under a salt, and dropped on demand."""
DROPPABLE = (*PERSONAL, "manifest", "manifest_label", "sketch")
"""What a request to forget may take out of a record."""
_PLAIN = (
    "id",
    "modality",
    "mime",
    "sha256",
    "content_sha256",
    "size",
    "model",
    "model_version",
    "policy",
    "policy_sha256",
    "action",
    "rule",
    "manifest_label",
)
_SALT_BYTES = 16
_MOST_BYTES = (1 << 16) - 1  # what a bundle of c2sp.org/tlog-tiles holds
_VERSION = 1
_TEXT = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as it goes into the tree: canonical JSON and the RFC 6962 hash of its bytes."""

    text: str
    hash: bytes

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Leaf:
        """The leaf that states `facts`: names and values of strings, whole numbers and lists of such."""
        # No fractions are in here, and names are ASCII: so this is RFC 8785 already.
        text = _TEXT.encode(facts)
        return cls(text, leaf_hash(text.encode()))


def release_leaf(entry: Entry) -> tuple[Leaf, bytes]:
    """The leaf of a record and a fresh salt, which the record keeps. Raises `LedgerError` for what no
    database and no JSON can hold."""
    salt = os.urandom(_SALT_BYTES)
    try:
        leaf = Leaf.of(facts_of(entry, salt))
        if len(leaf.text) * 4 > _MOST_BYTES and len(leaf.text.encode()) > _MOST_BYTES:
            raise ValueError("its names are too long")
        return leaf, salt
    except ValueError as error:  # UnicodeError is one
        reason = "it holds half a character" if isinstance(error, UnicodeError) else str(error)
        raise LedgerError(f"The release could not be recorded: {reason}.", "Nothing was released.") from error


def facts_of(entry: Entry, salt: bytes | None) -> dict[str, Any]:
    """What the leaf of a record states; without its salt all but the personal part."""
    facts = {name: getattr(entry, name) for name in _PLAIN}
    facts |= {
        "v": _VERSION,
        "kind": RELEASE,
        "status": entry.status.value,
        "at": entry.created_at,
        "decision": _sha256(_bytes(entry.decision)),
        "manifest": _sha256(entry.manifest),
        "sketch": _sha256(entry.sketch),
        "marks": [
            {"engine": m.engine, "alg": m.alg, "payload": m.payload, "short_id": m.short_id}
            for m in sorted(entry.marks, key=lambda mark: mark.engine)
        ],
    }
    if salt is None:
        return facts
    return facts | {name: salted(salt, name, getattr(entry, name)) for name in PERSONAL}


def forgotten_leaf(release_id: str, fields: Collection[str]) -> Leaf:
    """The leaf that tells which fields of a record were dropped, and when."""
    facts = {"v": _VERSION, "kind": FORGOTTEN, "id": release_id, "fields": sorted(fields), "at": utc_now()}
    return Leaf.of(facts)


def deposit_leaf(manifest_id: str, manifest: bytes) -> Leaf:
    """The leaf that tells of a manifest store which others deposited, and when."""
    facts = {
        "v": _VERSION,
        "kind": DEPOSIT,
        "id": manifest_id,
        "manifest": _sha256(manifest),
        "at": utc_now(),
    }
    return Leaf.of(facts)


def facts_in(leaf: str) -> dict[str, Any]:
    """What a leaf states; nothing where it is no JSON object."""
    try:
        facts = json.loads(leaf)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def salted(salt: bytes, name: str, value: Any) -> str | None:
    """HMAC-SHA256 under the salt of the field's name, a zero byte and its canonical JSON; None of None."""
    if value is None:
        return None
    return hmac.digest(salt, name.encode() + b"\0" + _bytes(value), "sha256").hex()


def _bytes(value: Any) -> bytes:
    # What an upstream sent may hold half a character; it has a hash all the same.
    return canonical(value).encode("utf-8", "surrogatepass")


def _sha256(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
