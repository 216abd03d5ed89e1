"""The story of one picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from guard.demo.story import Fate
from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.verdict import VerdictState
from models.base import GenerationRequest

__all__ = ["fates", "request"]

request = GenerationRequest(
    "a lake at dawn with a red hot-air balloon, a small white house on the left and a woman with a dog",
    Modality.IMAGE,
    seed=11,
    mime="image/png",
    parameters={"size": "1024x768"},
)
_RESIZED = 0.7
_QUALITY = 70


def fates(released: Artifact) -> Iterator[Fate]:
    """What becomes of a picture."""
    yield Fate("01-released.png", "nothing: as it left Guard", VerdictState.TRUSTED, released.data)
    yield Fate(
        "02-reposted.jpg",
        f"metadata stripped, resized to {_RESIZED:.0%}, JPEG {_QUALITY}",
        VerdictState.RECOVERED,
        _reposted(released),
    )
    yield Fate(
        "03-edited.png", "a part pixelated, credential kept", VerdictState.ALTERED, _edited(released.data)
    )
    yield Fate("04-unrelated.jpg", "an unrelated photo", VerdictState.NO_EVIDENCE, _photo())


def _reposted(released: Artifact) -> bytes:
    """The picture as a social network would hand it on."""
    small = cv2.resize(released.picture.rgb(0), None, fx=_RESIZED, fy=_RESIZED, interpolation=cv2.INTER_AREA)
    picture = Picture.from_array(np.asarray(small))
    return Artifact.from_picture(picture, "image/jpeg", quality=_QUALITY).data


def _edited(png: bytes) -> bytes:
    """A PNG with other pixels in one place and everything else as it was, the credential included."""
    pixels = Artifact.from_bytes(png).picture.rgb(0).copy()
    height, width, _ = pixels.shape
    patch = pixels[height // 3 : height // 2, width // 3 : width // 2]
    coarse = cv2.resize(patch, (8, 8), interpolation=cv2.INTER_AREA)
    patch[...] = cv2.resize(coarse, patch.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    repainted = Artifact.from_picture(Picture.from_array(pixels), "image/png").data
    data = b"".join(body for kind, body in _chunks(repainted) if kind == b"IDAT")
    chunks = [(kind, body) for kind, body in _chunks(png) if kind != b"IDAT"]
    chunks.insert(-1, (b"IDAT", data))
    return png[:8] + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG: a length, a type, the body, a checksum (PNG 3rd ed. §5.3)."""
    start = 8
    while start < len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        yield kind, png[start + 8 : start + 8 + length]
        start += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _photo() -> bytes:
    """A real photograph that comes with matplotlib: Grace Hopper, U.S. Navy, in the public domain."""
    found = find_spec("matplotlib")  # not imported: that takes long and makes folders in the user's home
    if found is None or found.origin is None:
        raise InputError("The demo's photo comes with matplotlib, which is missing.", "Install Guard again.")
    return (Path(found.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg").read_bytes()
