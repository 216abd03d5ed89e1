"""Watching the steps of a path: what each one costs, and where a crash would hit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter

__all__ = ["StepTimes", "Trace"]

Trace = Callable[[str], AbstractContextManager[object]]
"""Called with the name of each step; what it returns is entered before the step and left after it."""


class StepTimes:
    """A `Trace` that adds up the seconds spent in each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + perf_counter() - start
