"""Statements for the driver itself: SQLAlchemy takes several times longer over one than SQLite does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

__all__ = ["Prepared"]

# So that both drivers take values by name.
_SQLITE = sqlite.dialect(paramstyle="named")


class Prepared:
    """A statement, compiled once for each kind of database.

    Values go to the driver as they are: JSON has to be text already. `columns` are those that an INSERT or
    UPDATE sets, all of the table where they are not given. Raises as SQLAlchemy where the database fails.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, str] = {}

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds; nothing where the statement is none."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._text(connection.dialect), values)
            return list(cursor.fetchall())
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(None, None, error) from error
        finally:
            cursor.close()

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it with each of `rows`, if there are any, in the transaction that the connection has begun; how
        many rows of the table that changed."""
        if not rows:
            return 0
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(self._text(connection.dialect), rows)
            return cursor.rowcount
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(None, None, error) from error
        finally:
            cursor.close()

    def _text(self, dialect: Dialect) -> str:
        if dialect.name not in self._compiled:
            named = _SQLITE if dialect.name == "sqlite" else dialect
            self._compiled[dialect.name] = str(
                self._statement.compile(dialect=named, column_keys=self._columns)
            )
        return self._compiled[dialect.name]
