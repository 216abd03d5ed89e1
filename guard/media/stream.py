"""Sound and video, decoded by FFmpeg through PyAV, piece by piece and within limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from guard.errors import GuardError, MalformedMediaError, UnsupportedMediaError
from guard.media.formats import format_of
from guard.media.limits import Limits

__all__ = ["Samples", "VideoFrame", "decode_frames", "decode_samples", "duration"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Sound: `rate` in Hz and `data` float32 (n, channels), full scale ±1."""

    rate: int
    data: NDArray[np.float32]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.data) / self.rate


class VideoFrame(NamedTuple):
    """A frame, RGB uint8 (H, W, 3), upright, and when it is shown, in seconds from the start."""

    time: float
    pixels: NDArray[np.uint8]


def decode_samples(data: bytes, mime: str, limits: Limits) -> Samples:
    """All of the first sound track, at its own rate.

    Raises `MalformedMediaError` where it is corrupt or there is none, `LimitExceededError` as soon as it
    grows too long or unfolds too far.
    """
    with _opened(data, mime) as container:
        stream = _first(container.streams.audio, "sound")
        blocks: list[NDArray[np.float32]] = []
        rate, count = 0, 0
        for rate, block in _blocks(container, stream):
            count += len(block)
            limits.check_duration(count / rate)
            limits.check_expansion(count * block.shape[1] * 4, len(data))
            blocks.append(block)
    if not blocks:
        raise MalformedMediaError("The sound track holds no sound.", "Send an intact file.")
    return Samples(rate, np.concatenate(blocks))


def decode_frames(data: bytes, mime: str, limits: Limits) -> Iterator[VideoFrame]:
    """The frames of the first video track, one at a time.

    Raises as `decode_samples`, and while it is iterated: a frame that was yielded was within limits and
    intact.
    """
    count = 0
    with _opened(data, mime) as container:
        stream = _first(container.streams.video, "picture")
        limits.check_frame(stream.codec_context.width, stream.codec_context.height)
        # Frames may grow after the header: the decoder itself holds them to the limit.
        stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
        for frame in container.decode(stream):
            count += 1
            limits.check_video_frames(count)
            limits.check_frame(frame.width, frame.height)
            time = float(frame.time or 0.0)
            limits.check_duration(time)
            turned = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
            yield VideoFrame(time, np.ascontiguousarray(turned))
    if not count:
        raise MalformedMediaError("The video holds no frames.", "Send an intact file.")


def duration(data: bytes, mime: str, limits: Limits) -> float:
    """Seconds, as the file's header says, or counted where it says nothing."""
    with _opened(data, mime) as container:
        if container.duration is not None:
            seconds = container.duration / av.time_base
            limits.check_duration(seconds)
            return float(seconds)
        silent = not container.streams.audio
    if silent:
        return max(frame.time for frame in decode_frames(data, mime, limits))
    return decode_samples(data, mime, limits).duration


def _blocks(container: Any, stream: Any) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The rate and the samples (n, channels), as the decoder gives them out."""
    # Interleaved: PyAV's planes of more than eight channels run past the end of a list that FFmpeg keeps.
    resampler = av.AudioResampler(format="flt")
    shape: tuple[int, int] | None = None
    for frame in container.decode(stream):
        found = (frame.sample_rate, frame.layout.nb_channels)
        if shape is not None and found != shape:
            raise MalformedMediaError(
                "The sound changes its rate or its channels on the way.", "Send it with one of each."
            )
        shape = found
        for block in resampler.resample(frame):
            yield block.sample_rate, block.to_ndarray().reshape(-1, found[1])


def _first(streams: Any, kind: str) -> Any:
    if not streams:
        raise UnsupportedMediaError(f"The file has no {kind} track.", f"Send one with a {kind} track.")
    return streams[0]


@contextmanager
def _opened(data: bytes, mime: str) -> Iterator[Any]:
    """The container, read by the demuxer of the sniffed type alone: others follow links to files and
    addresses."""
    try:
        with av.open(BytesIO(data), format=format_of(mime).demuxer) as container:
            yield container
    except GuardError:
        raise
    except Exception as error:
        # A decoder fed with bytes that nobody meant it to read may raise anything.
        raise MalformedMediaError(
            f"The {mime} cannot be decoded: {error}.", "Send an intact file."
        ) from error
