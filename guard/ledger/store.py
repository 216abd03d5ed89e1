"""The ledger: records that are durable before any byte leaves, and the look-ups that find them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from sqlalchemy import Column, ColumnElement, Engine, RowMapping, select

from guard.ledger.databases import WRITING, connect
from guard.ledger.entry import Entry, Receipt, Status
from guard.ledger.failures import ledger_errors
from guard.ledger.filing import filed_for, nearest
from guard.ledger.fingerprint import Fingerprint
from guard.ledger.group import GroupCommit
from guard.ledger.log.log import Log
from guard.ledger.log.note import NoteSigner
from guard.ledger.log.tree import append, head
from guard.ledger.migrate import upgrade
from guard.ledger.presence import presence
from guard.ledger.rows import entries_of
from guard.ledger.tables import manifests, marks, releases, shingles
from guard.ledger.text_sketch import asked
from guard.ledger.write import Draft, write

__all__ = ["Ledger"]

_CANDIDATES = 8

# What left, whole or in part: a block names what it kept back, unless it ended a stream.
_LEFT = (releases.c.size > 0) & (
    releases.c.status.in_([Status.RELEASED.value, Status.CUT.value])
    | ((releases.c.status == Status.BLOCKED.value) & releases.c.completed_at.is_not(None))
)


class Ledger:
    """A registry of releases in SQLite (WAL, every commit synced to disk) or PostgreSQL, and the transparency
    log over it; `key` gives what signs the log, and is asked at each record.

    Raises `LedgerError` where the database cannot be opened, read or written.
    """

    def __init__(self, engine: Engine, key: Callable[[], NoteSigner] | None = None) -> None:
        self.engine = engine
        self.log = Log(engine, key)
        self.writer = engine.execution_options(**WRITING)
        self.presence = presence(engine)
        self._commit = GroupCommit(self._write)
        _OPEN.add(self)

    @classmethod
    def open(cls, url: str, key: Callable[[], NoteSigner] | None = None) -> Ledger:
        """Open the ledger at a SQLAlchemy URL, creating or migrating its tables."""
        with ledger_errors("The ledger cannot be opened"):
            engine = connect(url)
            upgrade(engine)
        return cls(engine, key)

    def record(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Write all entries and their leaves of the log, all or none: when this returns they survive a crash.

        An entry whose id is on record as `STREAMING` completes that row, which keeps its index and the time
        at which it began; any other known id is an error. Threads may call it at once: they share a commit.
        """
        if not entries:
            return []
        _ = self.log.signer  # A key that cannot be had is this caller's failure alone.
        return self._commit([Draft.of(entry) for entry in entries])

    def by_id(self, release_id: str) -> Entry | None:
        """The entry with this release id, whatever its status."""
        return self._first(releases.c.id, release_id, left=False)

    def by_sha256(self, sha256: str) -> Entry | None:
        """The latest release of exactly these bytes, or of this text without its manifest."""
        return self._first(releases.c.sha256, sha256) or self._first(releases.c.content_sha256, sha256)

    def by_payload(self, payload: str) -> Entry | None:
        """The release whose mark carries this 64-bit payload (16 hexadecimal digits)."""
        found = self._marked(marks.c.payload == payload)
        return found[0] if found else None

    def by_short_id(self, short_id: int, bits: int = 32) -> list[Entry]:
        """The releases with marks whose payload begins with these `bits` bits, at most 32: more than one is
        possible, and all are returned."""
        spare = 32 - bits
        return self._marked(marks.c.short_id.between(short_id << spare, (short_id + 1 << spare) - 1))

    def by_text(self, sketch: bytes) -> list[Entry]:
        """The releases of texts that share the most, and the rarest, runs of words with a sketched one, the
        likeliest first: eight at most, for `guard.ledger.text_sketch.resemblance` to judge."""
        rows = self._rows(select(shingles).where(shingles.c.shingle.in_(asked(sketch))))
        texts = Counter(row["shingle"] for row in rows)
        votes: dict[int, float] = {}
        for row in rows:
            votes[row["release"]] = votes.get(row["release"], 0.0) + 1 / texts[row["shingle"]]
        likeliest = sorted(votes, key=lambda index: -votes[index])[:_CANDIDATES]
        found = (self._first(releases.c.index, index) for index in likeliest)
        return [entry for entry in found if entry is not None]

    def nearest(self, asked: Sequence[Fingerprint], limit: int = _CANDIDATES) -> list[Entry]:
        """The releases of pictures, sounds and videos whose fingerprints are nearest to those asked for, the
        likeliest first: whether one of them is the same, its sketch must tell."""
        with ledger_errors("The ledger cannot be read"), self.engine.connect() as connection:
            likeliest = nearest(connection, asked, limit)
        found = (self._first(releases.c.index, index) for index in likeliest)
        return [entry for entry in found if entry is not None]

    def fingerprints(self, release_id: str) -> list[Fingerprint]:
        """What a release is filed under."""
        rows = self._rows(select(releases.c.index).where(releases.c.id == release_id))
        with ledger_errors("The ledger cannot be read"), self.engine.connect() as connection:
            return [each for row in rows for each in filed_for(connection, row["index"])]

    def by_manifest(self, label: str) -> Entry | None:
        """The release whose active manifest has this label (its URN)."""
        rows = self._rows(select(manifests.c.release_id).where(manifests.c.label == label))
        return self.by_id(rows[-1]["release_id"]) if rows else None

    def receipt(self, release_id: str) -> Receipt | None:
        """The receipt of a recorded release, as it was given out."""
        columns = (releases.c.index, releases.c.created_at, releases.c.leaf)
        rows = self._rows(select(*columns).where(releases.c.id == release_id))
        if not rows:
            return None
        row = rows[0]
        proof = None if row["leaf"] is None else self.log.inclusion(row["leaf"])
        return Receipt(release_id, row["index"], row["created_at"], proof)

    def ping(self) -> None:
        """Raise `LedgerError` if the ledger cannot be read."""
        self._rows(select(releases.c.id).limit(1))

    def close(self) -> None:
        """Let go of the database's connections."""
        self.presence.release()
        self.engine.dispose()

    def _after_fork(self) -> None:
        """The connections are the parent's, and so is whoever was writing."""
        self.presence.release(forked=True)
        self.engine.dispose(close=False)
        self._commit = GroupCommit(self._write)

    def _write(self, drafts: Sequence[Draft]) -> list[Receipt]:
        streams = any(draft.entry.status is Status.STREAMING for draft in drafts)
        failing = ledger_errors("The release could not be recorded", "Nothing was released.")
        with failing:
            writer = self.presence.claim() if streams else None
            with self.writer.begin() as connection:
                tree = head(connection)
                receipts = write(connection, drafts, first=tree.size, writer=writer)
                proofs = append(connection, tree, [draft.leaf for draft in drafts], self.log.signer)
        return [replace(receipt, inclusion=proof) for receipt, proof in zip(receipts, proofs, strict=True)]

    def _marked(self, condition: ColumnElement[bool]) -> list[Entry]:
        rows = self._rows(select(marks.c.release_id).where(condition).distinct())
        found = (self._first(releases.c.id, row["release_id"]) for row in rows)
        return [entry for entry in found if entry is not None]

    def _first(self, column: Column[Any], value: str | int, *, left: bool = True) -> Entry | None:
        query = select(releases).where(column == value).order_by(releases.c.index.desc()).limit(1)
        if left:
            query = query.where(_LEFT)
        with ledger_errors("The ledger cannot be read"), self.engine.connect() as connection:
            return next(iter(entries_of(connection, connection.execute(query).mappings().all())), None)

    def _rows(self, query: Any) -> Sequence[RowMapping]:
        with ledger_errors("The ledger cannot be read"), self.engine.connect() as connection:
            return connection.execute(query).mappings().all()


def _after_fork() -> None:
    for ledger in _OPEN:
        ledger._after_fork()


_OPEN: WeakSet[Ledger] = WeakSet()
os.register_at_fork(after_in_child=_after_fork)
