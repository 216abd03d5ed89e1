"""Writes entries to the tables: few statements for many entries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, literal_column, select, update

from guard.errors import LedgerError
from guard.ledger.entry import Entry, MarkEntry, Receipt, Status
from guard.ledger.filing import file
from guard.ledger.log.leaf import Leaf, release_leaf
from guard.ledger.prepared import Prepared
from guard.ledger.rows import COLUMNS
from guard.ledger.tables import manifests, marks, releases, shingles
from guard.ledger.text_sketch import filed

__all__ = ["Draft", "write"]

_SET = (*COLUMNS, "leaf", "salt", "writer")
_RELEASE = Prepared(insert(releases), _SET)
_MARK, _MANIFEST = Prepared(insert(marks)), Prepared(insert(manifests))

# What another entry of the same id may complete: a stream, or what was held back for its signature.
_OPEN = (Status.STREAMING, Status.HELD)
_IS_OPEN = releases.c.status.in_([literal_column(f"'{status}'") for status in _OPEN])
_COMPLETE = Prepared(
    update(releases).where((releases.c.id == bindparam("known")) & _IS_OPEN),
    [*(name for name in _SET if name not in ("id", "created_at")), "completed_at"],
)

# A run of words that many texts share says little: once so many are filed under it no more are, which also
# bounds what a look-up has to read.
_POSTINGS = 16
_SHINGLE = Prepared(insert(shingles))
_FULL = (
    select(shingles.c.shingle)
    .where(shingles.c.shingle.in_(bindparam("asked", expanding=True)))
    .group_by(shingles.c.shingle)
    .having(func.count() >= _POSTINGS)
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry on its way into the tables, with its leaf of the log and the leaf's salt."""

    entry: Entry
    leaf: Leaf
    salt: bytes

    @classmethod
    def of(cls, entry: Entry) -> Draft:
        """Raises `LedgerError` for an entry that cannot be written down."""
        return cls(entry, *release_leaf(entry))


def write(
    connection: Connection, drafts: Sequence[Draft], *, first: int, writer: int | None = None
) -> list[Receipt]:
    """Insert the entries, or complete those that are on record as streaming or held; the receipts in order.

    Their leaves are going to stand in the log from `first` on; `writer` is who streams what begins here.
    Raises `LedgerError` or the database's own error where one is on record already.
    """
    entries = [draft.entry for draft in drafts]
    ids = [entry.id for entry in entries]
    ended = [entry for entry in entries if entry.status is not Status.STREAMING]
    ends = {entry.id for entry in ended}
    begun = {place[0] for place in _places(connection, ids) if place[0] in ends and place[3] in _OPEN}
    rows = [_row(draft, first + n, writer) for n, draft in enumerate(drafts)]
    _RELEASE.many(connection, [row for row in rows if row["id"] not in begun])
    if begun:
        _complete(connection, [row for row in rows if row["id"] in begun])
    _MARK.many(connection, [_mark(entry.id, mark) for entry in entries for mark in entry.marks])
    _MANIFEST.many(connection, [_manifest(entry) for entry in entries])
    receipts = {place[0]: Receipt(*place[:3]) for place in _places(connection, ids)}
    # In the order of the table, so that neighbours are written together.
    _file(connection, sorted((s, receipts[entry.id].index) for entry in entries for s in _filed(entry)))
    file(connection, ((receipts[entry.id].index, entry.fingerprints) for entry in ended))
    return [receipts[known] for known in ids]


def _places(connection: Connection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Id, index, time and status of those that are on record."""
    return _asking(len(ids)).rows(connection, **{f"id{n}": known for n, known in enumerate(ids)})


@lru_cache(maxsize=256)
def _asking(count: int) -> Prepared:
    columns = (releases.c.id, releases.c.index, releases.c.created_at, releases.c.status)
    return Prepared(select(*columns).where(releases.c.id.in_([bindparam(f"id{n}") for n in range(count)])))


def _complete(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    # The row keeps the time at which its first byte could leave.
    ends = [dict(row, known=row["id"], completed_at=row["created_at"]) for row in rows]
    if _COMPLETE.many(connection, ends) != len(ends):
        raise LedgerError("The release is complete on record already.", "Record each end once.")
    for table in (marks, manifests):
        connection.execute(delete(table).where(table.c.release_id.in_([end["known"] for end in ends])))


def _row(draft: Draft, leaf: int, writer: int | None) -> dict[str, Any]:
    entry = draft.entry
    values = {name: getattr(entry, name) for name in COLUMNS}
    return values | {
        "status": entry.status.value,
        "decision": json.dumps(dict(entry.decision)),
        "findings": json.dumps([dict(finding) for finding in entry.findings]),
        "leaf": leaf,
        "salt": draft.salt,
        "writer": writer if entry.status is Status.STREAMING else None,
    }


def _mark(release_id: str, mark: MarkEntry) -> dict[str, Any]:
    values = {"engine": mark.engine, "alg": mark.alg, "payload": mark.payload, "short_id": mark.short_id}
    return values | {"release_id": release_id}


def _manifest(entry: Entry) -> dict[str, Any]:
    return {
        "release_id": entry.id,
        "manifest": entry.manifest,
        "sketch": entry.sketch,
        "label": entry.manifest_label,
    }


def _filed(entry: Entry) -> list[int]:
    if entry.modality != "text" or entry.sketch is None or entry.status is Status.STREAMING:
        return []
    return filed(entry.sketch)


def _file(connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """File texts under their shingles: pairs of a shingle and a release's index."""
    if rows:
        full = set(connection.execute(_FULL, {"asked": [shingle for shingle, _ in rows]}).scalars())
        news = [{"shingle": shingle, "release": index} for shingle, index in rows if shingle not in full]
        _SHINGLE.many(connection, news)
