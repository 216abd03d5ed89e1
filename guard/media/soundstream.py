"""Sound that comes and goes in pieces: decoded from bytes as they arrive, encoded as it is made."""

from __future__ import annotations

import threading
from io import RawIOBase
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from guard.errors import GuardError, InputError, MalformedMediaError, UnsupportedMediaError
from guard.media.coding import coding_for
from guard.media.formats import canonical_mime
from guard.media.limits import Limits
from guard.media.riff import wav_head
from guard.media.sound import check_sound, codec_errors, sink_for
from guard.media.stream import Samples, demuxer, reason, sound_blocks, sound_track

__all__ = ["STREAMED", "SoundReader", "SoundWriter"]

STREAMED = ("audio/wav", "audio/mpeg", "audio/flac", "audio/ogg", "audio/aac", "audio/pcm")
"""Types that can be read and written piece by piece; MP4 keeps at its end how to read it."""
_AT_ONCE = {"probesize": "4096", "analyzeduration": "0"}
"""FFmpeg would else wait for five seconds of sound before it gives out the first."""


_AT_A_TIME = 1024
"""Bytes that FFmpeg asks for."""


class SoundReader:
    """Decodes a sound as its bytes arrive, however they are split, in memory bounded by the largest piece.

    FFmpeg pulls its bytes, and waits where there are none yet: so it has a thread of its own. That runs only
    while `feed` or `finish` wait for it to ask for more, so the same pieces always give the same samples.
    They are those of the whole file, but an MP3 keeps what its encoder put behind the end.
    Call `finish` or `close`, or use the reader as a context.
    """

    def __init__(self, mime: str, limits: Limits | None = None) -> None:
        """Raises `UnsupportedMediaError` for types other than `STREAMED`."""
        self._decoder = _Decoder(_streamed(mime), limits or Limits())

    def feed(self, data: bytes) -> list[Samples]:
        """The sound that these bytes complete.

        Raises `MalformedMediaError` for corrupt bytes and `LimitExceededError` as soon as the sound is too
        large, lasts too long or unfolds too far; the reader is of no more use then.
        """
        return self._decoder.step(data, last=False)

    def finish(self) -> list[Samples]:
        """The rest of the sound. Raises as `feed`, and `MalformedMediaError` where there was none at all."""
        return self._decoder.step(b"", last=True)

    def close(self) -> None:
        """End early; does nothing after `finish`."""
        self._decoder.abandon()

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # The thread knows the decoder, not the reader: one that is forgotten lets its thread go.
        if hasattr(self, "_decoder"):
            self.close()


class _Decoder:
    """FFmpeg in its thread, taking turns with the caller."""

    def __init__(self, mime: str, limits: Limits) -> None:
        self._mime, self._limits = mime, limits
        self._turn = threading.Condition()
        self._bytes = bytearray()
        self._fed = self._count = 0
        self._ended = self._hungry = self._over = False
        self._blocks: list[Samples] = []
        self._error: Exception | None = None
        threading.Thread(target=self._run, name="guard-sound-reader", daemon=True).start()

    def step(self, data: bytes, *, last: bool) -> list[Samples]:
        """Hand over bytes and wait until they are used up."""
        self._fed += len(data)
        self._limits.check_bytes(self._fed)
        with self._turn:
            self._bytes += data
            self._ended |= last
            self._hungry = False
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._hungry or self._over)
        return self._taken(last)

    def abandon(self) -> None:
        """No more bytes will come, and no one waits for samples."""
        with self._turn:
            self._bytes.clear()
            self._ended = True
            self._turn.notify_all()

    def read(self, size: int) -> bytes:
        """For FFmpeg: all it asks for, less only at the end, since some of its readers lose short pieces."""
        with self._turn:
            while len(self._bytes) < size and not self._ended:
                self._hungry = True
                self._turn.notify_all()
                self._turn.wait()
            taken = bytes(self._bytes[:size])
            del self._bytes[:size]
            return taken

    def _taken(self, last: bool) -> list[Samples]:
        blocks, self._blocks = self._blocks, []
        if isinstance(self._error, GuardError):
            raise self._error
        if self._error is not None:
            # A decoder fed with bytes that nobody meant it to read may raise anything.
            raise MalformedMediaError(
                f"The {self._mime} cannot be decoded: {reason(self._error)}.", "Send an intact stream."
            ) from self._error
        if last and not self._count:
            raise MalformedMediaError("The stream holds no sound.", "Send an intact one.")
        if not blocks:
            return []
        return [Samples(blocks[0].rate, np.concatenate([block.data for block in blocks]))]

    def _run(self) -> None:
        try:
            self._decode()
        except Exception as error:  # goes to the caller, who waits for it
            self._error = error
        with self._turn:
            self._over = True
            self._turn.notify_all()

    def _decode(self) -> None:
        format_name, options = demuxer(self._mime)
        source: Any = self
        with av.open(
            source,
            format=format_name,
            options=options | _AT_ONCE,
            buffer_size=_AT_A_TIME,
            metadata_errors="replace",
        ) as container:
            for rate, block in sound_blocks(container, sound_track(container)):
                self._count += len(block)
                self._limits.check_duration(self._count / rate)
                self._limits.check_expansion(self._count * block.shape[1] * 4, self._fed)
                self._blocks.append(Samples(rate, block))


class SoundWriter:
    """Encodes a sound as it is made, and never goes back: its length is nowhere in what it writes.

    A WAV says 0xFFFFFFFF for its length, which players take for "until the end". Rates that the codec does
    not know are changed as `guard.media.sound.encode_sound` does.
    """

    def __init__(self, mime: str, rate: int, channels: int) -> None:
        """Raises `UnsupportedMediaError` for types other than `STREAMED` and what they cannot hold."""
        self._mime, self._channels, self._count = _streamed(mime), channels, 0
        self._out = _Outlet()
        coding = coding_for(self._mime, channels, None)
        with codec_errors(self._mime):
            self._sink = sink_for(self._out, self._mime, coding, rate, channels, live=True)
        if self._mime == "audio/wav":
            self._out.write(wav_head(rate, channels, coding.depth, None))

    def write(self, block: NDArray[np.float32]) -> bytes:
        """What can leave once float32 (n, channels) has come. Raises `InputError` for what is no sound."""
        check_sound(block, self._channels)
        self._count += len(block)
        if len(block):
            with codec_errors(self._mime):
                self._sink.write(block)
        return self._out.taken()

    def finish(self) -> bytes:
        """The rest. Raises `InputError` where there was no sound at all."""
        if not self._count:
            raise InputError("There is no sound to write: zero samples.", "Give at least one.")
        with codec_errors(self._mime):
            self._sink.close()
        return self._out.taken()


class _Outlet(RawIOBase):
    """A file that is only written, and emptied as it fills."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """All that was written since this was asked last."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _streamed(mime: str) -> str:
    name = canonical_mime(mime)
    if name not in STREAMED:
        raise UnsupportedMediaError(
            f"Guard handles no {mime} piece by piece.", f"Use one of {', '.join(STREAMED)}."
        )
    return name
