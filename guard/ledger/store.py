"""The ledger: records that are durable before any byte leaves, and the look-ups that find them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

from sqlalchemy import Column, ColumnElement, Connection, Engine, RowMapping, create_engine, event, select

from guard.ledger.entry import Entry, MarkEntry, Receipt, Status
from guard.ledger.failures import ledger_errors
from guard.ledger.group import GroupCommit
from guard.ledger.migrate import upgrade
from guard.ledger.tables import manifests, marks, releases, shingles
from guard.ledger.text_sketch import asked
from guard.ledger.write import COLUMNS, write

__all__ = ["Ledger"]

_CANDIDATES = 8

# What left, whole or in part: a block names what it kept back, unless it ended a stream.
_LEFT = (releases.c.size > 0) & (
    releases.c.status.in_([Status.RELEASED.value, Status.CUT.value])
    | ((releases.c.status == Status.BLOCKED.value) & releases.c.completed_at.is_not(None))
)


class Ledger:
    """A registry of releases in SQLite (WAL, every commit synced to disk) or another SQL database.

    Raises `LedgerError` where the database cannot be opened, read or written.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(immediate=True)
        self._commit = GroupCommit(self._write)
        _OPEN.add(self)

    @classmethod
    def open(cls, url: str) -> Ledger:
        """Open the ledger at a SQLAlchemy URL, creating or migrating its tables."""
        with ledger_errors("The ledger cannot be opened"):
            engine = create_engine(url)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _make_durable)
                event.listen(engine, "begin", _begin)
            upgrade(engine)
        return cls(engine)

    def record(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Write all entries, all or none: when this returns they survive a crash.

        An entry whose id is on record as `STREAMING` completes that row, which keeps its index and the time
        at which it began; any other known id is an error. Threads may call it at once: they share a commit.
        """
        return self._commit(entries)

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

    def receipt(self, release_id: str) -> Receipt | None:
        """The receipt of a recorded release."""
        rows = self._rows(select(releases).where(releases.c.id == release_id))
        return Receipt(release_id, rows[0]["index"], rows[0]["created_at"]) if rows else None

    def ping(self) -> None:
        """Raise `LedgerError` if the ledger cannot be read."""
        self._rows(select(releases.c.id).limit(1))

    def close(self) -> None:
        """Let go of the database's connections."""
        self.engine.dispose()

    def _after_fork(self) -> None:
        """The connections are the parent's, and so is whoever was writing."""
        self.engine.dispose(close=False)
        self._commit = GroupCommit(self._write)

    def _write(self, entries: Sequence[Entry]) -> list[Receipt]:
        failing = ledger_errors("The release could not be recorded", "Nothing was released.")
        with failing, self._writer.begin() as connection:
            return write(connection, entries)

    def _marked(self, condition: ColumnElement[bool]) -> list[Entry]:
        rows = self._rows(select(marks.c.release_id).where(condition).distinct())
        found = (self._first(releases.c.id, row["release_id"]) for row in rows)
        return [entry for entry in found if entry is not None]

    def _first(self, column: Column[Any], value: str | int, *, left: bool = True) -> Entry | None:
        query = select(releases).where(column == value).order_by(releases.c.index.desc()).limit(1)
        if left:
            query = query.where(_LEFT)
        rows = self._rows(query)
        return self._entry(rows[0]) if rows else None

    def _entry(self, row: RowMapping) -> Entry:
        release = {name: row[name] for name in COLUMNS}
        mark_rows = self._rows(select(marks).where(marks.c.release_id == row["id"]))
        kept = self._rows(select(manifests).where(manifests.c.release_id == row["id"]))
        release["status"] = Status(release["status"])
        release["marks"] = tuple(
            MarkEntry(m["engine"], m["alg"], m["payload"], m["short_id"]) for m in mark_rows
        )
        return Entry(**release, manifest=kept[0]["manifest"], sketch=kept[0]["sketch"])

    def _rows(self, query: Any) -> Sequence[RowMapping]:
        with ledger_errors("The ledger cannot be read"), self.engine.connect() as connection:
            return connection.execute(query).mappings().all()


def _make_durable(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` opens transactions.
    # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits on power loss, and a release must
    # never be out in the world without its record.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # The driver would open transactions by itself, but not around schema changes, so a crash could leave
    # half a migration. Writers take the lock at once: a reader that turns writer fails when it meets one.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _after_fork() -> None:
    for ledger in _OPEN:
        ledger._after_fork()


_OPEN: WeakSet[Ledger] = WeakSet()
os.register_at_fork(after_in_child=_after_fork)
