"""Ledgers with a log of their own, in both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from guard.ledger import Ledger
from guard.ledger.log.note import NoteSigner, VerifierKey, new_key

SIGNER = NoteSigner(new_key("example.com/log"))


class Logged:
    """A ledger whose log is signed, and what an attacker who owns the database can do to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ledger = Ledger.open(url, lambda: SIGNER)
        self.keys: tuple[VerifierKey, ...] = (SIGNER.verifier,)

    def tamper(self, *statements: str) -> None:
        """Run SQL with the triggers out of the way."""
        postgres = self.ledger.engine.dialect.name == "postgresql"
        with self.ledger.engine.begin() as connection:
            if postgres:
                connection.execute(text("SET session_replication_role = replica"))
            else:
                query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                triggers = connection.execute(text(query)).all()
                for name, _ in triggers:
                    connection.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                connection.execute(text(statement))
            if postgres:
                connection.execute(text("SET session_replication_role = DEFAULT"))
            else:
                for _, sql in triggers:
                    connection.execute(text(sql))


@pytest.fixture
def logged(ledger_url: str) -> Iterator[Logged]:
    made = Logged(ledger_url)
    yield made
    made.ledger.close()
