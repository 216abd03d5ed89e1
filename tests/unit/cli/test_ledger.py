"""`guard ledger`: forgetting, repairing, copying and migrating."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guard.app import open_app
from guard.ledger import Entry, Status
from guard.ledger.migrate import HEAD
from guard.provenance.keys import KeyStore
from guard.settings import Settings
from tests.unit.cli.conftest import Guard
from tests.unit.ledger.test_store import entry

OLD = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    KeyStore(home).init_development()
    monkeypatch.setenv("GUARD_HOME", str(home))
    with open_app(Settings(home=home)) as opened:
        opened.ledger.record([entry(1, caller="alice", created_at=OLD), entry(2, caller="alice"), entry(3)])
    return home


def look(home: Path, number: int) -> Entry:
    with open_app(Settings(home=home)) as opened:
        found = opened.ledger.by_id(entry(number).id)
    assert found is not None
    return found


def test_one_release_or_one_caller_is_forgotten(home: Path, guard: Guard) -> None:
    assert guard("ledger", "forget", "--release", entry(1).id.upper()).out == "1 records forgotten.\n"
    assert look(home, 1).caller is None
    assert guard("ledger", "forget", "--caller", "alice", "--content", "--json").record == {"forgotten": 1}
    assert look(home, 2).manifest is None
    assert guard("log", "verify").code == 0


@pytest.mark.parametrize("arguments", [[], ["--release", "a", "--caller", "b"], ["--release", "0" * 16]])
def test_whom_to_forget_has_to_be_said(home: Path, guard: Guard, arguments: list[str]) -> None:
    assert guard("ledger", "forget", *arguments).code == 2


def test_what_is_old_is_pruned(home: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert guard("ledger", "prune").code == 2
    assert guard("ledger", "prune", "--older-than", "40", "--json").record == {"forgotten": 0}
    monkeypatch.setenv("GUARD_RETENTION_DAYS", "30")
    assert guard("ledger", "prune", "--json").record == {"forgotten": 1}
    assert (look(home, 1).caller, look(home, 2).caller) == (None, "alice")
    monkeypatch.setenv("GUARD_RETENTION_DAYS", "0")
    assert guard("ledger", "prune").code == 2


def test_streams_of_dead_processes_are_closed(home: Path, guard: Guard) -> None:
    with open_app(Settings(home=home)) as opened:
        opened.ledger.record([entry(4, status=Status.STREAMING)])
    assert guard("ledger", "repair", "--json").record == {"closed": [entry(4).id]}
    assert guard("ledger", "repair").out == "0 streams closed.\n"
    assert look(home, 4).status is Status.CUT


def test_a_copy_is_a_ledger(home: Path, guard: Guard, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert guard("ledger", "backup", copy).code == 0
    assert guard("ledger", "backup", copy).code == 2
    copy.replace(home / "ledger.db")
    for left in home.glob("ledger.db-*"):
        if left.is_file():
            left.unlink()
    assert guard("log", "verify").code == 0
    assert look(home, 2).caller == "alice"


def test_the_tables_go_down_and_up(home: Path, guard: Guard) -> None:
    assert guard("ledger", "migrate", "--to", "0002").out == "The ledger is at revision 0002.\n"
    assert guard("ledger", "migrate").out == f"The ledger is at revision {HEAD}.\n"
    assert look(home, 2).caller == "alice"
    assert guard("ledger", "migrate", "--to", "9999").code == 2
