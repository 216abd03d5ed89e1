"""Streams whose process died are closed; those that go on are not."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from guard.errors import LedgerError
from guard.ledger import Ledger, Status
from guard.ledger.audit import audit
from guard.ledger.orphans import close_orphans
from guard.ledger.presence import presence
from tests.conftest import REPOSITORY
from tests.unit.ledger.conftest import Logged
from tests.unit.ledger.test_store import entry

STREAMER = """
import sys, time
from guard.ledger import Ledger, Status
from tests.unit.ledger.test_store import entry
Ledger.open(sys.argv[1]).record([entry(7, status=Status.STREAMING, size=0)])
print("begun", flush=True)
time.sleep(60)
"""


@pytest.fixture
def streamer(logged: Logged):
    """Another process, which is in the middle of a stream."""
    child = subprocess.Popen(
        [sys.executable, "-c", STREAMER, logged.url], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_stream_is_closed_once_its_process_is_gone(logged: Logged, streamer: subprocess.Popen[str]) -> None:
    assert close_orphans(logged.ledger) == []
    os.kill(streamer.pid, signal.SIGKILL)
    streamer.wait()
    # A database server may take a moment to notice that its client died.
    closed = next(filter(None, (close_orphans(logged.ledger) for _ in range(200))), [])
    assert closed == [entry(7).id]
    left = logged.ledger.by_id(entry(7).id)
    assert left is not None
    assert left.status is Status.CUT
    assert "process ended" in left.decision["ended"]
    assert close_orphans(logged.ledger) == []
    assert audit(logged.ledger.engine, ()).rows == 1


def test_ones_own_streams_go_on(logged: Logged) -> None:
    logged.ledger.record([entry(1, status=Status.STREAMING)])
    assert close_orphans(logged.ledger) == []
    logged.ledger.record([entry(1)])
    assert logged.ledger.by_id(entry(1).id).status is Status.RELEASED


def test_what_nobody_claimed_is_closed_when_it_is_old(logged: Logged) -> None:
    old = (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    logged.ledger.record(
        [entry(1, status=Status.STREAMING, created_at=old), entry(2, status=Status.STREAMING)]
    )
    logged.tamper("UPDATE releases SET writer = NULL")
    assert close_orphans(logged.ledger) == []
    assert close_orphans(logged.ledger, timedelta(hours=1)) == [entry(1).id]


def test_a_ledger_that_is_closed_properly_leaves_its_streams_to_be_closed(logged: Logged) -> None:
    other = Ledger.open(logged.url)
    other.record([entry(1, status=Status.STREAMING)])
    assert close_orphans(logged.ledger) == []
    other.close()
    assert close_orphans(logged.ledger) == [entry(1).id]


def test_what_is_held_back_is_no_stream(logged: Logged) -> None:
    logged.ledger.record([entry(1, status=Status.HELD)])
    assert close_orphans(logged.ledger, timedelta(0)) == []


def test_a_fork_does_not_hold_its_parents_lock(logged: Logged) -> None:
    """The child of a process that streamed must not keep that one's streams alive."""
    other = Ledger.open(logged.url)
    number = other.presence.claim()
    assert number is not None
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        assert not logged.ledger.presence.gone(number)
        other.close()
        assert logged.ledger.presence.gone(number)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_ledger_in_memory_has_nobody_else() -> None:
    ledger = Ledger.open("sqlite://")
    assert ledger.presence.claim() is None
    assert ledger.presence.gone(1)
    ledger.close()


def test_a_folder_that_cannot_be_made_is_complained_of(logged: Logged, tmp_path) -> None:
    (tmp_path / "ledger.db-writers").write_text("in the way")
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.record([dataclasses.replace(entry(1), status=Status.STREAMING)])
    assert not presence(ledger.engine).gone(1)
    ledger.close()
