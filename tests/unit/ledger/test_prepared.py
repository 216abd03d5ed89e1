"""Statements that go to the driver as they are: the same in both databases, failing as SQLAlchemy's do."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from guard.errors import LedgerError
from guard.ledger.failures import ledger_errors
from guard.ledger.prepared import Prepared
from guard.ledger.tables import deposits
from tests.unit.ledger.conftest import Logged

PUT = Prepared(insert(deposits), ["id", "manifest", "leaf", "created_at"])
ALL = Prepared(select(deposits.c.id, deposits.c.manifest, deposits.c.caller).order_by(deposits.c.id))
ONE = Prepared(select(deposits.c.leaf).where(deposits.c.id == bindparam("known")))


def row(name: str) -> dict[str, object]:
    return {"id": name, "manifest": name.encode(), "leaf": 7, "created_at": "now"}


def test_rows_go_in_and_come_out(logged: Logged) -> None:
    with logged.ledger.writer.begin() as connection:
        assert PUT.many(connection, [row("a"), row("né")]) == 2
        assert ALL.rows(connection) == [("a", b"a", None), ("né", "né".encode(), None)]
    with logged.ledger.engine.connect() as connection:
        assert ONE.rows(connection, known="a") == [(7,)]
        assert ONE.rows(connection, known="b") == []


def test_it_tells_how_many_rows_it_changed(logged: Logged) -> None:
    call = Prepared(update(deposits).where(deposits.c.id == bindparam("known")), ["caller"])
    with logged.ledger.writer.begin() as connection:
        PUT.many(connection, [row("a"), row("b")])
        assert call.many(connection, [{"known": name, "caller": "me"} for name in ("a", "b", "c")]) == 2
        assert [found[2] for found in ALL.rows(connection)] == ["me", "me"]


def test_no_rows_are_no_statement(logged: Logged) -> None:
    with logged.ledger.writer.begin() as connection:
        assert Prepared(text("no SQL at all")).many(connection, []) == 0


def test_what_fails_leaves_nothing_behind(logged: Logged) -> None:
    with pytest.raises(DBAPIError) as caught, logged.ledger.writer.begin() as connection:
        PUT.many(connection, [row("a"), row("a")])
    assert caught.value.orig is not None
    with logged.ledger.engine.connect() as connection:
        assert ALL.rows(connection) == []


def test_a_query_that_fails_is_the_ledgers_own_error(logged: Logged) -> None:
    with (
        pytest.raises(LedgerError, match="nowhere"),
        ledger_errors("It cannot be read"),
        logged.ledger.engine.connect() as connection,
    ):
        Prepared(text("SELECT 1 FROM nowhere")).rows(connection)


def test_it_is_part_of_the_transaction_around_it(logged: Logged) -> None:
    with logged.ledger.writer.connect() as connection:
        with connection.begin() as transaction:
            PUT.many(connection, [row("a")])
            transaction.rollback()
        assert ALL.rows(connection) == []
