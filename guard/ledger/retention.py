"""Forgetting: personal data leave the ledger on demand or after a time, and the log stays verifiable.

What goes is the caller, the hash of the prompt and what the detectors saw, and the salt without which the
log's leaf says nothing of them; with `content` also manifest, sketch and whatever else a copy could be found
by. Each release that is forgotten gets a leaf that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, or_, select, update

from guard.errors import InputError
from guard.ledger.entry import Status
from guard.ledger.failures import ledger_errors
from guard.ledger.log.leaf import DROPPABLE, PERSONAL, forgotten_leaf
from guard.ledger.log.tree import append, head
from guard.ledger.store import Ledger
from guard.ledger.tables import fingerprints, manifests, releases, shingles

__all__ = ["forget_caller", "forget_release", "prune"]

_CHUNK = 500
_NOTHING: dict[str, Any] = {"caller": None, "prompt_sha256": None, "findings": [], "salt": None}
_NO_CONTENT = {"manifest": None, "sketch": None, "label": None}
_CONTENT = (manifests.c.manifest.is_not(None)) | (manifests.c.sketch.is_not(None))


def forget_release(ledger: Ledger, release_id: str, *, content: bool = False) -> int:
    """Forget one release: 1, or 0 where that was done already. Raises `InputError` where there is no such
    release, or it is still streaming."""
    entry = ledger.by_id(release_id)
    if entry is None:
        raise InputError(f"No release has the id {release_id[:32]!r}.", "See the receipt.")
    if entry.status is Status.STREAMING:
        raise InputError("This release is still streaming.", "Ask again once it has ended.")
    return _forget(ledger, releases.c.id == release_id, content)


def forget_caller(ledger: Ledger, caller: str, *, content: bool = False) -> int:
    """Forget all that a caller released or was refused; how many records that changed."""
    return _forget(ledger, releases.c.caller == caller, content)


def prune(ledger: Ledger, days: int, *, content: bool = False) -> int:
    """Forget what is older than so many days; how many records that changed."""
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    return _forget(ledger, releases.c.created_at < before.replace("+00:00", "Z"), content)


def _forget(ledger: Ledger, which: ColumnElement[bool], content: bool) -> int:
    holds: ColumnElement[bool] = releases.c.salt.is_not(None)
    if content:
        holds = or_(holds, releases.c.id.in_(select(manifests.c.release_id).where(_CONTENT)))
    query = select(releases.c.id, releases.c.index).where(which & holds)
    query = query.where(releases.c.status != Status.STREAMING.value).limit(_CHUNK)
    done = 0
    with ledger_errors("The ledger cannot forget"):
        while count := _chunk(ledger, query, content):
            done += count
        _overwrite(ledger)
    return done


def _chunk(ledger: Ledger, query: Select[Any], content: bool) -> int:
    with ledger.writer.begin() as connection:
        rows = connection.execute(query).mappings().all()
        if rows:
            _drop(connection, rows, content)
            leaves = [forgotten_leaf(row["id"], DROPPABLE if content else PERSONAL) for row in rows]
            append(connection, head(connection), leaves, ledger.log.signer)
    return len(rows)


def _drop(connection: Connection, rows: Sequence[RowMapping], content: bool) -> None:
    ids = [row["id"] for row in rows]
    connection.execute(update(releases).where(releases.c.id.in_(ids)).values(_NOTHING))
    if content:
        connection.execute(update(manifests).where(manifests.c.release_id.in_(ids)).values(_NO_CONTENT))
        for table in (shingles, fingerprints):
            connection.execute(delete(table).where(table.c.release.in_([row["index"] for row in rows])))


def _overwrite(ledger: Ledger) -> None:
    """SQLite keeps former pages in its write-ahead log until that is written back."""
    if ledger.engine.dialect.name == "sqlite":
        raw = ledger.engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()
