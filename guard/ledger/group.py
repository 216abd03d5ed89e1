"""Group commit: callers that record at the same moment share one transaction, and so one sync of the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition

from guard.errors import LedgerError
from guard.ledger.entry import Entry, Receipt

__all__ = ["GroupCommit", "Write"]

Write = Callable[[Sequence[Entry]], list[Receipt]]


@dataclass(slots=True, eq=False)
class _Ticket:
    """What one caller wants on record, and what became of it."""

    entries: Sequence[Entry]
    outcome: list[Receipt] | LedgerError | None = None


class GroupCommit:
    """Hands the entries of all waiting callers to `write`, which makes them durable together or not at all.

    The first to come writes at once, in its own thread; who comes meanwhile waits, and the first of them to
    wake writes for all of them. So a lone caller waits for nobody, and nobody serves others for longer than
    one transaction (DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD
    1984, §5.2).
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._turn = Condition()
        self._waiting: list[_Ticket] = []
        self._busy = False

    def __call__(self, entries: Sequence[Entry]) -> list[Receipt]:
        """The receipts of `entries`, durable. Raises the `LedgerError` that they, and no others, gave."""
        ticket = _Ticket(entries)
        with self._turn:
            self._waiting.append(ticket)
            while self._busy and ticket.outcome is None:
                self._turn.wait()
            batch = self._take() if ticket.outcome is None else []
        if batch:
            self._lead(batch)
        if isinstance(ticket.outcome, LedgerError):
            raise ticket.outcome
        assert ticket.outcome is not None
        return ticket.outcome

    def _take(self) -> list[_Ticket]:
        batch, self._waiting, self._busy = self._waiting, [], True
        return batch

    def _lead(self, batch: Sequence[_Ticket]) -> None:
        try:
            self._together(batch)
        finally:
            with self._turn:
                for ticket in batch:
                    if ticket.outcome is None:  # This thread was interrupted: nobody may wait for ever.
                        ticket.outcome = LedgerError("The record was interrupted.", "Nothing was released.")
                self._busy = False
                self._turn.notify_all()

    def _together(self, batch: Sequence[_Ticket]) -> None:
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
