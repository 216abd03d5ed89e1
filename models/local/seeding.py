"""torch's random state belongs to the process: two seeded generations at once would share their luck."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["seeded"]

_STATE = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch as if freshly seeded with `seed`, for one thread at a time; its own state is back afterwards."""
    import torch

    with _STATE, torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
