"""Redaction of text."""

from __future__ import annotations

from collections.abc import Iterable

from guard.errors import InputError

__all__ = ["Triple", "merged", "redact"]

Triple = tuple[int, int, str]


def redact(text: str, spans: Iterable[Triple]) -> str:
    """`text` with each span (start, end, label), in code points, replaced by "[label]".

    Spans that overlap become one, named by the first of them (the longest, where several start together).
    Spans that only touch stay apart. Raises `InputError` for a span that is empty or not in the text.
    """
    pieces: list[str] = []
    done = 0
    for start, end, label in merged(spans):
        if not 0 <= start < end <= len(text):
            raise InputError(
                f"Cannot redact code points {start} to {end} of a text that has {len(text)}.",
                "Give spans that were found in this very text.",
            )
        pieces += (text[done:start], f"[{label}]")
        done = end
    return "".join(pieces) + text[done:]


def merged(spans: Iterable[Triple]) -> list[Triple]:
    """The spans in order, those that overlap as one under the label of the first."""
    done: list[Triple] = []
    for start, end, label in sorted(spans, key=lambda span: (span[0], -span[1], span[2])):
        if done and start < done[-1][1]:
            first, reach, name = done[-1]
            done[-1] = (first, max(reach, end), name)
        else:
            done.append((start, end, label))
    return done
