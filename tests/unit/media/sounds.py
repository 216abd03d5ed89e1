"""Sounds to write, and files of them with tags, made by other programs' writers."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import soundfile
from av.stream import Disposition
from numpy.typing import NDArray
from PIL import Image

from guard.media.stream import Samples

TAGS = {"title": "Tïtle", "artist": "Someone", "album": "Songs"}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def chords(rate: int = 48_000, channels: int = 2, seconds: float = 0.75, seed: int = 0) -> Samples:
    """Two tones a channel and some noise, at no more than half of full scale."""
    random = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds))[:, None] / rate
    tones = np.sin(2 * np.pi * (300 + 70 * np.arange(channels)) * time)
    tones += np.sin(2 * np.pi * (1_100 + 170 * np.arange(channels)) * time)
    return Samples(rate, (0.2 * tones + random.normal(0, 0.01, tones.shape)).astype(np.float32))


def encoded(
    sound: Samples,
    muxer: str,
    codec: str,
    *,
    bit_rate: int = 0,
    cover: bool = False,
    tags: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    sample_format: str = "fltp",
) -> bytes:
    """The sound as FFmpeg writes it."""
    out = io.BytesIO()
    layout = LAYOUTS[sound.data.shape[1]]
    with av.open(out, "w", format=muxer) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=sound.rate, layout=layout, options=options or {})
        stream.codec_context.format = sample_format
        if bit_rate:
            stream.bit_rate = bit_rate
        if cover:
            _add_cover(container)
        frame = av.AudioFrame.from_ndarray(_flat(sound.data), format="flt", layout=layout)
        frame.sample_rate, frame.time_base, frame.pts = sound.rate, Fraction(1, sound.rate), 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def written(sound: Samples, kind: str, subtype: str) -> bytes:
    """The sound as libsndfile writes it."""
    out = io.BytesIO()
    soundfile.write(out, sound.data, sound.rate, format=kind, subtype=subtype)
    return out.getvalue()


def tags_of(data: bytes, demuxer: str) -> dict[str, str]:
    """The tags of a file that `TAGS` names, as FFmpeg reads them."""
    with av.open(io.BytesIO(data), format=demuxer) as container:
        found = dict(container.metadata) | dict(container.streams.audio[0].metadata)
    return {name.lower(): value for name, value in found.items() if name.lower() in TAGS}


def cover_of(data: bytes, demuxer: str) -> bytes | None:
    """The cover art, as FFmpeg finds it."""
    with av.open(io.BytesIO(data), format=demuxer) as container:
        pictures = container.streams.video
        return bytes(next(container.demux(pictures[0]))) if pictures else None


def _add_cover(container: av.container.OutputContainer) -> None:
    picture = container.add_stream("mjpeg")
    picture.width = picture.height = 48
    picture.pix_fmt = "yuvj420p"
    picture.disposition = Disposition.attached_pic
    frame = av.VideoFrame.from_image(Image.new("RGB", (48, 48), (200, 30, 30))).reformat(format="yuvj420p")
    container.mux(picture.encode(frame))
    container.mux(picture.encode(None))


def _flat(data: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(data.reshape(1, -1))
