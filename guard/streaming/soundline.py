"""Sound on its way from one stream of bytes into another: decoded, marked, encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from guard.media.limits import Limits
from guard.media.soundstream import SoundReader, SoundWriter
from guard.media.stream import Samples
from guard.watermark.sounds import SoundStream

__all__ = ["SoundLine"]


class SoundLine:
    """Takes the bytes of a sound of type `mime` as they come and gives those of the same, marked.

    `marker` begins the marking of a sound of so many Hz and channels, which its first samples tell; without
    one it is encoded anew and nothing else. Call `finish` or `close`.
    """

    def __init__(
        self, mime: str, limits: Limits, marker: Callable[[int, int], SoundStream] | None = None
    ) -> None:
        self.seconds = 0.0
        """How much sound was written."""
        self._mime = mime
        self._begin_marking = marker
        self._reader = SoundReader(mime, limits)
        self._marker: SoundStream | None = None
        self._writer: SoundWriter | None = None

    def feed(self, data: bytes) -> bytes:
        """What can leave once these bytes came. Raises what reader, marker and writer raise."""
        return self._through(self._reader.feed(data))

    def finish(self) -> bytes:
        """The rest."""
        made = self._through(self._reader.finish())
        assert self._writer is not None
        if self._marker is not None:
            made += self._writer.write(self._marker.finish())
        return made + self._writer.finish()

    def close(self) -> None:
        """End early."""
        self._reader.close()

    def _through(self, sounds: Sequence[Samples]) -> bytes:
        made = b""
        for sound in sounds:
            writer = self._writer or self._open(sound.rate, sound.data.shape[1])
            block = sound.data if self._marker is None else self._marker.push(sound.data)
            self.seconds += len(block) / sound.rate
            made += writer.write(block)
        return made

    def _open(self, rate: int, channels: int) -> SoundWriter:
        if self._begin_marking is not None:
            self._marker = self._begin_marking(rate, channels)
        self._writer = SoundWriter(self._mime, rate, channels)
        return self._writer
