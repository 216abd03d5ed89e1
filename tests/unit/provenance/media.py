"""Small files made on the spot, one for each type that carries credentials."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from guard.media import Artifact, Modality

__all__ = ["SIGNABLE", "TEXTS", "UNSEEN", "image", "make", "text"]

_IMAGES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/avif": "AVIF",
}
_STREAMS = {
    "audio/wav": ("wav", "pcm_s16le"),
    "audio/mpeg": ("mp3", "libmp3lame"),
    "audio/flac": ("flac", "flac"),
    "audio/mp4": ("ipod", "aac"),
    "audio/ogg": ("ogg", "libopus"),
    "video/mp4": ("mp4", "mpeg4"),
    "video/quicktime": ("mov", "mpeg4"),
    "video/x-msvideo": ("avi", "mpeg4"),
}
TEXTS = {
    "text/plain": "The hill is green.\n",
    "text/markdown": "# Hill\n\nThe hill is green.\n",
    "text/html": "<!doctype html>\n<html><head></head>\n<body>The hill is green.</body></html>\n",
}
UNSEEN = ["image/heic", "image/jxl", "image/svg+xml", "application/pdf"]
"""Types that Guard signs and verifies, and cannot look into."""
SIGNABLE = [*(mime for mime in (*_IMAGES, *_STREAMS) if mime != "audio/ogg"), *UNSEEN]


def make(mime: str, seed: int = 0) -> Artifact:
    """A small file of this type; another `seed` gives other content."""
    if mime in _IMAGES:
        return image(mime, seed)
    if mime in TEXTS:
        return Artifact(
            Modality.TEXT, mime, TEXTS[mime].replace("hill", f"hill {seed}" if seed else "hill").encode()
        )
    if mime in UNSEEN:
        kind = Modality.DOCUMENT if mime == "application/pdf" else Modality.IMAGE
        return Artifact(kind, mime, _unseen(mime, np.random.default_rng(seed).bytes(600)))
    if mime.startswith("audio/"):
        return Artifact(Modality.AUDIO, mime, _sound(*_STREAMS[mime], seed))
    return Artifact(Modality.VIDEO, mime, _film(*_STREAMS[mime], seed))


def image(mime: str = "image/jpeg", seed: int = 0, side: int = 64) -> Artifact:
    """A square picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, _IMAGES[mime])
    return Artifact(Modality.IMAGE, mime, buffer.getvalue())


def text(content: str) -> Artifact:
    """Plain text."""
    return Artifact(Modality.TEXT, "text/plain", content.encode())


def _unseen(mime: str, content: bytes) -> bytes:
    """The frame of such a file around `content`, which no program needs to understand here."""
    if mime == "image/svg+xml":
        drawn = f'<path d="M 0 {int.from_bytes(content[:2], "big")} L {content.hex()}"/>'
        return f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">{drawn}</svg>\n'.encode()
    if mime == "image/jxl":
        head = _box(b"JXL ", b"\r\n\x87\n") + _box(b"ftyp", b"jxl \0\0\0\0jxl ")
        return head + _box(b"jxlc", b"\xff\x0a" + content)
    if mime == "image/heic":
        handler = _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
        meta = _box(b"meta", bytes(4) + handler + _box(b"pitm", bytes(4) + b"\0\1"))
        return _box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta + _box(b"mdat", content)
    return _pdf(content)


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def _pdf(content: bytes) -> bytes:
    """A document of one empty page, with a stream in it."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%% " % (2 * len(content) + 2) + content.hex().encode() + b"\nendstream",
    ]
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + rows
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    return data + table + trailer


def _sound(container: str, codec: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        noise = np.random.default_rng(seed).integers(-9_000, 9_000, (1, 9_600), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return buffer.getvalue()


def _film(container: str, codec: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        shade = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        for _ in range(5):
            for packet in stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")):
                output.mux(packet)
        for packet in stream.encode(None):
            output.mux(packet)
    return buffer.getvalue()
