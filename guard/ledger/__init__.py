"""What was released: durable records, found again by hash, release id or mark."""

from guard.ledger.entry import Entry, MarkEntry, Receipt, Status
from guard.ledger.store import Ledger

__all__ = ["Entry", "Ledger", "MarkEntry", "Receipt", "Status"]
