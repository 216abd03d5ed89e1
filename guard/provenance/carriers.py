"""Where a text keeps its manifest: a comment in Markdown (C2PA 2.4 A.9), an element of a page's head (A.7).

Plain text keeps it in invisible characters (A.8): see `guard.provenance.text`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

import re2

from guard.errors import CredentialError
from guard.media.formats import HTML
from guard.provenance.binding import Hole

__all__ = ["Carried", "Slot", "find", "slot_for"]

_BEGIN, _END = "-----BEGIN C2PA MANIFEST-----", "-----END C2PA MANIFEST-----"
_DATA = "data:application/c2pa;base64,"
_OPEN, _CLOSE = '<script type="application/c2pa">', "</script>"
_BLOCK = re2.compile(rf"{_BEGIN}\s+{_DATA}\S+\s+{_END}")
_LINE = re2.compile(
    rf"(?m)^[ \t]*(?:<!--|#|//|/\*|--|;|%)?[ \t]*{_BEGIN}\s+{_DATA}(\S*)\s+{_END}[ \t]*(?:-->|\*/)?[ \t]*\r?$"
)
"""Nothing but the comment: what else stood on the line would be hashed by nobody."""
_SCRIPT = re2.compile(rf"{_OPEN}\s*([\w+/=]*)\s*{_CLOSE}")
_LINK = re2.compile(r"""(?i)<link\s[^>]*rel=["']?c2pa-manifest["']?[^>]*>""")
_ADDRESS = re2.compile(r"""(?i)href=["']?([^"'\s>]{1,900})""")
_HEAD = re2.compile(r"(?is)<!--.*?-->|<head(?:\s[^>]*)?>")
_FRONT_MATTER = ("---\n", "---\r\n", "+++\n")


@dataclass(frozen=True, slots=True)
class Slot:
    """The place in a text (`at`, in characters) for a manifest in base64, and what is written around that."""

    at: int
    before: str
    after: str

    def length(self, size: int) -> int:
        """Bytes of it, filled with a store of `size` bytes."""
        return len(self.before) + 4 * -(-size // 3) + len(self.after)

    def fill(self, text: str, store: bytes) -> str:
        """The text with the store in it."""
        filled = self.before + base64.b64encode(store).decode() + self.after
        return text[: self.at] + filled + text[self.at :]


@dataclass(frozen=True, slots=True)
class Carried:
    """What was found: the manifest `store`, the holes that its maker may have left for it in the hash, the
    first of which is taken out of the text, and what is hashed then if it is not just the rest; or, without a
    store, a `code` of C2PA's that says what is wrong, and the `address` of a manifest that is elsewhere."""

    store: bytes = b""
    holes: tuple[Hole, ...] = field(default=())
    outside: bytes | None = None
    code: str = ""
    address: str = ""


def slot_for(text: str, mime: str) -> Slot:
    """Where Markdown or HTML keeps its manifest. Raises `CredentialError` for a page without a head."""
    if mime == HTML:
        heads = (match for match in _HEAD.finditer(text) if not match[0].startswith("<!--"))
        head = next(heads, None)
        if head is None:
            raise CredentialError(
                "The page has no <head>, which is where HTML keeps its credentials.", "Give it one."
            )
        return Slot(head.end(), _OPEN, _CLOSE)
    line = f"<!-- {_BEGIN} {_DATA}", f" {_END} -->"
    if text.startswith(_FRONT_MATTER):  # which has to stay in front
        return Slot(len(text), "\n" + line[0], line[1])
    return Slot(0, line[0], line[1] + "\n")


def find(text: str) -> Carried | None:
    """The manifest in a comment or in an element of the text; None where there is neither."""
    if blocks := list(_BLOCK.finditer(text)):
        return _in_comment(text, len(blocks))
    scripts, links = list(_SCRIPT.finditer(text)), list(_LINK.finditer(text))
    if len(scripts) + len(links) > 1:
        return Carried(code="manifest.html.multipleManifests")
    if scripts:
        hole = _hole(text, scripts[0].start(), scripts[0].end())
        return _decoded(scripts[0][1], (hole,), "general.error")
    if links:
        address = _ADDRESS.search(links[0][0])
        return Carried(code="manifest.inaccessible", address=address[1] if address else "")
    return None


def _in_comment(text: str, blocks: int) -> Carried:
    if blocks > 1:
        return Carried(code="manifest.structuredText.multipleReferences")
    line = _LINE.search(text)
    if line is None:
        return Carried(code="manifest.structuredText.malformedReference")
    start, end = line.start(), line.end()
    # The line comes with a line end: behind it at the top, in front of it elsewhere. Some makers hash that.
    wide = (0, end + 1) if start == 0 and end < len(text) else (max(start - 1, 0), end)
    holes = tuple(_hole(text, *span) for span in (wide, (start, end)))
    return _decoded(line[1], holes, "manifest.structuredText.malformedReference")


def _hole(text: str, start: int, end: int) -> Hole:
    """In bytes, as hashes count."""
    return Hole(len(text[:start].encode()), len(text[start:end].encode()))


def _decoded(text: str, holes: tuple[Hole, ...], otherwise: str) -> Carried:
    try:
        return Carried(base64.b64decode(text, validate=True), holes)
    except binascii.Error:
        return Carried(code=otherwise)
