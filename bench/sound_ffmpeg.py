"""FFmpeg's codecs and filters, as functions from sound to sound."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from guard.media.stream import Samples

__all__ = ["coded", "decoded", "filtered", "resampled"]

_BLOCK = 1 << 14
_LAYOUTS = {1: "mono", 2: "stereo"}


class Codec(NamedTuple):
    """An encoder of FFmpeg, the container for it, and the sample rates (Hz) that it takes."""

    encoder: str
    container: str
    rates: tuple[int, ...]


_MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_CODECS = {
    "MP3": Codec("libmp3lame", "mp3", _MPEG),
    "AAC": Codec("aac", "adts", _MPEG),
    "Opus": Codec("libopus", "ogg", (8000, 12000, 16000, 24000, 48000)),
}


def resampled(sound: Samples, rate: int) -> Samples:
    """The same sound at another rate."""
    if rate == sound.rate:
        return sound
    data = soxr.resample(sound.data, sound.rate, rate, quality="HQ")
    return Samples(rate, np.asarray(data, np.float32).reshape(-1, sound.data.shape[1]))


def coded(sound: Samples, name: str, kilobits: int) -> Samples:
    """Through an encoder at that bit rate and back, at the least rate of the codec that holds the sound's."""
    codec = _CODECS[name]
    rate = next((rate for rate in codec.rates if rate >= sound.rate), codec.rates[-1])
    file = BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream: Any = container.add_stream(codec.encoder, rate=rate)
        stream.layout = _LAYOUTS[sound.data.shape[1]]
        stream.bit_rate = 1000 * kilobits
        for frame in _frames(resampled(sound, rate)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return _gathered(container.decode(audio=0))


def filtered(sound: Samples, *steps: tuple[str, str]) -> Samples:
    """Through filters of FFmpeg, each a name and its arguments."""
    graph = av.filter.Graph()
    layout = _LAYOUTS[sound.data.shape[1]]
    source = graph.add_abuffer(sample_rate=sound.rate, format="fltp", layout=layout, time_base=None)
    nodes = [source, *(graph.add(name, arguments) for name, arguments in steps), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    return _gathered(_pulled(graph, sound))


def decoded(path: Path) -> Samples:
    """The sound of a file of any kind that FFmpeg knows."""
    with av.open(str(path), metadata_errors="ignore") as container:
        return _gathered(container.decode(audio=0))


def _frames(sound: Samples) -> Iterator[Any]:
    for start in range(0, len(sound.data), _BLOCK):
        planes = np.ascontiguousarray(sound.data[start : start + _BLOCK].T)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=_LAYOUTS[len(planes)])
        frame.sample_rate, frame.pts = sound.rate, start
        yield frame


def _pulled(graph: Any, sound: Samples) -> Iterator[Any]:
    for frame in [*_frames(sound), None]:
        graph.push(frame)
        while True:
            try:
                yield graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break


def _gathered(frames: Iterator[Any]) -> Samples:
    resampler = av.AudioResampler(format="fltp")
    blocks: list[NDArray[np.float32]] = []
    rate = 0
    for frame in frames:
        for block in resampler.resample(frame):
            rate = block.sample_rate
            blocks.append(block.to_ndarray())
    return Samples(rate, np.ascontiguousarray(np.concatenate(blocks, axis=1).T, np.float32))
