"""Logs what a ledger held before it had a log: rows of migration 0003, in the order of their index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from guard.ledger.log.leaf import Leaf, release_leaf
from guard.ledger.log.tree import append, head
from guard.ledger.rows import entries_of
from guard.ledger.tables import releases

__all__ = ["log_all"]

_CHUNK = 500
_PLACE = update(releases).where(releases.c.index == bindparam("at"))


def log_all(connection: Connection) -> None:
    """Append a leaf for every release. The checkpoints stay unsigned: the next record signs over them."""
    last = 0
    while rows := connection.execute(_after(last)).mappings().all():
        last = rows[-1]["index"]
        tree, leaves, places = head(connection), list[Leaf](), []
        for row, entry in zip(rows, entries_of(connection, rows), strict=True):
            leaf, salt = release_leaf(replace(entry, created_at=row["completed_at"] or entry.created_at))
            places.append({"at": row["index"], "leaf": tree.size + len(leaves), "salt": salt})
            leaves.append(leaf)
        append(connection, tree, leaves, None)
        connection.execute(_PLACE, places)


def _after(index: int) -> Select[Any]:
    return select(releases).where(releases.c.index > index).order_by(releases.c.index).limit(_CHUNK)
