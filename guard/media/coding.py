"""How a sound is coded: what its file tells, and what a new one gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import av

from guard.errors import UnsupportedMediaError
from guard.media.formats import PCM, canonical_mime
from guard.media.riff import Depth
from guard.media.stream import opened, sound_track

__all__ = ["Coding", "coding_for", "coding_of"]

_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_CODECS = {
    "audio/wav": ("pcm",),
    PCM: ("pcm",),
    "audio/flac": ("flac",),
    "audio/mpeg": ("libmp3lame",),
    "audio/mp4": ("aac", "alac"),
    "audio/aac": ("aac",),
    "audio/ogg": ("libopus", "vorbis"),
}
"""What Guard writes, the default first."""
_ENCODERS = {"mp3": "libmp3lame", "mp3float": "libmp3lame", "opus": "libopus"}
_MOST_CHANNELS = {PCM: 1, "audio/mpeg": 2}
_BITS_PER_CHANNEL = {"libmp3lame": 96_000, "aac": 80_000, "libopus": 64_000, "vorbis": 80_000}
"""A second, where no source says how much it had."""
_PCM = re.compile(r"pcm_([usf])(8|16|24|32|64)(?:[lb]e)?$")
_LOSSLESS = frozenset({"pcm", "flac", "alac"})


@dataclass(frozen=True, slots=True)
class Coding:
    """An encoder (FFmpeg's name, or `pcm`) and what it is asked for.

    `depth` counts where nothing is lost, `bit_rate` (bits a second) elsewhere; `steady` asks for the same
    number of bits at all times, as the source had. `layout` is FFmpeg's name of the speakers.
    """

    codec: str
    depth: Depth = Depth(16)  # noqa: RUF009 - frozen
    bit_rate: int = 0
    steady: bool = False
    layout: str = "stereo"


def coding_for(mime: str, channels: int, like: Coding | None) -> Coding:
    """How to write `channels` of sound as `mime`: as the source `like` was, as far as the type can.

    Raises `UnsupportedMediaError` for types that Guard does not write and for too many channels.
    """
    mime = canonical_mime(mime)
    if mime not in _CODECS:
        raise UnsupportedMediaError(
            f"Guard writes no sound of type {mime}.", f"Use one of {', '.join(sorted(_CODECS))}."
        )
    codec = like.codec if like and like.codec in _CODECS[mime] else _CODECS[mime][0]
    most = _MOST_CHANNELS.get(mime, max(_LAYOUTS))
    if not 1 <= channels <= most:
        raise UnsupportedMediaError(
            f"{mime} holds 1 to {most} channels as Guard writes it, not {channels}.",
            "Mix them down first, or choose WAV or FLAC for up to 8 channels.",
        )
    chosen = like if like and mime != PCM else Coding(codec)
    layout = chosen.layout if _speaks(chosen.layout, channels) else _LAYOUTS[channels]
    return replace(chosen, codec=codec, layout=layout, bit_rate=_bit_rate(codec, channels, like))


def _speaks(layout: str, channels: int) -> bool:
    """Whether the layout names a speaker for each of the channels; FFmpeg's "2 channels" names none."""
    return not layout.endswith("channels") and bool(av.AudioLayout(layout).nb_channels == channels)


def _bit_rate(codec: str, channels: int, like: Coding | None) -> int:
    if codec in _LOSSLESS:
        return 0
    if like and like.codec == codec:
        return like.bit_rate
    return _BITS_PER_CHANNEL[codec] * channels


def coding_of(data: bytes, mime: str) -> Coding:
    """How the first sound track of a file is coded. Raises as `guard.media.stream.decode_samples`.

    The bit rate is counted over all packets: a header may say less than the truth, or nothing. For HE-AAC it
    is doubled, since what writes AAC here knows the plain profile only, which needs twice as many.
    """
    with opened(data, mime) as container:
        stream = sound_track(container)
        context = stream.codec_context
        codec = "pcm" if context.name.startswith("pcm_") else _ENCODERS.get(context.name, context.name)
        coding = Coding(codec, _depth(context), layout=stream.layout.name)
        if codec in _LOSSLESS:
            return coding
        packets = [(p.size, float((p.duration or 0) * stream.time_base)) for p in container.demux(stream)]
        rate, steady = _bits_a_second([packet for packet in packets if packet[1]])
        if (context.profile or "").startswith("HE"):
            rate *= 2
        return replace(coding, bit_rate=rate, steady=steady)


def _bits_a_second(packets: list[tuple[int, float]]) -> tuple[int, bool]:
    """The bit rate of packets (bytes, seconds), and whether it is the same throughout."""
    if not packets:
        return 64_000, False
    # The first may be LAME's note and the last cut off.
    inner = packets[1:-1] or packets
    sizes = [size for size, _ in inner]
    rate = 8 * sum(sizes) / sum(seconds for _, seconds in inner)
    steady = max(sizes) - min(sizes) <= 1
    # The rates of MP3 are multiples of 8 kbit/s; the odd byte of padding blurs them.
    return round(rate / 8000) * 8000 or 8000 if steady else round(rate), steady


def _depth(context: Any) -> Depth:
    """What FFmpeg gives out as 32 bits has no more than 24; of lossy sound, 16 are worth keeping."""
    if found := _PCM.match(context.name):
        return Depth(int(found[2]), floating=found[1] == "f")
    return Depth(24 if context.format.name.startswith("s32") else 16)
