"""The log by itself, held against the hashes and checkpoints that are kept of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, select

from guard.errors import GuardError
from guard.ledger.audit.report import Report
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.merkle import Frontier, Place, leaf_hash
from guard.ledger.log.note import VerifierKey
from guard.ledger.log.tree import HEIGHT
from guard.ledger.tables import log_checkpoints, log_nodes

__all__ = ["TreeAudit"]


class TreeAudit:
    """The log by itself: no leaf changed or gone, and every checkpoint over just these leaves."""

    def __init__(
        self, connection: Connection, keys: Sequence[VerifierKey], kept: Sequence[Checkpoint], report: Report
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._kept = sorted(kept, key=lambda each: each.size)
        self._report = report
        self._tree = Frontier()
        self._whole = True
        self._made: dict[Place, bytes] = {}

    def take(self, chunk: Sequence[RowMapping]) -> None:
        """The next leaves."""
        first, last = self._tree.size, int(chunk[-1]["index"])
        checkpoints = self._checkpoints(first, last)
        for row in chunk:
            self._report.leaves += 1
            if self._whole and row["index"] != self._tree.size:
                self._whole = False
                self._report.found(f"Leaf {self._tree.size} of the log is missing.")
            self._append(row)
            if self._whole:
                self._compare(checkpoints.get(self._tree.size))
        if self._whole:
            self._nodes()

    def _append(self, row: RowMapping) -> None:
        own = leaf_hash(row["leaf"].encode())
        if own != row["hash"]:
            self._report.found(f"Leaf {row['index']} of the log was rewritten: its hash does not fit.")
        for (level, index), value in self._tree.append(own):
            if level and level % HEIGHT == 0:
                self._made[level, index] = value

    def _checkpoints(self, first: int, last: int) -> dict[int, RowMapping]:
        query = select(log_checkpoints).where(log_checkpoints.c.size.between(first + 1, last + 1))
        return {row["size"]: row for row in self._connection.execute(query).mappings()}

    def _compare(self, row: RowMapping | None) -> None:
        size = self._tree.size
        while self._kept and self._kept[0].size == size:
            if self._kept.pop(0).root != self._tree.root():
                self._report.found(f"The first {size} leaves are not those of the checkpoint that was kept.")
        if row is None:
            return
        self._report.checkpoints += 1
        if row["root"] != self._tree.root() or row["frontier"] != self._tree.dump():
            self._report.found(f"The checkpoint of {size} leaves is not of these leaves.")
        elif row["note"]:
            self._signature(row)

    def _signature(self, row: RowMapping) -> None:
        try:
            signed = Checkpoint.opened(row["note"], self._keys)
        except GuardError as error:
            self._report.found(f"The checkpoint of {row['size']} leaves: {error.message}")
            return
        if (signed.size, signed.root) != (row["size"], row["root"]):
            self._report.found(f"The note of the checkpoint of {row['size']} leaves is of another tree.")
        self._report.signed = signed.size

    def _nodes(self) -> None:
        """The nodes that were completed, against those that are kept."""
        for (level, index), value in self._made.items():
            query = select(log_nodes.c.hash).where(
                (log_nodes.c.level == level) & (log_nodes.c.index == index)
            )
            if self._connection.execute(query).scalar() != value:
                self._report.found(f"Node {index} of level {level} of the log is missing or was rewritten.")
        self._made.clear()

    def end(self) -> None:
        """After the last leaf."""
        report = self._report
        report.root = self._tree.root()
        report.problems += [
            f"The log was cut short: the checkpoint kept is of {each.size} leaves, there are {report.leaves}."
            for each in self._kept
            if each.size > report.leaves
        ]
        newest = self._connection.execute(select(func.max(log_checkpoints.c.size))).scalar() or 0
        if newest != report.leaves:
            report.found(f"The log has {report.leaves} leaves, but its newest checkpoint is of {newest}.")
        elif report.signed != report.leaves and self._whole:
            report.found(f"No valid signature covers the leaves from {report.signed} on.")
