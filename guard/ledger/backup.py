"""A copy of a SQLite ledger while others read and write it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from guard.errors import InputError, LedgerError
from guard.ledger.store import Ledger

__all__ = ["backup"]


def backup(ledger: Ledger, out: Path) -> None:
    """Write the ledger as it is at one moment to a new file, which is a ledger itself.

    Raises `InputError` where the file is there already or the ledger is no SQLite, `LedgerError` where it
    cannot be copied.
    """
    if ledger.engine.dialect.name != "sqlite":
        raise InputError("PostgreSQL makes its own copies.", "Use: pg_dump --format=custom")
    if out.exists():
        raise InputError(f"{out} is there already.", "Name a new file: a backup never replaces another.")
    raw = ledger.engine.raw_connection()
    try:
        with closing(sqlite3.connect(out)) as copy:
            cast(Any, raw.driver_connection).backup(copy)
    except sqlite3.Error as error:
        out.unlink(missing_ok=True)
        raise LedgerError(f"The ledger cannot be copied to {out}: {error}.", "Check the disk.") from error
    finally:
        raw.close()
