"""Sound and video, decoded by FFmpeg through PyAV, piece by piece and within limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from guard.errors import GuardError, MalformedMediaError, UnsupportedMediaError
from guard.media.formats import PCM, PCM_RATE, format_of
from guard.media.limits import Limits

__all__ = [
    "Samples",
    "VideoFrame",
    "decode_blocks",
    "decode_frames",
    "decode_samples",
    "demuxer",
    "duration",
    "gathered",
    "joined",
    "opened",
    "reason",
    "sound_blocks",
    "sound_track",
]

_GATHERED = 1 << 18
_PADDING = 8192
"""Samples behind a sound's end that may still be an encoder's padding: two frames of AAC, four of HE-AAC."""
_MOST_CHANNELS = 64
"""FFmpeg converts no more."""
_Block = tuple[int, NDArray[np.float32]]


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
    """All of the first sound track, at its own rate, in as much memory as it takes.

    Raises as `decode_blocks`.
    """
    return joined(decode_blocks(data, mime, limits))


def joined(blocks: Iterable[Samples]) -> Samples:
    """The blocks, of which there is one at least, as one sound.

    A `bytearray` grows in place where it can: an hour of stereo is 1.2 GiB, which is not wanted twice.
    """
    rate, channels, held = 0, 0, bytearray()
    for block in blocks:
        rate, channels = block.rate, block.data.shape[1]
        held += np.ascontiguousarray(block.data).data.cast("B")
    return Samples(rate, np.frombuffer(held, np.float32).reshape(-1, channels))


def decode_blocks(data: bytes, mime: str, limits: Limits) -> Iterator[Samples]:
    """The first sound track in blocks of at least 2¹⁸ samples but for the last; what encoders padded it with
    is left out as far as the file tells.

    Raises `MalformedMediaError` where it is corrupt, holds something other than numbers, or there is none,
    `UnsupportedMediaError` where there is no track that Guard decodes, and `LimitExceededError` as soon as it
    grows too long or unfolds too far.
    """
    count = 0
    with opened(data, mime) as container:
        track = sound_track(container)
        heard = _without_padding(sound_blocks(container, track), _end(container, track))
        for rate, block in gathered(heard):
            count += len(block)
            limits.check_duration(count / rate)
            limits.check_expansion(count * block.shape[1] * 4, len(data))
            yield Samples(rate, block)
    if not count:
        raise MalformedMediaError("The sound track holds no sound.", "Send an intact file.")


def decode_frames(data: bytes, mime: str, limits: Limits) -> Iterator[VideoFrame]:
    """The frames of the first video track, one at a time.

    Raises as `decode_samples`, and while it is iterated: a frame that was yielded was within limits and
    intact.
    """
    count = 0
    with opened(data, mime) as container:
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
    with opened(data, mime) as container:
        if container.duration is not None:
            seconds = container.duration / av.time_base
            limits.check_duration(seconds)
            return float(seconds)
        silent = not container.streams.audio
    if silent:
        return max(frame.time for frame in decode_frames(data, mime, limits))
    return sum(block.duration for block in decode_blocks(data, mime, limits))


def gathered(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """The blocks put together to larger ones."""
    rate, held, count = 0, [], 0
    for rate, block in blocks:
        held.append(block)
        count += len(block)
        if count >= _GATHERED:
            yield rate, np.concatenate(held)
            held, count = [], 0
    if held:
        yield rate, np.concatenate(held)


def sound_blocks(container: Any, stream: Any) -> Iterator[_Block]:
    """The rate and the samples (n, channels), as the decoder gives them out. Raises `MalformedMediaError` for
    sound that is no sound."""
    # Interleaved: PyAV's planes of more than eight channels run past the end of a list that FFmpeg keeps.
    resampler = av.AudioResampler(format="flt")
    shape: tuple[int, int] | None = None
    count = 0
    for frame in container.decode(stream):
        found = (frame.sample_rate, frame.layout.nb_channels)
        if shape is not None and found != shape:
            raise MalformedMediaError(
                "The sound changes its rate or its channels on the way.", "Send it with one of each."
            )
        shape = found
        if found[1] > _MOST_CHANNELS:
            raise UnsupportedMediaError(
                f"The sound has {found[1]} channels; Guard decodes up to {_MOST_CHANNELS}.",
                "Mix it down to the 8 of a 7.1 layout or fewer.",
            )
        for block in resampler.resample(frame):
            samples = block.to_ndarray().reshape(-1, found[1])
            if not np.isfinite(samples).all():
                raise MalformedMediaError(
                    f"The sound holds values that are no numbers, {count / found[0]:.1f} s from its start.",
                    "Render it anew.",
                )
            yield block.sample_rate, samples
            count += len(samples)


def _without_padding(blocks: Iterable[_Block], seconds: float | None) -> Iterator[_Block]:
    """The blocks without what an encoder put behind their end to fill its last frames.

    A sound that goes on for longer than that is given whole: not every player stops where the file says.
    """
    count, held = 0, list[_Block]()
    for rate, block in blocks:
        end = round(seconds * rate) if seconds else count + len(block)
        heard = max(0, end - count)
        count += len(block)
        yield rate, block[:heard]
        if heard < len(block):  # an empty view would keep the whole block
            held.append((rate, block[heard:]))
        if count > end + _PADDING:
            yield from held
            held.clear()


def _end(container: Any, stream: Any) -> float | None:
    """Seconds until the end of MP4's edit list (ISO/IEC 14496-12 §8.6.6), of which FFmpeg heeds the start
    alone."""
    if "mov" not in container.format.name or not stream.duration:
        return None
    return float(stream.duration * stream.time_base)


def sound_track(container: Any) -> Any:
    """The first sound track. Raises `UnsupportedMediaError` where there is none that FFmpeg decodes."""
    track = _first(container.streams.audio, "sound")
    if track.codec_context is None:
        raise UnsupportedMediaError(
            "The sound track is encrypted, or of a codec that Guard does not decode.",
            "Send it unprotected, as WAV, FLAC, MP3, AAC, Opus or Vorbis.",
        )
    return track


def _first(streams: Any, kind: str) -> Any:
    if not streams:
        raise UnsupportedMediaError(f"The file has no {kind} track.", f"Send one with a {kind} track.")
    return streams[0]


def demuxer(mime: str) -> tuple[str | None, dict[str, str]]:
    """FFmpeg's name for what reads the type, and what it must be told since the bytes do not say it."""
    name = format_of(mime).demuxer
    return name, {"sample_rate": str(PCM_RATE), "ch_layout": "mono"} if mime == PCM else {}


@contextmanager
def opened(data: bytes, mime: str) -> Iterator[Any]:
    """The container, read by the demuxer of the sniffed type alone: others follow links to files and
    addresses."""
    try:
        name, options = demuxer(mime)
        # Tags are in whatever encoding their writer liked, and of no interest here.
        with av.open(BytesIO(data), format=name, options=options, metadata_errors="replace") as container:
            yield container
    except GuardError:
        raise
    except Exception as error:
        # A decoder fed with bytes that nobody meant it to read may raise anything.
        raise MalformedMediaError(
            f"The {mime} cannot be decoded: {reason(error)}.", "Send an intact file."
        ) from error


def reason(error: Exception) -> str:
    """What FFmpeg or another library said, in short."""
    log = getattr(error, "log", None)
    said = str(log[2]) if log else getattr(error, "strerror", None) or str(error)
    return " ".join(said.split()).rstrip(".") or type(error).__name__
