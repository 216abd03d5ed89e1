"""How long a detector may take.

Python cannot end a thread, and a process for each answer would cost more than most answers do. So a
detector that overruns is left alone in a thread of its own, its answer is dropped, and it gets no further
work while as many of its threads as `STRAYS` are still at it: a detector that hangs costs a few threads,
never all of them.
"""

from __future__ import annotations

import contextvars
import threading
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from detectors.cards import DetectorCard
from guard.errors import DetectorError

__all__ = ["STRAYS", "within"]

STRAYS = 2
"""Threads of one detector that may be overdue at once."""

T = TypeVar("T")

_lock = threading.Lock()
_overdue: Counter[str] = Counter()


def within(card: DetectorCard, work: Callable[[], T], times: int = 1) -> T:
    """What `work` returns or raises, if that is within `times` the seconds of the card.

    Raises `DetectorError` once the time is over. Without seconds on the card the work is done right here.
    """
    if card.seconds is None:
        return work()
    with _lock:
        if _overdue[card.id] >= STRAYS:
            raise DetectorError(f"The detector is still busy with {STRAYS} earlier answers that are overdue.")
    attempt = _Attempt(card.id, work)
    attempt.start()
    return attempt.outcome(card.seconds * times)


class _Attempt(threading.Thread, Generic[T]):
    """Work in a thread that nobody has to wait for."""

    def __init__(self, name: str, work: Callable[[], T]) -> None:
        super().__init__(name=f"detector-{name}", daemon=True)
        self._detector = name
        self._work = work
        self._context = contextvars.copy_context()
        self._given_up = False
        self._done = False
        self._value: T | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._context.run(self._work)
        except BaseException as error:  # the caller's to handle, whatever it is
            self._error = error
        with _lock:
            self._done = True
            if self._given_up:
                _overdue[self._detector] -= 1

    def outcome(self, seconds: float) -> T:
        self.join(seconds)
        with _lock:
            if not self._done:
                self._given_up = True
                _overdue[self._detector] += 1
                raise DetectorError(f"The detector gave no answer in {seconds:g} s.")
        if self._error is not None:
            raise self._error
        return cast(T, self._value)
