"""A file that is also another file: what one program shows as a picture, another would unpack or run.

Looked for where such programs look: archives in the last 64 KiB (their directory stands there), PDF in the
first 1024 bytes, pages and scripts behind the end, programs and other media right at the end.
"""

from __future__ import annotations

import re

from guard.errors import MalformedMediaError
from guard.media.formats import PDF, sniff_binary

__all__ = ["check_alone"]

_PDF = re.compile(rb"%PDF-[12]\.\d")
_BEHIND = (
    (_PDF, "a PDF document"),
    (
        re.compile(rb"<(?:!doctype\s+html|html|script|svg|iframe)[\s>/]", re.IGNORECASE),
        "a web page or script",
    ),
    (re.compile(rb"<\?(?:php|=)\s", re.IGNORECASE), "a PHP script"),
    (re.compile(rb"Rar!\x1a\x07[\x00\x01]"), "a RAR archive"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c\0"), "a 7-Zip archive"),
)
_AT_END = (
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"\x1f\x8b\x08[\0-\x1f]"), "gzip data"),
    (re.compile(rb"\xfd7zXZ\0"), "xz data"),
    (re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01"), "an ELF program"),
    (re.compile(rb"\xca\xfe\xba\xbe\0|\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe"), "a Java class or macOS program"),
    (re.compile(rb"#!\s*/"), "a script"),
)
_WEAK = frozenset({"audio/mpeg", "audio/aac"})
"""Types told by two bytes, which chance writes behind a file too."""
_OF_PHONES = frozenset({"image/jpeg", "video/mp4", "video/quicktime"})
"""What phones append to a JPEG: gain maps, depth maps and previews (CIPA DC-007), and the clip of a motion
photo."""
_DIRECTORY_END = 22
"""Bytes of a ZIP's end record (APPNOTE §4.3.16) without its comment, which has up to 65535."""


def check_alone(data: bytes, mime: str, end: int) -> None:
    """Refuse, with `MalformedMediaError`, a file of type `mime` that ends at `end` if it is another one as
    well."""
    document = None if mime == PDF else _document(data)
    if found := _archive(data) or document or _behind(data[end:], mime):
        raise MalformedMediaError(
            f"The {mime} also holds {found}: two files in one.",
            "Send the media alone, saved anew by an editor.",
        )


def _document(data: bytes) -> str | None:
    return "a PDF document" if _PDF.search(data, 0, 1024) else None


def _archive(data: bytes) -> str | None:
    """A ZIP whose end record, near the file's end, leads to a directory."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - _DIRECTORY_END - 65_535))
    if at < 0:
        return None
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    directory = data[max(0, at - size) : at][:4] == b"PK\x01\x02"
    return "a ZIP archive" if directory or data[max(0, at - 20) : at][:4] == b"PK\x06\x07" else None


def _behind(tail: bytes, mime: str) -> str | None:
    for pattern, name in _BEHIND:
        if pattern.search(tail):
            return name
    start = tail.lstrip(b"\0\t\n\r ")
    for pattern, name in _AT_END:
        if pattern.match(start):
            return name
    return _program(start) or _other_media(tail, len(tail) - len(start), mime)


def _program(start: bytes) -> str | None:
    """A Windows program: its old header leads to the new one."""
    header = int.from_bytes(start[60:64], "little")
    return "a Windows program" if start[:2] == b"MZ" and start[header : header + 4] == b"PE\0\0" else None


def _other_media(tail: bytes, begin: int, mime: str) -> str | None:
    """Another type right there, or up to four bytes before: the size that opens an MP4 resembles padding."""
    welcome = {None, mime, *_WEAK, *(_OF_PHONES if mime == "image/jpeg" else ())}
    others = (sniff_binary(tail[at:]) for at in range(begin, max(begin - 5, -1), -1))
    return next((f"{other} data" for other in others if other not in welcome), None)
