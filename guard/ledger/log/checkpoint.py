"""Checkpoints (c2sp.org/tlog-checkpoint): a log's origin, size and root, as a note that its key signs."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from guard.errors import InputError, LedgerError
from guard.ledger.log.note import PLAIN, Note, VerifierKey

__all__ = ["Checkpoint"]

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log's operator signs: so many leaves, under this root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From a note's text; lines that extend it are passed over. Raises `InputError`."""
        origin, *lines = text.split("\n")
        root = _root(lines[1]) if len(lines) >= 3 else b""
        if not origin or len(root) != 32 or not _SIZE.fullmatch(lines[0]):
            raise InputError("This is no checkpoint.", "It names origin, size and root, a line each.")
        return cls(origin, int(lines[0]), root)

    @classmethod
    def opened(cls, note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
        """The checkpoint in a note that one of `keys` signed. Raises `LedgerError`, or `InputError` where the
        note is none."""
        parsed = Note.parse(note)
        checkpoint = cls.parse(parsed.text)
        if not any(key.name == checkpoint.origin and key.kind == PLAIN for key in parsed.signers(keys)):
            named = ", ".join(sorted({key.name for key in keys})) or "none"
            raise LedgerError(
                f"No key that counts ({named}) signed this checkpoint of {checkpoint.origin!r}.",
                "Check against the log's own public key: `guard log key` shows it.",
            )
        return checkpoint


def _root(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
