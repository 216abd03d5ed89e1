"""The ledger: records that are durable before any byte leaves, and the look-ups that find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, Engine, RowMapping, create_engine, event, insert, select

from guard.ledger.entry import Entry, MarkEntry, Receipt, Status
from guard.ledger.failures import ledger_errors
from guard.ledger.migrate import upgrade
from guard.ledger.tables import manifests, marks, releases

__all__ = ["Ledger"]

_COLUMNS = tuple(c.name for c in releases.columns if c.name != "index")


class Ledger:
    """A registry of releases in SQLite (WAL, every commit synced to disk) or another SQL database.

    Raises `LedgerError` where the database cannot be opened, read or written.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(immediate=True)

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
        """Write all entries in one transaction: when this returns they survive a crash, all or none."""
        failing = ledger_errors("The release could not be recorded", "Nothing was released.")
        with failing, self._writer.begin() as connection:
            return [_write(connection, entry) for entry in entries]

    def by_id(self, release_id: str) -> Entry | None:
        """The entry with this release id, whatever its status."""
        return self._first(releases.c.id, release_id, None)

    def by_sha256(self, sha256: str) -> Entry | None:
        """The latest release of exactly these bytes, or of this text without its manifest."""
        return self._first(releases.c.sha256, sha256) or self._first(releases.c.content_sha256, sha256)

    def by_payload(self, payload: str) -> Entry | None:
        """The release whose mark carries this 64-bit payload (16 hexadecimal digits)."""
        found = self._marked(marks.c.payload, payload)
        return found[0] if found else None

    def by_short_id(self, short_id: int) -> list[Entry]:
        """The releases whose 32-bit marks carry this id: more than one is possible and all are returned."""
        return self._marked(marks.c.short_id, short_id)

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

    def _marked(self, column: Column[Any], value: str | int) -> list[Entry]:
        rows = self._rows(select(marks.c.release_id).where(column == value).distinct())
        found = (self._first(releases.c.id, row["release_id"]) for row in rows)
        return [entry for entry in found if entry is not None]

    def _first(
        self, column: Column[Any], value: str, status: Status | None = Status.RELEASED
    ) -> Entry | None:
        query = select(releases).where(column == value).order_by(releases.c.index.desc()).limit(1)
        if status is not None:
            query = query.where(releases.c.status == status.value)
        rows = self._rows(query)
        return self._entry(rows[0]) if rows else None

    def _entry(self, row: RowMapping) -> Entry:
        release = {name: row[name] for name in _COLUMNS}
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


def _write(connection: Connection, entry: Entry) -> Receipt:
    values = {name: getattr(entry, name) for name in _COLUMNS}
    values |= {"status": entry.status.value, "findings": [dict(f) for f in entry.findings]}
    result = connection.execute(insert(releases).values(values | {"decision": dict(entry.decision)}))
    for mark in entry.marks:
        connection.execute(insert(marks).values(release_id=entry.id, **asdict(mark)))
    connection.execute(
        insert(manifests).values(release_id=entry.id, manifest=entry.manifest, sketch=entry.sketch)
    )
    return Receipt(entry.id, int(result.inserted_primary_key[0]), entry.created_at)  # type: ignore[index]


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
