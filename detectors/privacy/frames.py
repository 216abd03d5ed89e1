"""What detectors of places in pictures share: which frames to look at, and what to say of the boxes found."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.base import Box, DetectorCard, Finding
from guard.media.picture import Picture

__all__ = ["boxed", "chosen"]

_FRAMES = 32


def chosen(picture: Picture) -> list[int]:
    """The frames to look at: all, or 32 of them from the first to the last."""
    count = len(picture.frames)
    if count <= _FRAMES:
        return list(range(count))
    return [round(number * (count - 1) / (_FRAMES - 1)) for number in range(_FRAMES)]


def boxed(
    card: DetectorCard, signal: str, found: Iterable[Box], score: float = 1.0, threshold: float = 0.5
) -> Finding:
    """The finding on the boxes of all frames, each once and from the top; it scores 0 where none are."""
    boxes = tuple(sorted(set(found), key=lambda box: (box.y, box.x, box.width, box.height, box.label)))
    message = f"{len(boxes)} place(s) in the picture" if boxes else ""
    return Finding(
        card.id, card.version, signal, score if boxes else 0.0, threshold, message=message, boxes=boxes
    )
