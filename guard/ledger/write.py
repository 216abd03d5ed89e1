"""Writes entries to the tables: few statements for many entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, select, update

from guard.errors import LedgerError
from guard.ledger.entry import Entry, MarkEntry, Receipt, Status, utc_now
from guard.ledger.tables import manifests, marks, releases, shingles
from guard.ledger.text_sketch import filed

__all__ = ["COLUMNS", "write"]

# Built once: to build and to key a statement takes SQLAlchemy longer than to run it.
_RELEASE, _MARK, _MANIFEST = insert(releases), insert(marks), insert(manifests)
COLUMNS = tuple(c.name for c in releases.columns if c.name not in ("index", "completed_at"))

_STREAMING = releases.c.status == Status.STREAMING.value
_IDS = releases.c.id.in_(bindparam("ids", expanding=True))
_BEGUN = select(releases.c.id).where(_IDS & _STREAMING)
_PLACES = select(releases.c.id, releases.c.index, releases.c.created_at).where(_IDS)
_COMPLETE = update(releases).where((releases.c.id == bindparam("known")) & _STREAMING)

# A run of words that many texts share says little: once so many are filed under it no more are, which also
# bounds what a look-up has to read.
_POSTINGS = 16
_SHINGLE = insert(shingles)
_FULL = (
    select(shingles.c.shingle)
    .where(shingles.c.shingle.in_(bindparam("asked", expanding=True)))
    .group_by(shingles.c.shingle)
    .having(func.count() >= _POSTINGS)
)


def write(connection: Connection, entries: Sequence[Entry]) -> list[Receipt]:
    """Insert `entries`, or complete those that are on record as streaming; the receipts in their order.

    Raises `LedgerError` or the database's own error where one is on record already.
    """
    ids = [entry.id for entry in entries]
    ends = [entry.id for entry in entries if entry.status is not Status.STREAMING]
    begun = set(connection.execute(_BEGUN, {"ids": ends}).scalars())
    _many(connection, _RELEASE, (_row(entry) for entry in entries if entry.id not in begun))
    if begun:
        _complete(connection, [entry for entry in entries if entry.id in begun])
    _many(connection, _MARK, (_mark(entry.id, mark) for entry in entries for mark in entry.marks))
    parts = ({"release_id": e.id, "manifest": e.manifest, "sketch": e.sketch} for e in entries)
    _many(connection, _MANIFEST, parts)
    receipts = {row[0]: Receipt(*row) for row in connection.execute(_PLACES, {"ids": ids})}
    # In the order of the table, so that neighbours are written together.
    _file(connection, sorted((s, receipts[entry.id].index) for entry in entries for s in _filed(entry)))
    return [receipts[known] for known in ids]


def _complete(connection: Connection, entries: Sequence[Entry]) -> None:
    ended = utc_now()
    rows = [_row(entry) | {"known": entry.id, "completed_at": ended} for entry in entries]
    for row in rows:
        del row["id"], row["created_at"]  # The row keeps the time at which its first byte could leave.
    if connection.execute(_COMPLETE, rows).rowcount != len(entries):
        raise LedgerError("The stream is complete on record already.", "Record each stream's end once.")
    for table in (marks, manifests):
        connection.execute(delete(table).where(table.c.release_id.in_([entry.id for entry in entries])))


def _row(entry: Entry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in COLUMNS}
    decision, findings = dict(entry.decision), [dict(finding) for finding in entry.findings]
    return values | {"status": entry.status.value, "decision": decision, "findings": findings}


def _mark(release_id: str, mark: MarkEntry) -> dict[str, Any]:
    values = {"engine": mark.engine, "alg": mark.alg, "payload": mark.payload, "short_id": mark.short_id}
    return values | {"release_id": release_id}


def _filed(entry: Entry) -> list[int]:
    if entry.modality != "text" or entry.sketch is None or entry.status is Status.STREAMING:
        return []
    return filed(entry.sketch)


def _file(connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """File texts under their shingles: pairs of a shingle and a release's index."""
    if rows:
        full = set(connection.execute(_FULL, {"asked": [shingle for shingle, _ in rows]}).scalars())
        news = ({"shingle": shingle, "release": index} for shingle, index in rows if shingle not in full)
        _many(connection, _SHINGLE, news)


def _many(connection: Connection, statement: Executable, rows: Iterable[Mapping[str, Any]]) -> None:
    if listed := list(rows):
        connection.execute(statement, listed)
