"""Where an answer ends: at the first of its stop texts, also where that is cut across pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["until_stop"]


def until_stop(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """`pieces` up to the first of `stops`. What may yet turn out to begin one is held back."""
    held = ""
    for piece in pieces:
        held += piece
        found = [at for stop in stops if (at := held.find(stop)) >= 0]
        if found:
            held = held[: min(found)]
            break
        keep = max((_overlap(held, stop) for stop in stops), default=0)
        if held[: len(held) - keep]:
            yield held[: len(held) - keep]
        held = held[len(held) - keep :]
    if held:
        yield held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    return next(length for length in range(min(len(text), len(stop)), -1, -1) if text.endswith(stop[:length]))
