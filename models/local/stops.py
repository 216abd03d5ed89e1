"""Where an answer ends: at the first of its stop texts, also where that is cut across pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["until_stop"]


def until_stop(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """`pieces` up to the first of `stops` to be complete. What may yet turn out to begin one is held back."""
    held = ""
    for piece in pieces:
        held += piece
        # Of two stops that overlap, the one that ends first counts, as if the text had come letter by letter.
        found = [(at + len(stop), at) for stop in stops if (at := held.find(stop)) >= 0]
        if found:
            held = held[: min(found)[1]]
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
