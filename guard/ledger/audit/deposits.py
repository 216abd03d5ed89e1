"""The manifest stores that others deposited, held against what the log's leaves tell of them."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select

from guard.ledger.audit.report import Report
from guard.ledger.log.leaf import DEPOSIT, facts_in
from guard.ledger.tables import deposits, log_leaves

__all__ = ["check_deposits"]

_CHUNK = 64


def check_deposits(connection: Connection, report: Report) -> None:
    """Each store that is still kept: whoever deposited one may take it back, and the log keeps its hash."""
    query = select(deposits.c.id, deposits.c.manifest, deposits.c.leaf, log_leaves.c.leaf.label("told"))
    query = query.join(log_leaves, deposits.c.leaf == log_leaves.c.index, isouter=True)
    last = ""
    step = query.order_by(deposits.c.id).limit(_CHUNK)
    while rows := connection.execute(step.where(deposits.c.id > last)).all():
        last = rows[-1].id
        for row in rows:
            facts = facts_in(row.told or "")
            own = {"kind": DEPOSIT, "id": row.id, "manifest": hashlib.sha256(row.manifest).hexdigest()}
            if facts | own != facts:
                report.found(f"Deposited manifest {row.id} was rewritten or slipped in: no leaf tells of it.")
