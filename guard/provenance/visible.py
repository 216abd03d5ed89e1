"""The visible part of a text: what a reader sees and a copy keeps."""

from __future__ import annotations

import re
import unicodedata

import c2patxt
import re2

from guard.provenance.carriers import find

__all__ = ["normalised", "overloaded", "visible_text", "without_manifest"]

_MARKS_RUN = re2.compile(r"\pM{31}")  # one more than the stream-safe format of Unicode UAX #15 allows
_CARRIER = re.compile("\ufeff[\ufe00-\ufe0f\U000e0100-\U000e01ef]{8,}")


def visible_text(text: str) -> str:
    """`text` without its manifest, in NFC, trailing space cut off.

    Pasting a signed text drops the invisible characters and often the last line break, so this is what a
    text is known by when its manifest is gone. Never raises, whatever is left of the manifest.
    """
    return normalised(without_manifest(text)).rstrip()


def without_manifest(text: str) -> str:
    """`text` without the invisible characters that carry a manifest, be they whole or damaged, or without
    the comment or element that does."""
    try:
        bare = c2patxt.strip(text)
    except c2patxt.MarkCorruptError:
        return _CARRIER.sub("", text)
    carried = find(bare)
    if carried is None or not carried.store:
        return bare
    (hole, *_), data = carried.holes, bare.encode()
    return (data[: hole.start] + data[hole.start + hole.length :]).decode()


def normalised(text: str) -> str:
    """`text` in NFC, or as it is where it piles up combining marks without end.

    Sorting a long run of marks takes time quadratic in its length, so 1 MB of them would stop a server.
    """
    return text if overloaded(text) else unicodedata.normalize("NFC", text)


def overloaded(text: str) -> bool:
    """Whether some letter bears more combining marks than any language asks for."""
    return bool(_MARKS_RUN.search(text))
