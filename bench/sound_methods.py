"""The watermarks that are compared: the dipole mark and what the machine has of its peers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
import soxr

from bench.sound_perth import stand_in
from guard.errors import GuardError
from guard.media.stream import Samples
from guard.watermark import perth
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["KEY", "LOST", "PAYLOAD", "AudioSealNet", "Dipole", "Method", "made", "told"]

KEY = b"the key of the benchmark"
PAYLOAD = Payload(0x5EED_CAFE_0123_4567)
READ, SHORT, KNOWN, LOST, WRONG = "read", "short", "known", "lost", "wrong"
"""What came back: the whole message; its upper half; that this known one is there; nothing; another."""


class Method(Protocol):
    """A watermark with a fixed message."""

    name: str
    bits: int

    def mark(self, sound: Samples) -> Samples:
        """A marked copy. Raises `GuardError` where it cannot be."""

    def reads(self, sound: Samples) -> str:
        """`READ`, `SHORT`, `LOST` or `WRONG`."""

    def knows(self, sound: Samples) -> bool:
        """Whether it can tell that its message is there, being told which."""


class Dipole:
    name, bits = "dipole", 64

    def mark(self, sound: Samples) -> Samples:
        from guard.watermark.dipole import embed

        data = embed(sound.data, sound.rate, PAYLOAD, key=KEY, strength=Strength.DEFAULT)
        return Samples(sound.rate, data)

    def reads(self, sound: Samples) -> str:
        from guard.watermark.dipole import read

        return told(read(sound.data, sound.rate, keys=[KEY]))

    def knows(self, sound: Samples) -> bool:
        from guard.watermark.dipole import detect

        return detect(sound.data, sound.rate, PAYLOAD, keys=[KEY]).state is ReadingState.FOUND


def told(reading: Reading) -> str:
    """The outcome of a reading that knew nothing beforehand."""
    if reading.payload is not None:
        return READ if reading.payload == PAYLOAD else WRONG
    if reading.short_id is not None:
        return SHORT if reading.short_id == PAYLOAD.short_id else WRONG
    return LOST


class Forgetful:
    """What the others have in common: none can look for a message that it is told."""

    def knows(self, sound: Samples) -> bool:
        del sound
        return False


class Perth(Forgetful):
    """PerTh: one bit, no key. Marks each channel by itself; reads the mean of all."""

    name, bits = "PerTh", 1

    def __init__(self) -> None:
        stand_in()
        self._package = perth.watermarker()

    def mark(self, sound: Samples) -> Samples:
        marked = [self._package.apply_watermark(c, sample_rate=sound.rate) for c in sound.data.T]
        data = np.stack(marked, axis=1)[: len(sound.data)].astype(np.float32)
        return Samples(sound.rate, np.pad(data, ((0, len(sound.data) - len(data)), (0, 0))))

    def reads(self, sound: Samples) -> str:
        found = perth.read(sound.data, sound.rate, keys=[])
        return READ if found.state is ReadingState.FOUND else LOST


class AudioSealNet(Forgetful):
    """AudioSeal's networks as its cards describe them, with random weights: good for times alone."""

    name, bits = "AudioSeal", 16

    def __init__(self) -> None:
        import torch

        from guard.watermark.audioseal_nets import detector_of, generator_of

        torch.set_num_threads(1)
        self._torch = torch
        self._generator, self._detector = generator_of({}), detector_of({})

    def mark(self, sound: Samples) -> Samples:
        data = self._at_16k(sound)
        with self._torch.inference_mode():
            self._generator.get_watermark(data, message=self._torch.zeros((1, 16)))
        return sound

    def reads(self, sound: Samples) -> str:
        with self._torch.inference_mode():
            self._detector.detect_watermark(self._at_16k(sound))
        return LOST

    def _at_16k(self, sound: Samples) -> Any:
        mono = soxr.resample(sound.data.mean(1), sound.rate, 16000)
        return self._torch.from_numpy(np.asarray(mono, np.float32)).reshape(1, 1, -1)


class Audiowmark(Forgetful):
    """The program audiowmark: 128 bits without a check; here both halves are the payload."""

    name, bits = "audiowmark", 128
    _MESSAGE = PAYLOAD.hex * 2

    def __init__(self) -> None:
        if shutil.which("audiowmark") is None:
            raise ImportError("there is no program audiowmark on the path")

    def mark(self, sound: Samples) -> Samples:
        with tempfile.TemporaryDirectory() as folder:
            before, after = Path(folder) / "before.wav", Path(folder) / "after.wav"
            soundfile.write(before, sound.data, sound.rate)
            subprocess.run(
                ["audiowmark", "add", before, after, self._MESSAGE], check=True, capture_output=True
            )
            data, rate = soundfile.read(after, dtype="float32", always_2d=True)
        return Samples(rate, data)

    def reads(self, sound: Samples) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sound.wav"
            soundfile.write(path, sound.data, sound.rate)
            ran = subprocess.run(
                ["audiowmark", "get", "--detect-speed", path], capture_output=True, text=True, check=False
            )
        return READ if self._MESSAGE in ran.stdout else LOST


def made(names: tuple[str, ...]) -> Iterator[Method]:
    """The methods of these names that work here; says plainly which do not, and why."""
    makers: dict[str, Callable[[], Method]] = {"dipole": Dipole, "perth": Perth, "audiowmark": Audiowmark}
    for name in names:
        try:
            yield makers[name]()
        except (ImportError, GuardError) as error:
            print(f"{name} is not compared: {error}")
