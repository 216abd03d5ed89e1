"""Bytes that are text, and text as code points.

Text is kept exactly as it came: nothing is normalised behind the caller's back, since a hash, a signature or
a detector's span must refer to what the file holds.
"""

from __future__ import annotations

import codecs
import re

from guard.errors import MalformedMediaError
from guard.media.formats import HTML, PLAIN_TEXT, SVG

__all__ = ["decode_text", "encode_text", "looks_binary", "sniff_file", "sniff_text"]

# The bytes that mark a file as binary (WHATWG MIME Sniffing §5, "binary data byte"), but for the vertical
# tab, which word processors put into text as a line break.
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BINARY_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HTML = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)

_SVG = re.compile(
    r"\s*(?:<\?xml\s[^>]{0,200}\?>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+svg\b[^>[]{0,400}>\s*)?<svg[\s>]",
    re.IGNORECASE | re.DOTALL,
)


def decode_text(data: bytes) -> str:
    """The code points of UTF-8 bytes, or of UTF-16 bytes that begin with a byte order mark.

    A byte order mark at the start says how to read the rest and is not part of the text; U+FEFF anywhere else
    is. Raises `MalformedMediaError` for bytes that are not valid in that encoding and for control characters
    that no text holds.
    """
    skip, encoding = next(((len(bom), name) for bom, name in _BOMS if data.startswith(bom)), (0, "utf-8"))
    try:
        text = data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedMediaError(
            f"The text is not valid {encoding.upper()}: {error.reason} at byte {skip + error.start}.",
            "Save it as UTF-8.",
        ) from None
    return _without_binary(text)


def encode_text(text: str) -> bytes:
    """UTF-8 without a byte order mark. Raises `MalformedMediaError` for lone surrogates and binary control
    characters."""
    try:
        return _without_binary(text).encode()
    except UnicodeEncodeError as error:
        raise MalformedMediaError(
            f"The text holds half of a surrogate pair at position {error.start}.",
            "Replace it before passing the text on.",
        ) from None


def looks_binary(data: bytes) -> bool:
    """Whether the bytes cannot be text, judged by their beginning and whatever their encoding."""
    return not data.startswith(_UTF16) and _BINARY_BYTES.search(data, 0, 4096) is not None


def sniff_text(text: str) -> str:
    """`text/html` where the text begins with a page's markup, else `text/plain` (Markdown, CSV, JSON and code
    too)."""
    return HTML if _HTML.match(text) else PLAIN_TEXT


def sniff_file(text: str) -> str:
    """As `sniff_text`, for a file: one that begins as a vector picture is one, where an answer would only
    show how one is written."""
    return SVG if _SVG.match(text) else sniff_text(text)


def _without_binary(text: str) -> str:
    if found := _BINARY.search(text):
        raise MalformedMediaError(
            f"The text holds the control character U+{ord(found[0]):04X} at position {found.start()}: "
            "these are not the bytes of a text.",
            "Remove it, or pass the file as what it is.",
        )
    return text
