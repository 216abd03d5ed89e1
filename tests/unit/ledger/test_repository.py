"""Manifest stores of others, and the soft bindings that lead to them, in both databases."""

from __future__ import annotations

import hashlib
import threading

import pytest

from guard.errors import InputError, LedgerError
from guard.ledger.audit import audit
from guard.ledger.repository import Binding, Repository
from tests.unit.ledger.conftest import Logged
from tests.unit.ledger.test_store import entry

NAME, STORE = "urn:c2pa:1", b"a store"
MARK = Binding("0123456789abcdef", "guard.tile.1")


@pytest.fixture
def repository(logged: Logged) -> Repository:
    return Repository(logged.ledger)


def test_what_is_deposited_comes_back_and_its_hash_is_on_the_log(
    logged: Logged, repository: Repository
) -> None:
    logged.ledger.record([entry(1)])
    repository.deposit(NAME, STORE, [MARK, MARK], "alice")
    logged.ledger.record([entry(2)])
    assert repository.manifest(NAME) == STORE
    assert repository.bound(MARK, 10) == [NAME]
    proof = repository.proof(NAME)
    assert proof is not None
    assert proof.check(logged.keys).size == 2
    assert proof.facts()["manifest"] == hashlib.sha256(STORE).hexdigest()
    assert "alice" not in proof.leaf
    report = audit(logged.ledger.engine, logged.keys)
    assert (report.leaves, report.rows, report.problems) == (3, 2, [])


def test_the_same_bytes_again_change_nothing(logged: Logged, repository: Repository) -> None:
    for _ in range(2):
        repository.deposit(NAME, STORE, [MARK], None)
    assert logged.ledger.log.size() == 1
    with pytest.raises(InputError, match="Another manifest store"):
        repository.deposit(NAME, b"another", [MARK], None)
    assert repository.manifest(NAME) == STORE


def test_what_is_not_there(repository: Repository) -> None:
    assert repository.manifest(NAME) is None
    assert repository.proof(NAME) is None
    assert repository.bound(MARK, 10) == []
    assert not repository.delete(NAME)
    assert not repository.rebind(MARK, NAME)


def test_a_store_that_is_withdrawn_can_be_replaced(logged: Logged, repository: Repository) -> None:
    repository.deposit(NAME, STORE, [MARK], None)
    assert repository.delete(NAME)
    assert repository.manifest(NAME) is None
    assert repository.bound(MARK, 10) == []
    repository.deposit(NAME, b"another", [], None)
    assert repository.manifest(NAME) == b"another"
    assert audit(logged.ledger.engine, logged.keys).problems == []


class TestBindings:
    def test_one_may_lead_to_several_the_latest_first(self, repository: Repository) -> None:
        for number in range(3):
            repository.bind(MARK, f"urn:c2pa:{number}")
            repository.bind(MARK, f"urn:c2pa:{number}")
        assert repository.bound(MARK, 10) == [f"urn:c2pa:{number}" for number in (2, 1, 0)]
        assert repository.bound(MARK, 2) == ["urn:c2pa:2", "urn:c2pa:1"]

    def test_one_that_is_bound_anew_leads_there_alone(self, repository: Repository) -> None:
        for number in range(3):
            repository.bind(MARK, f"urn:c2pa:{number}")
        assert repository.rebind(MARK, "urn:c2pa:9")
        assert repository.bound(MARK, 10) == ["urn:c2pa:9"]

    def test_who_names_no_algorithm_means_any(self, repository: Repository) -> None:
        repository.bind(Binding(MARK.value), NAME)
        assert repository.bound(MARK, 10) == [NAME]
        repository.bind(Binding("else", "guard.dipole.1"), NAME)
        assert repository.bound(Binding("else"), 10) == [NAME]
        assert repository.bound(Binding("else", "guard.tile.1"), 10) == []

    def test_a_value_may_be_as_long_as_a_fingerprint_of_a_film(self, repository: Repository) -> None:
        long = Binding("A" * 1_000_000, "guard.video.1")
        repository.bind(long, NAME)
        assert repository.bound(long, 10) == [NAME]


def test_depositors_and_releases_share_one_log(logged: Logged, repository: Repository) -> None:
    deposits = [
        threading.Thread(target=repository.deposit, args=(f"urn:c2pa:{n}", b"%d" % n, [MARK], None))
        for n in range(8)
    ]
    releases = [threading.Thread(target=logged.ledger.record, args=([entry(n)],)) for n in range(1, 9)]
    for thread in deposits + releases:
        thread.start()
    for thread in deposits + releases:
        thread.join()
    report = audit(logged.ledger.engine, logged.keys)
    assert (report.leaves, report.rows, report.problems) == (16, 8, [])


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # the server is for other tests too
def test_a_database_that_is_gone_is_an_error_of_the_ledger(logged: Logged, repository: Repository) -> None:
    logged.tamper("DROP TABLE deposits")
    for ask in (
        lambda: repository.manifest(NAME),
        lambda: repository.delete(NAME),
        lambda: repository.deposit(NAME, STORE, [], None),
    ):
        with pytest.raises(LedgerError, match="manifest repository cannot be"):
            ask()
