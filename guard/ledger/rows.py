"""Rows of the tables as entries, many with a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from guard.ledger.entry import Entry, MarkEntry, Status
from guard.ledger.tables import manifests, marks, releases

__all__ = ["COLUMNS", "entries_of"]

_OTHERS = ("index", "completed_at", "leaf", "salt", "writer")
COLUMNS = tuple(column.name for column in releases.columns if column.name not in _OTHERS)
"""The columns of `releases` that are fields of an entry."""


def entries_of(connection: Connection, rows: Sequence[RowMapping]) -> list[Entry]:
    """The entries of rows of `releases`, in their order, with marks and manifests."""
    ids = [row["id"] for row in rows]
    marked: dict[str, list[MarkEntry]] = defaultdict(list)
    for mark in connection.execute(select(marks).where(marks.c.release_id.in_(ids))):
        marked[mark.release_id].append(MarkEntry(mark.engine, mark.alg, mark.payload, mark.short_id))
    kept = {
        k.release_id: k for k in connection.execute(select(manifests).where(manifests.c.release_id.in_(ids)))
    }
    return [_entry(row, tuple(marked[row["id"]]), kept.get(row["id"])) for row in rows]


def _entry(row: RowMapping, found: tuple[MarkEntry, ...], kept: object) -> Entry:
    release: dict[str, Any] = {name: row[name] for name in COLUMNS} | {
        "status": Status(row["status"]),
        "marks": found,
    }
    for field, column in (("manifest", "manifest"), ("sketch", "sketch"), ("manifest_label", "label")):
        release[field] = getattr(kept, column, None)
    return Entry(**release)
