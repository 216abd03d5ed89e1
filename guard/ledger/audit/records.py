"""The ledger's rows, held against what the log's leaves tell of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from guard.ledger.audit.report import Report
from guard.ledger.entry import Entry, Status
from guard.ledger.log.leaf import DROPPABLE, FORGOTTEN, PERSONAL, RELEASE, facts_in, facts_of
from guard.ledger.rows import entries_of
from guard.ledger.tables import log_leaves, releases

__all__ = ["RecordsAudit"]

_CHUNK = 512
_OPEN = (Status.STREAMING, Status.HELD)


class RecordsAudit:
    """The rows against their leaves: none rewritten, dropped, moved or slipped in."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._report = report
        self._matched = 0
        self._place = 0
        self._dropped: dict[str, set[str]] = {}

    def take(self, chunk: Sequence[RowMapping]) -> None:
        """The rows that the next leaves tell of."""
        told = [(int(row["index"]), facts_in(row["leaf"])) for row in chunk]
        leaves = [(index, facts) for index, facts in told if facts.get("kind") in (RELEASE, FORGOTTEN)]
        ids = {str(facts.get("id")) for _, facts in leaves}
        rows = self._connection.execute(select(releases).where(releases.c.id.in_(ids))).mappings().all()
        entries = entries_of(self._connection, rows)
        known = {row["id"]: (row, entry) for row, entry in zip(rows, entries, strict=True)}
        for index, facts in leaves:
            row, entry = known.get(str(facts.get("id")), (None, None))
            if row is None or entry is None:
                self._report.found(
                    f"Release {facts.get('id')} was dropped: leaf {index} tells of it, no row does."
                )
            elif facts.get("kind") == FORGOTTEN:
                self._forgotten(row, facts)
            else:
                self._recorded(index, facts, row, entry)

    def _forgotten(self, row: RowMapping, facts: Mapping[str, Any]) -> None:
        dropped = self._dropped.get(row["id"], set())
        dropped -= set(facts.get("fields", ()))
        if row["salt"] is not None:
            self._report.found(f"Release {row['id']} was to be forgotten, and is not.")

    def _recorded(self, index: int, facts: Mapping[str, Any], row: RowMapping, entry: Entry) -> None:
        begins = facts.get("status") in _OPEN
        if begins or row["completed_at"] is None:
            if row["index"] <= self._place:
                self._report.found(f"Release {entry.id} was moved: the log has it in another place.")
            self._place = max(self._place, row["index"])
        if begins and row["leaf"] != index:
            self._begun(index, facts, row)
            return
        if row["leaf"] != index:
            self._report.found(
                f"Release {entry.id} was rewritten: it belongs to leaf {index}, not {row['leaf']}."
            )
            return
        self._matched += 1
        self._compare(facts, row, entry)

    def _begun(self, index: int, facts: Mapping[str, Any], row: RowMapping) -> None:
        """The first leaf of what has another one for its end."""
        if row["leaf"] is None or row["leaf"] < index or facts.get("at") != row["created_at"]:
            self._report.found(f"Release {row['id']} was rewritten: it began otherwise.")

    def _compare(self, facts: Mapping[str, Any], row: RowMapping, entry: Entry) -> None:
        ended = replace(entry, created_at=row["completed_at"] or entry.created_at)
        expected = facts_of(ended, row["salt"])
        wrong = {name for name, value in expected.items() if facts.get(name) != value}
        gone = {name for name in wrong & set(DROPPABLE) if getattr(entry, name) is None}
        if row["salt"] is None:
            wrong |= {name for name in PERSONAL if getattr(entry, name)}
            gone |= set(PERSONAL) - wrong
        if rewritten := sorted(wrong - gone):
            names = ["recorded at" if name == "at" else name for name in rewritten]
            self._report.found(f"Release {entry.id} was rewritten: {', '.join(names)}.")
        if gone:
            self._dropped[entry.id] = gone

    def end(self) -> None:
        """After the last leaf."""
        for known, fields in self._dropped.items():
            if fields:
                self._report.found(
                    f"Release {known} lost {', '.join(sorted(fields))} and the log tells of no reason."
                )
        self._report.rows = self._connection.execute(select(func.count()).select_from(releases)).scalar() or 0
        if self._report.rows != self._matched:
            self._strangers()

    def _strangers(self) -> None:
        """Name the rows that no leaf tells of."""
        last = 0
        query = (
            select(releases.c.index, releases.c.id, releases.c.leaf).order_by(releases.c.index).limit(_CHUNK)
        )
        while rows := self._connection.execute(query.where(releases.c.index > last)).mappings().all():
            last = int(rows[-1]["index"])
            asked = select(log_leaves).where(log_leaves.c.index.in_([row["leaf"] for row in rows]))
            told = {
                r["index"]: facts_in(r["leaf"]).get("id") for r in self._connection.execute(asked).mappings()
            }
            for row in rows:
                if told.get(row["leaf"]) != row["id"]:
                    self._report.found(f"Release {row['id']} was slipped in: no leaf of the log tells of it.")
