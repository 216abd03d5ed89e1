"""The visible part of a text: what a reader sees and a copy keeps."""

from __future__ import annotations

import unicodedata

import c2patxt

__all__ = ["visible_text"]


def visible_text(text: str) -> str:
    """`text` without its manifest, in NFC, trailing space cut off.

    Pasting a signed text drops the invisible characters and often the last line break, so this is what a
    text is known by when its manifest is gone.
    """
    return unicodedata.normalize("NFC", c2patxt.strip(text)).rstrip()
