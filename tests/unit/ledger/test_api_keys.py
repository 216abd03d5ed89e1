"""API keys: only their hash is kept, and only the right secret opens them."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.errors import InputError, LedgerError
from guard.ledger import Ledger
from guard.ledger.api_keys import ApiKeys, Scope


@pytest.fixture
def store(tmp_path: Path):
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger, ApiKeys(ledger.engine)
    ledger.close()


def test_the_secret_opens_its_key(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    key, secret = keys.create("proxy", frozenset({Scope.GENERATE}))
    assert keys.authenticate(secret) == key
    assert key.scopes == {Scope.GENERATE}
    assert not key.revoked


def test_the_database_never_holds_the_secret(store: tuple[Ledger, ApiKeys], tmp_path: Path) -> None:
    ledger, keys = store
    _, secret = keys.create("proxy", frozenset({Scope.VERIFY}))
    ledger.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in stored
    assert secret.split("_", 2)[2].encode() not in stored


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1] + ("a" if s[-1] != "a" else "b"),
        lambda s: s[3:],
        lambda s: "sk" + s[2:],
        lambda s: "",
        lambda s: "gk__",
        lambda s: "gk_0000000000000000_" + s.split("_", 2)[2],
        lambda s: s + "\x00",
    ],
)
def test_no_other_secret_does(store: tuple[Ledger, ApiKeys], spoil) -> None:
    _, keys = store
    _, secret = keys.create("proxy", frozenset(Scope))
    assert keys.authenticate(spoil(secret)) is None


def test_a_revoked_key_stays_listed_and_shut(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    key, secret = keys.create("old", frozenset({Scope.VERIFY}))
    keys.revoke(key.id)
    assert keys.authenticate(secret) is None
    assert [(k.id, k.revoked) for k in keys.list()] == [(key.id, True)]


def test_a_key_that_was_opened_is_remembered_for_a_second(
    store: tuple[Ledger, ApiKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, keys = store
    key, secret = keys.create("proxy", frozenset({Scope.VERIFY}))
    now = 100.0
    monkeypatch.setattr("guard.ledger.api_keys.monotonic", lambda: now)
    assert keys.remembered(secret) is None
    assert keys.authenticate(secret) == key
    ApiKeys(ledger.engine).revoke(key.id)  # as another process does
    now = 100.9
    assert keys.remembered(secret) == key
    assert keys.remembered(secret + "a") is None
    now = 101.1
    assert keys.remembered(secret) is None
    assert keys.authenticate(secret) is None


def test_a_key_revoked_here_is_forgotten_at_once(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    key, secret = keys.create("proxy", frozenset({Scope.VERIFY}))
    keys.authenticate(secret)
    keys.revoke(key.id)
    assert keys.remembered(secret) is None


def test_only_so_many_keys_are_remembered(
    store: tuple[Ledger, ApiKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, keys = store
    monkeypatch.setattr("guard.ledger.api_keys._MOST", 2)
    secrets = [keys.create(name, frozenset(Scope))[1] for name in "abc"]
    for secret in secrets:
        keys.authenticate(secret)
    assert [keys.remembered(secret) is not None for secret in secrets] == [False, False, True]


def test_revoking_twice_or_nothing_is_an_error(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    key, _ = keys.create("old", frozenset({Scope.VERIFY}))
    keys.revoke(key.id)
    for key_id in (key.id, "nothing"):
        with pytest.raises(InputError, match="No open API key"):
            keys.revoke(key_id)


def test_a_key_without_scopes_is_refused(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    with pytest.raises(InputError, match="at least one scope"):
        keys.create("useless", frozenset())
    assert keys.list() == []


def test_a_database_that_fails_is_a_ledger_error(store: tuple[Ledger, ApiKeys]) -> None:
    ledger, keys = store
    _, secret = keys.create("proxy", frozenset({Scope.VERIFY}))
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE api_keys")
    for action in (keys.list, lambda: keys.authenticate(secret), lambda: keys.revoke("0")):
        with pytest.raises(LedgerError) as caught:
            action()
        assert secret not in str(caught.value)


def test_keys_are_listed_oldest_first(store: tuple[Ledger, ApiKeys]) -> None:
    _, keys = store
    names = ["first", "second", "third"]
    for name in names:
        keys.create(name, frozenset({Scope.VERIFY}))
    assert [key.name for key in keys.list()] == names
