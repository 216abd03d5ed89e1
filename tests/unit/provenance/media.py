"""Small files made on the spot, one for each type that carries credentials."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from guard.media import Artifact, Modality

__all__ = ["SIGNABLE", "image", "make", "text"]

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
SIGNABLE = [mime for mime in (*_IMAGES, *_STREAMS) if mime != "audio/ogg"]


def make(mime: str, seed: int = 0) -> Artifact:
    """A small file of this type; another `seed` gives other content."""
    if mime in _IMAGES:
        return image(mime, seed)
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
