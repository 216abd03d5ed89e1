"""What was released: durable records, found again by hash, mark or content."""

from guard.ledger.entry import Entry, MarkEntry, Receipt, Status
from guard.ledger.likeness import Likeness
from guard.ledger.store import Ledger

__all__ = ["Entry", "Ledger", "Likeness", "MarkEntry", "Receipt", "Status"]
