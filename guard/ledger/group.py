"""Group commit: callers that record at the same moment share one transaction, and so one sync of the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from guard.errors import LedgerError
from guard.ledger.entry import Receipt

__all__ = ["GroupCommit"]

T = TypeVar("T")


def _locked() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Ticket(Generic[T]):
    """What one caller wants on record, and what became of it; `call` opens when it is the caller's turn to
    read that, or to write for all."""

    entries: Sequence[T]
    outcome: list[Receipt] | LedgerError | None = None
    call: Lock = field(default_factory=_locked)


class GroupCommit(Generic[T]):
    """Hands the entries of all waiting callers to `write`, which makes them durable together or not at all.

    The first to come writes at once, in its own thread; who comes meanwhile waits, and the first of them then
    writes for all of them. So a lone caller waits for nobody, and nobody serves others for longer than one
    transaction (DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD 1984,
    §5.2). Nobody is woken but for a reason: with a hundred threads that costs more than to write.
    """

    def __init__(self, write: Callable[[Sequence[T]], list[Receipt]]) -> None:
        self._write = write
        self._turn = Lock()
        self._waiting: list[_Ticket[T]] = []
        self._busy = False

    def __call__(self, entries: Sequence[T]) -> list[Receipt]:
        """The receipts of `entries`, durable. Raises the `LedgerError` that they, and no others, gave."""
        ticket = _Ticket(entries)
        with self._turn:
            self._waiting.append(ticket)
            leads, self._busy = not self._busy, True
        if not leads:
            self._await(ticket)
        if ticket.outcome is None:
            self._lead()
        if isinstance(ticket.outcome, LedgerError):
            raise ticket.outcome
        assert ticket.outcome is not None
        return ticket.outcome

    def _await(self, ticket: _Ticket[T]) -> None:
        try:
            ticket.call.acquire()
        except BaseException:  # This thread was interrupted: whoever waits behind it must not wait for ever.
            with self._turn:
                called = not ticket.call.locked()
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            if called and ticket.outcome is None:
                self._pass_on()
            raise

    def _lead(self) -> None:
        with self._turn:
            batch, self._waiting = self._waiting, []
        try:
            self._together(batch)
        finally:
            for ticket in batch:
                if ticket.outcome is None:  # This thread was interrupted: nobody may wait for ever.
                    ticket.outcome = LedgerError("The record was interrupted.", "Nothing was released.")
            self._pass_on()
            for ticket in batch:
                ticket.call.release()

    def _pass_on(self) -> None:
        """Let the first of those who came meanwhile write, if any did."""
        with self._turn:
            self._busy = bool(self._waiting)
            if self._busy:
                self._waiting[0].call.release()

    def _together(self, batch: Sequence[_Ticket[T]]) -> None:
        try:
            receipts = iter(self._write([entry for ticket in batch for entry in ticket.entries]))
        except LedgerError as error:
            if len(batch) == 1:
                batch[0].outcome = error
                return
            for ticket in batch:  # One caller's entries fail only that caller.
                self._together([ticket])
            return
        for ticket in batch:
            ticket.outcome = [next(receipts) for _ in ticket.entries]
