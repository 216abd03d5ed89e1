"""Group commit: whoever records at the same moment shares a commit, and nobody pays for another's mistake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from guard.errors import LedgerError
from guard.ledger import Entry, Receipt
from guard.ledger.group import GroupCommit, _Ticket
from tests.unit.ledger.test_store import entry


class Disk:
    """Writes that can be held up, and that refuse some entries."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.refused = set(refused)
        self.batches: list[list[str]] = []
        self.begun = threading.Event()
        self.free = threading.Event()
        self.free.set()

    def __call__(self, entries: Sequence[Entry]) -> list[Receipt]:
        self.begun.set()
        assert self.free.wait(10)
        self.batches.append([e.id for e in entries])
        if self.refused & {e.id for e in entries}:
            raise LedgerError("no", "no")
        return [Receipt(e.id, int(e.id, 16), e.created_at) for e in entries]


def in_threads(calls: Sequence[Callable[[], object]]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def crowd(disk: Disk, numbers: Sequence[int]) -> dict[int, object]:
    """What each caller got who came while the first was writing."""
    commit, got = GroupCommit(disk), {}

    def record(number: int) -> None:
        try:
            got[number] = [receipt.index for receipt in commit([entry(number), entry(number + 1000)])]
        except LedgerError as error:
            got[number] = error

    disk.free.clear()
    first = in_threads([lambda: record(numbers[0])])
    assert disk.begun.wait(10)
    rest = in_threads([lambda n=number: record(n) for number in numbers[1:]])
    while len(commit._waiting) < len(rest):
        pass
    disk.free.set()
    for thread in first + rest:
        thread.join()
    return got


def test_who_waits_together_is_written_together() -> None:
    disk = Disk()
    got = crowd(disk, range(1, 9))
    assert got == {number: [number, number + 1000] for number in range(1, 9)}
    assert [len(batch) for batch in disk.batches] == [2, 14]


def test_a_lone_caller_waits_for_nobody() -> None:
    disk = Disk()
    commit = GroupCommit(disk)
    assert commit([entry(1)])[0].index == 1
    assert commit([]) == []
    assert disk.batches == [["0000000000000001"], []]


def test_an_error_is_that_of_its_caller_alone() -> None:
    got = crowd(Disk(refused=[entry(3).id]), range(1, 6))
    assert isinstance(got.pop(3), LedgerError)
    assert got == {number: [number, number + 1000] for number in (1, 2, 4, 5)}


def test_who_leads_and_is_interrupted_leaves_nobody_waiting() -> None:
    def interrupted(entries: Sequence[Entry]) -> list[Receipt]:
        raise KeyboardInterrupt

    commit = GroupCommit(interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            commit([entry(1)])
    assert not commit._busy


def test_what_an_interrupted_leader_took_along_is_told_so() -> None:
    disk = Disk()
    commit, got = GroupCommit(disk), []

    def record() -> None:
        try:
            commit([entry(1)])
        except LedgerError as error:
            got.append(error.message)

    def interrupt(entries: Sequence[Entry]) -> list[Receipt]:
        raise KeyboardInterrupt

    disk.free.clear()
    first = in_threads([record])
    assert disk.begun.wait(10)
    followers = in_threads([record])
    while not commit._waiting:
        pass
    commit._write = interrupt
    hooked, threading.excepthook = threading.excepthook, lambda _: None
    disk.free.set()
    try:
        for thread in first + followers:
            thread.join()
    finally:
        threading.excepthook = hooked
    assert disk.batches == [["0000000000000001"]]
    assert got == []  # the follower led itself, and its interruption was its own


class Interrupting:
    """A lock at which its thread is interrupted, at once or when it opens."""

    def __init__(self, opened: bool) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.opened = opened

    def acquire(self) -> None:
        if self.opened:
            self.lock.acquire()
            self.lock.release()
        raise KeyboardInterrupt

    def __getattr__(self, name: str) -> object:
        return getattr(self.lock, name)


@pytest.mark.parametrize("opened", [False, True])
def test_who_waits_and_is_interrupted_is_not_waited_for(opened: bool) -> None:
    """Before its turn to write has come, or just then: who came behind it writes."""
    disk, got = Disk(), []
    commit = GroupCommit(disk)
    disk.free.clear()
    first = in_threads([lambda: commit([entry(1)])])
    assert disk.begun.wait(10)
    ticket = _Ticket([entry(2)])
    ticket.call = Interrupting(opened=opened)  # type: ignore[assignment]
    commit._waiting.append(ticket)
    behind = in_threads([lambda: got.append(commit([entry(3)]))])
    while len(commit._waiting) < 2:
        pass
    if opened:
        disk.free.set()
    with pytest.raises(KeyboardInterrupt):
        commit._await(ticket)
    disk.free.set()
    for thread in first + behind:
        thread.join()
    assert [[receipt.index for receipt in receipts] for receipts in got] == [[3]]
    assert disk.batches == [[entry(1).id], [entry(3).id]]
    assert not commit._busy


def test_who_is_interrupted_while_it_is_written_down_for_holds_nobody_up() -> None:
    disk = Disk()
    commit = GroupCommit(disk)
    ticket = _Ticket([entry(2)])
    ticket.call = Interrupting(opened=True)  # type: ignore[assignment]
    commit._waiting.append(ticket)
    assert commit([entry(1)])[0].index == 1
    with pytest.raises(KeyboardInterrupt):
        commit._await(ticket)
    assert disk.batches == [[entry(2).id, entry(1).id]]
    assert not commit._busy
    assert commit([entry(3)])[0].index == 3
