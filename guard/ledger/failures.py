"""Database failures, told as the ledger's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from guard.errors import LedgerError

__all__ = ["ledger_errors"]


@contextmanager
def ledger_errors(what: str, remedy: str = "Check GUARD_LEDGER_URL and the disk.") -> Iterator[None]:
    """Turn what the database raises into a `LedgerError` that says `what` failed."""
    try:
        yield
    except (SQLAlchemyError, ArgumentError) as error:
        # The driver's own sentence: SQLAlchemy's str() would repeat the statement and its parameters.
        reason = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
        raise LedgerError(f"{what}: {reason}.", remedy) from error
