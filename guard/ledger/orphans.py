"""Streams whose process died: their rows would wait for an end for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from guard.ledger.entry import Entry, Status, utc_now
from guard.ledger.failures import ledger_errors
from guard.ledger.rows import entries_of
from guard.ledger.store import Ledger
from guard.ledger.tables import releases

__all__ = ["close_orphans"]

_WHY = "its process ended before the stream did"


def close_orphans(ledger: Ledger, older_than: timedelta = timedelta(days=1)) -> list[str]:
    """Record the end of streams that nobody writes any more, as `CUT`; their ids.

    Those are the streams whose process let go of its lock; and where no lock was ever noted, as before the
    log, those that began long ago. What had left of them is not known: size and hash stay as at the start.
    """
    with ledger_errors("The ledger cannot be read"), ledger.engine.connect() as connection:
        query = select(releases).where(releases.c.status == Status.STREAMING.value)
        rows = connection.execute(query.order_by(releases.c.index)).mappings().all()
        found = list(zip(rows, entries_of(connection, rows), strict=True))
    limit = (datetime.now(UTC) - older_than).isoformat(timespec="microseconds").replace("+00:00", "Z")
    writers = {row["writer"] for row, _ in found if row["writer"] is not None}
    gone = {writer for writer in writers if ledger.presence.gone(writer)}
    ends = [_end(e) for row, e in found if _orphaned(row["writer"], gone, e.created_at < limit)]
    if ends:
        ledger.record(ends)
    return [end.id for end in ends]


def _orphaned(writer: int | None, gone: set[int], long_ago: bool) -> bool:
    return long_ago if writer is None else writer in gone


def _end(entry: Entry) -> Entry:
    decision = {**entry.decision, "ended": _WHY}
    return replace(entry, status=Status.CUT, decision=decision, created_at=utc_now())
