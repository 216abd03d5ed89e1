"""Parts of MP4 and its kin that no signature covers, although something may be kept there.

The hash of BMFF files leaves out the boxes `ftyp`, `free`, `skip`, `mfra` and `uuid` at the top, so that a
manifest fits in and players may pad (C2PA 2.4 §18.6). XMP, where the labels of some laws live, is in a `uuid`
box. Anyone can write there without the credential noticing, so what is there is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from guard.provenance.binding import Hole

__all__ = ["exclusion_warnings", "unhashed_warnings"]

_MANIFEST = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_MOST_BOXES = 10_000
_MOST_NAMED = 8
_TIFF_COUNT = 4
_BRANDS = range(16, 4096)


def exclusion_warnings(mime: str, holes: Sequence[Hole]) -> tuple[str, ...]:
    """A sentence where a signer left more than the manifest's place out of the hash; `holes` are then all
    parts that were left out. TIFF has to leave out the four bytes that say how long the manifest is."""
    by_need = mime == "image/tiff" and sorted(hole.length for hole in holes)[:-1] == [_TIFF_COUNT]
    if not holes or by_need:
        return ()
    places = [f"{hole.length:,} bytes at {hole.start:,}" for hole in holes[:_MOST_NAMED]]
    more = ["others"] if len(holes) > _MOST_NAMED else []
    return (
        f"Its signer left parts of the file unsigned: {', '.join([*places, *more])}. One of them holds the "
        "credential; what is in the others, anyone may have changed.",
    )


class _Box(NamedTuple):
    kind: bytes
    start: int
    content: int
    end: int


def unhashed_warnings(data: bytes) -> tuple[str, ...]:
    """One sentence for each such part of a BMFF file that holds more than zeros, none for other types."""
    if data[4:8] not in (b"ftyp", b"styp"):
        return ()
    found = [f"The signature does not cover {what}." for what in _parts(data)]
    more = len(found) - _MOST_NAMED
    return tuple(found[:_MOST_NAMED] + ([f"It does not cover {more} more such parts."] if more > 0 else []))


def _parts(data: bytes) -> Iterator[str]:
    for box in _boxes(data):
        size = f"{box.end - box.start:,} bytes at {box.start:,}"
        if box.kind == b"uuid":
            name = data[box.content : box.content + 16]
            if name == _XMP:
                yield f"the XMP metadata of the file ({size}), which anyone may have changed"
            elif name != _MANIFEST:
                yield f"a “uuid” box ({size}), which anyone may have changed"
        elif box.kind in (b"free", b"skip") and any(data[box.content : box.end]):
            yield f"a “{box.kind.decode()}” box that is not empty ({size})"
        elif box.kind == b"mfra":
            yield f"the “mfra” box ({size}), an index for seeking"
        elif box.kind == b"ftyp" and box.end - box.start not in _BRANDS:
            yield f"an “ftyp” box of unusual size ({size})"


def _boxes(data: bytes) -> Iterator[_Box]:
    """The boxes at the top (ISO/IEC 14496-12 §4.2), as far as they are sound."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        size, content = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, content = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = len(data) if size == 0 else at + size
        if not content <= end <= len(data):
            return
        yield _Box(data[at + 4 : at + 8], at, content, end)
        at = end
