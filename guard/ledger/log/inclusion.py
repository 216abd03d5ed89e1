"""The proof that a leaf is in the log, as a receipt carries it, and how it is checked without the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guard.errors import InputError
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.merkle import check_inclusion, leaf_hash
from guard.ledger.log.note import VerifierKey

__all__ = ["Inclusion"]

_MOST = 64  # hashes, enough for any tree


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf (canonical JSON), its place, and the audit path to the root of a checkpoint.

    `checkpoint` is the signed note, empty where the log has no key.
    """

    leaf: str
    index: int
    size: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def as_json(self) -> dict[str, Any]:
        """The part of a receipt that proves."""
        return {
            "leaf": self.leaf,
            "leaf_hash": leaf_hash(self.leaf.encode()).hex(),
            "leaf_index": self.index,
            "tree_size": self.size,
            "inclusion_proof": [each.hex() for each in self.proof],
            "checkpoint": self.checkpoint or None,
        }

    @classmethod
    def from_json(cls, receipt: Mapping[str, Any]) -> Inclusion:
        """From a receipt's JSON. Raises `InputError` where it proves nothing."""
        try:
            leaf, index, size = receipt["leaf"], receipt["leaf_index"], receipt["tree_size"]
            proof = tuple(bytes.fromhex(each) for each in receipt["inclusion_proof"])
            note = receipt["checkpoint"] or ""
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("The receipt is not whole.", "Ask the log again: guard log prove.") from error
        typed = isinstance(leaf, str) and isinstance(note, str) and type(index) is int and type(size) is int
        if not typed or len(proof) > _MOST or any(len(each) != 32 for each in proof):
            raise InputError("The receipt is damaged.", "Ask the log again: guard log prove.")
        return cls(leaf, index, size, proof, note)

    def check(self, keys: Sequence[VerifierKey]) -> Checkpoint:
        """The checkpoint that the leaf is under, signed by one of `keys`. Raises `LedgerError` where
        signature or proof fails, `InputError` where there is no signed checkpoint."""
        checkpoint = Checkpoint.opened(self.checkpoint, keys)
        check_inclusion(
            leaf_hash(self.leaf.encode()), self.index, checkpoint.size, self.proof, checkpoint.root
        )
        return checkpoint

    def facts(self) -> dict[str, Any]:
        """What the leaf states. Raises `InputError` where it is no JSON object."""
        try:
            facts = json.loads(self.leaf)
        except ValueError as error:
            raise InputError("The leaf is no JSON.", "Ask the log again: guard log prove.") from error
        if not isinstance(facts, dict):
            raise InputError("The leaf is no JSON object.", "Ask the log again: guard log prove.")
        return facts
