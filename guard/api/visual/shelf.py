"""Files that were released for an upstream's media, kept so that the next download is the same release."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from guard.ledger import Ledger
from guard.media import Artifact, Limits

__all__ = ["Kept", "Shelf", "Source"]

Source = tuple[str, ...]
"""What something was made from: where it lay upstream, and under which policy it was released."""


class Kept(NamedTuple):
    """A release that is still here."""

    release_id: str
    artifact: Artifact


@dataclass(frozen=True)
class Shelf:
    """The files in `folder`, at most `max_bytes` of them: those asked for least recently go first.

    A file's name is a hash of its source and variant, and its release is the one that the ledger has under
    the file's own hash: what the ledger does not know is not served, whoever put it there. Any number of
    processes may share the folder; each file is complete or absent.
    """

    folder: Path
    ledger: Ledger
    max_bytes: int = 1 << 30
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary, repr=False)

    def turn(self, source: Source, variant: str) -> asyncio.Lock:
        """Who holds it may find or make this file, so that two who come at once get one release."""
        return self._turns.setdefault(self._path(source, variant).name, asyncio.Lock())

    def find(self, source: Source, variant: str, limits: Limits) -> Kept | None:
        """What was released for this variant of `source`; None where it is not here any more."""
        path = self._path(source, variant)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        entry = self.ledger.by_sha256(hashlib.sha256(data).hexdigest())
        return None if entry is None else Kept(entry.id, Artifact.from_bytes(data, limits=limits))

    def keep(self, source: Source, variant: str, artifact: Artifact) -> None:
        """Remember what was released. Where the disk is full or read-only, the next download is another."""
        new = self.folder / f"new-{secrets.token_hex(8)}"
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            new.write_bytes(artifact.data)
            new.replace(self._path(source, variant))
            self._make_room()

    def forget(self, source: Source) -> None:
        """Drop all variants of `source`."""
        for path in self.folder.glob(f"{_hash(source)}-*"):
            path.unlink(missing_ok=True)

    def _path(self, source: Source, variant: str) -> Path:
        return self.folder / f"{_hash(source)}-{_hash((variant,))}"

    def _make_room(self) -> None:
        files = [(path.stat(), path) for path in self.folder.iterdir()]
        total = 0
        for stat, path in sorted(files, key=lambda each: each[0].st_mtime_ns, reverse=True):
            total += stat.st_size
            if total > self.max_bytes:
                path.unlink(missing_ok=True)


def _hash(words: Source) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]
