"""What a comparison with a registered release found."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Likeness"]


class Likeness(NamedTuple):
    """How alike two media are where they were compared (`score`, 0 to 1), and where that was: `coverage` is
    the share of the registered one, `share` that of the one in hand. `same`: this is a copy of it, or of a
    part of it, or holds one."""

    score: float
    coverage: float
    share: float
    same: bool

    @property
    def common(self) -> float:
        """The share of the one in hand that agrees."""
        return self.score * self.share
