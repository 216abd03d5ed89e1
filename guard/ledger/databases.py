"""Connections to the databases that a ledger may live in: SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

from guard.errors import ConfigurationError, MissingExtraError
from guard.ledger.prepared import Prepared

__all__ = ["WRITING", "connect"]

WRITING: dict[str, Any] = {"immediate": True}
"""Execution options of connections that write: their transactions wait for one another from the start."""

_LOCK = 0x67756172646C6F67 >> 1
"""The advisory lock of writers in PostgreSQL: any number, but always the same."""

_READ, _WRITE = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))
_WAIT = Prepared(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def connect(url: str) -> Engine:
    """An engine for a SQLAlchemy URL. Raises `ConfigurationError` for other databases, `MissingExtraError`
    without PostgreSQL's driver."""
    kind = make_url(url).get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            f"A ledger cannot live in {kind}.", "Name sqlite:///… or postgresql+psycopg://…"
        )
    try:
        engine = create_engine(url)
    except ModuleNotFoundError as error:
        raise MissingExtraError("A ledger in PostgreSQL", "postgres") from error
    prepare, begin = (_sqlite, _begin_sqlite) if kind == "sqlite" else (_postgres, _begin_postgres)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin_sqlite` opens transactions.
    # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits on power loss, and a release must
    # never be out in the world without its record. What is deleted is overwritten: it was personal.
    settings = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
    )
    for pragma in settings:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # The driver would open transactions by itself, but not around schema changes, so a crash could leave
    # half a migration. Writers take the lock at once: a reader that turns writer fails when it meets one.
    (_WRITE if _writes(connection) else _READ).rows(connection)


def _postgres(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # whatever the server's default is
    connection.commit()


def _begin_postgres(connection: Connection) -> None:
    # The tree has one end: whoever appends to it waits here for those before, in whichever process.
    if _writes(connection):
        _WAIT.rows(connection)


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("immediate", False))
