"""Sound as files: written by FFmpeg through PyAV, by libsndfile (Vorbis), or by hand (WAV), as they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO, RawIOBase
from typing import IO, Protocol

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from guard.errors import InputError, UnsupportedMediaError
from guard.media.coding import Coding, coding_for, coding_of
from guard.media.formats import PCM, PCM_RATE, canonical_mime
from guard.media.riff import packed, write_wav
from guard.media.stream import reason
from guard.media.tags import with_tags

__all__ = ["Sink", "check_sound", "codec_errors", "encode_sound", "sink_for"]

_Sound = NDArray[np.float32]
_MUXERS = {
    "audio/flac": ("flac", {}),
    "audio/mpeg": ("mp3", {"id3v2_version": "0"}),
    "audio/mp4": ("ipod", {}),
    "audio/aac": ("adts", {}),
    "audio/ogg": ("ogg", {}),
}
_PAGE = "100000"
"""Microseconds of sound on a page of Ogg that someone waits for."""
_FORMATS = {"libmp3lame": "fltp", "aac": "fltp", "libopus": "flt"}
_OPTIONS = {"libmp3lame": {"abr": "1"}, "libopus": {"vbr": "constrained"}}
"""Bits where they are needed, but on average as many as were asked for."""
_RATES = {"libopus": (48_000,), "vorbis": range(8_000, 192_001), PCM: (PCM_RATE,)}
"""Opus takes other rates too, but gives all of them back as 48 kHz. On others libvorbis crashes."""
_WRITTEN = 4096
"""Samples at a time."""
_VORBIS = (45, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
"""The kbit/s that libvorbis's qualities −1 to 10 mean for stereo at 44.1 kHz."""


class Sink(Protocol):
    """Takes sound, and writes a file of it to where it was told."""

    def write(self, block: _Sound) -> None: ...
    def close(self) -> None: ...


def encode_sound(
    blocks: Iterable[_Sound], rate: int, channels: int, mime: str, like: tuple[bytes, str] | None = None
) -> bytes:
    """A file of the sound, float32 (n, channels) block after block at `rate` Hz, as `mime`.

    `like` is a file and its type: what it was coded with (codec, depth, bits a second, speakers) is used
    again, and if it is of the same type its tags and cover art go over, credentials apart. Integers hold what
    is above full scale at full scale; floating-point WAV and lossy codecs keep it. A rate that the codec does
    not know becomes the next higher one that it does. Raises `UnsupportedMediaError` for what the type cannot
    hold and `InputError` for what is no sound.
    """
    mime = canonical_mime(mime)
    coding = coding_for(mime, channels, coding_of(*like) if like else None)
    out = BytesIO()
    with codec_errors(mime):
        _write(blocks, channels, sink_for(out, mime, coding, rate, channels))
    source = like[0] if like and like[1] == mime else None
    if mime == "audio/wav":
        return write_wav(out.getvalue(), rate, channels, coding.depth, source)
    return with_tags(out.getvalue(), mime, source) if source else out.getvalue()


def _write(blocks: Iterable[_Sound], channels: int, sink: Sink) -> None:
    count = 0
    for block in blocks:
        check_sound(block, channels)
        count += len(block)
        for at in range(0, len(block), _WRITTEN):
            sink.write(block[at : at + _WRITTEN])
    if not count:
        raise InputError("There is no sound to write: zero samples.", "Give at least one.")
    sink.close()


def sink_for(
    out: IO[bytes] | RawIOBase, mime: str, coding: Coding, rate: int, channels: int, *, live: bool = False
) -> Sink:
    """Writes sound into `out` with `coding`, what comes before and after it included except for WAV's.

    `live` lets everything out at once and never goes back, as long as `out` says that it cannot seek.
    """
    if not 0 < rate < 1 << 31:
        raise InputError(f"A rate of {rate} Hz does not exist.", "Give the samples a second, such as 48000.")
    fitting = _fitting(mime if mime == PCM else coding.codec, rate)
    sink: Sink
    if coding.codec == "pcm":
        sink = _Plain(out, coding)
    elif coding.codec == "vorbis":
        sink = _Vorbis(out, coding, fitting, channels)
    else:
        sink = _Muxed(out, mime, coding, fitting, live=live)
    return sink if fitting == rate else _Resampled(sink, rate, fitting, channels)


def _fitting(codec: str, rate: int) -> int:
    """The rate itself, or the next higher one that the codec knows, or else its highest."""
    known = _RATES.get(codec) or (codec != "pcm" and av.Codec(codec, "w").audio_rates) or (rate,)
    return rate if rate in known else min((one for one in known if one >= rate), default=max(known))


def check_sound(block: _Sound, channels: int) -> None:
    """Raise `InputError` for what is not (n, channels) of numbers."""
    if block.ndim != 2 or block.shape[1] != channels:
        raise InputError(f"Sound of shape {block.shape} was given.", f"Give float32 (n, {channels}).")
    if not np.isfinite(block).all():
        raise InputError("The sound holds values that are no numbers (NaN or infinity).", "Render it anew.")


@contextmanager
def codec_errors(mime: str) -> Iterator[None]:
    """Raises `UnsupportedMediaError` for what an encoder or a muxer refuses."""
    try:
        yield
    except (av.FFmpegError, soundfile.SoundFileError, ValueError) as error:
        raise UnsupportedMediaError(
            f"The sound cannot be written as {mime}: {reason(error)}.",
            "Choose another rate, another number of channels, or WAV.",
        ) from error


class _Plain:
    """PCM without a header."""

    def __init__(self, out: IO[bytes] | RawIOBase, coding: Coding) -> None:
        self._out, self._depth = out, coding.depth

    def write(self, block: _Sound) -> None:
        self._out.write(packed(block, self._depth))

    def close(self) -> None:
        """There is no end to write."""


class _Muxed:
    """What FFmpeg encodes and wraps."""

    def __init__(
        self, out: IO[bytes] | RawIOBase, mime: str, coding: Coding, rate: int, *, live: bool
    ) -> None:
        muxer, options = _MUXERS[mime]
        if muxer == "ipod":
            # Else the end of the sound is told to the millisecond only.
            options = options | {"movie_timescale": str(rate)}
        if live:
            options = options | {"flush_packets": "1"} | ({"page_duration": _PAGE} if muxer == "ogg" else {})
        self._container = av.open(
            out, "w", format=muxer, options=options, buffer_size=4096 if live else 32_768
        )
        self._stream = self._container.add_stream(coding.codec, rate=rate, layout=coding.layout)
        self._stream.codec_context.format = _format(coding)
        if coding.bit_rate:
            self._stream.bit_rate = coding.bit_rate
        self._stream.codec_context.options = _OPTIONS.get(coding.codec, {}) if not coding.steady else {}
        self._layout, self._rate, self._count = coding.layout, rate, 0

    def write(self, block: _Sound) -> None:
        flat = np.ascontiguousarray(block, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, format="flt", layout=self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._count
        self._count += len(block)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class _Vorbis:
    """Vorbis in Ogg: FFmpeg's own encoder is experimental and of two channels only."""

    def __init__(self, out: IO[bytes] | RawIOBase, coding: Coding, rate: int, channels: int) -> None:
        kilobits = coding.bit_rate / 1000 * (2 / channels) * (44_100 / min(rate, 48_000))
        quality = float(np.interp(kilobits, _VORBIS, np.arange(-1, 11))) / 10
        self._file = soundfile.SoundFile(
            out, "w", rate, channels, "VORBIS", format="OGG", compression_level=min(1.0, 1 - quality)
        )

    def write(self, block: _Sound) -> None:
        for at in range(0, len(block), _WRITTEN):  # libvorbis keeps all it is given on its stack
            self._file.write(block[at : at + _WRITTEN])

    def close(self) -> None:
        self._file.close()


class _Resampled:
    """Brings sound to the rate of another sink."""

    def __init__(self, sink: Sink, rate: int, fitting: int, channels: int) -> None:
        self._sink, self._channels = sink, channels
        self._resampler = soxr.ResampleStream(rate, fitting, channels, dtype="float32")

    def write(self, block: _Sound) -> None:
        self._forward(block, last=False)

    def close(self) -> None:
        self._forward(np.zeros((0, self._channels), np.float32), last=True)
        self._sink.close()

    def _forward(self, block: _Sound, *, last: bool) -> None:
        resampled = self._resampler.resample_chunk(np.ascontiguousarray(block, np.float32), last=last)
        if len(resampled):
            self._sink.write(resampled.reshape(-1, self._channels))


def _format(coding: Coding) -> str:
    """FFmpeg's name for the samples that the encoder takes."""
    if coding.codec in _FORMATS:
        return _FORMATS[coding.codec]
    name = "s16" if coding.depth.bits <= 16 and not coding.depth.floating else "s32"
    return name + ("p" if coding.codec == "alac" else "")
