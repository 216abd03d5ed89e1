"""Who is streaming: each process holds a lock while it lives, so that others can tell a stream that goes on
from one whose process is gone. The kernel, or the database server, lets go of the lock of whoever dies."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from guard.errors import LedgerError

__all__ = ["Presence", "presence"]


class Presence(Protocol):
    """One process among those that write to a ledger."""

    def claim(self) -> int | None:
        """This process's number, under lock from now on; None where nobody else could look."""
        ...

    def gone(self, writer: int, /) -> bool:
        """Whether the process of that number has ended."""
        ...

    def release(self, *, forked: bool = False) -> None:
        """Let go of the lock; where `forked`, of a child's share in its parent's."""
        ...


def presence(engine: Engine) -> Presence:
    """The one that suits a database: files beside SQLite's, advisory locks in PostgreSQL."""
    if engine.dialect.name == "postgresql":
        return _Sessions(engine)
    database = engine.url.database
    return _Files(Path(f"{database}-writers")) if database and database != ":memory:" else _Alone()


class _Alone:
    """A ledger in memory: it ends with its process."""

    def claim(self) -> None:
        return None

    def gone(self, _writer: int) -> bool:
        return True

    def release(self, *, forked: bool = False) -> None:
        pass


class _Files:
    """A locked file for each process (flock, which works across containers that share the folder)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[int, int] | None = None

    def claim(self) -> int:
        if self._held is None:
            number = secrets.randbits(62)
            try:
                self._folder.mkdir(exist_ok=True)
                descriptor = os.open(self._path(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError as error:
                raise LedgerError(f"{self._folder} cannot be written: {error.strerror}.") from error
            self._held = number, descriptor
        return self._held[0]

    def gone(self, writer: int) -> bool:
        if self._held is not None and self._held[0] == writer:
            return False
        try:
            descriptor = os.open(self._path(writer), os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False  # Another user's: who cannot look must not judge.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        self._path(writer).unlink(missing_ok=True)
        return True

    def release(self, *, forked: bool = False) -> None:
        if self._held is not None:
            if not forked:
                self._path(self._held[0]).unlink(missing_ok=True)
            os.close(self._held[1])
            self._held = None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:016x}"


class _Sessions:
    """An advisory lock for each process, held by a session of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: tuple[int, Connection] | None = None

    def claim(self) -> int:
        if self._held is None:
            number = secrets.randbits(62)
            session = self._engine.connect()
            session.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
            session.commit()
            self._held = number, session
        return self._held[0]

    def gone(self, writer: int) -> bool:
        if self._held is not None and self._held[0] == writer:
            return False
        with self._engine.connect() as session:
            free = session.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": writer})
            return bool(free.scalar())

    def release(self, *, forked: bool = False) -> None:
        if self._held is not None:
            if not forked:
                self._held[1].invalidate()  # Closed for good: the pool would keep the session, and its lock.
                self._held[1].close()
            self._held = None
