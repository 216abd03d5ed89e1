"""Holds every row of the ledger against its leaf of the log, and the log against its checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, Engine, RowMapping, select

from guard.ledger.audit.deposits import check_deposits
from guard.ledger.audit.records import RecordsAudit
from guard.ledger.audit.report import Report
from guard.ledger.audit.tree import TreeAudit
from guard.ledger.failures import ledger_errors
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.note import VerifierKey
from guard.ledger.tables import log_leaves

__all__ = ["Report", "audit"]

_CHUNK = 512


def audit(
    engine: Engine,
    keys: Sequence[VerifierKey],
    kept: Sequence[Checkpoint] = (),
    progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Check the whole ledger as it is at one moment.

    `keys` are the log's, `kept` checkpoints that were put aside earlier, whose signatures have been checked;
    `progress` is told how many leaves are done. Raises `LedgerError` where the database fails.
    """
    report = Report()
    snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    reading = engine.execution_options(**snapshot)
    with ledger_errors("The ledger cannot be read"), reading.connect() as connection:
        tree, records = TreeAudit(connection, keys, kept, report), RecordsAudit(connection, report)
        for chunk in _leaves(connection):
            tree.take(chunk)
            records.take(chunk)
            progress(report.leaves)
        tree.end()
        records.end()
        check_deposits(connection, report)
    return report


def _leaves(connection: Connection) -> Iterator[Sequence[RowMapping]]:
    last = -1
    query = select(log_leaves).order_by(log_leaves.c.index).limit(_CHUNK)
    while chunk := connection.execute(query.where(log_leaves.c.index > last)).mappings().all():
        yield chunk
        last = int(chunk[-1]["index"])
