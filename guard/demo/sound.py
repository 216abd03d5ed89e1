"""The story of one sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import numpy as np
import soxr

from guard.demo.story import Fate
from guard.media import Artifact, Modality
from guard.media.coding import coding_for
from guard.media.riff import chunks
from guard.media.sound import sink_for
from guard.media.stream import Samples
from guard.verdict import VerdictState
from models.base import GenerationRequest
from models.scene import parse, sample
from models.scene.sound import RATE, play

__all__ = ["fates", "request"]

request = GenerationRequest(
    "a beach at sunset in summer with church bells, a sailboat far away on the left and a dog on the right",
    Modality.AUDIO,
    seed=4,
    mime="audio/wav",
    parameters={"seconds": 12},
)
_CUT = 2.0
_FASTER = 1.03
_BIT_RATE = 64_000
_UNRELATED = "a city street in the rain with a car, two people and a guitar"


def fates(released: Artifact) -> Iterator[Fate]:
    """What becomes of a sound."""
    yield Fate("01-released.wav", "nothing: as it left Guard", VerdictState.TRUSTED, released.data)
    yield Fate(
        "02-reposted.mp3",
        f"metadata stripped, {_CUT:.0f} s cut off, {_FASTER - 1:.0%} faster, MP3 {_BIT_RATE // 1000}",
        VerdictState.RECOVERED,
        _reposted(released.samples),
    )
    yield Fate(
        "03-edited.wav", "a second bleeped out, credential kept", VerdictState.ALTERED, _edited(released)
    )
    yield Fate("04-unrelated.mp3", "an unrelated sound", VerdictState.NO_EVIDENCE, _unrelated())


def _reposted(sound: Samples) -> bytes:
    """The sound as somebody would hand it on who does not want it recognised."""
    rest = sound.data[int(_CUT * sound.rate) :]
    return _mp3(Samples(sound.rate, soxr.resample(rest, sound.rate * _FASTER, sound.rate)))


def _mp3(sound: Samples) -> bytes:
    out, channels = BytesIO(), sound.data.shape[1]
    coding = replace(coding_for("audio/mpeg", channels, None), bit_rate=_BIT_RATE)
    sink = sink_for(out, "audio/mpeg", coding, sound.rate, channels)
    sink.write(sound.data)
    sink.close()
    return out.getvalue()


def _edited(released: Artifact) -> bytes:
    """The WAV with a tone in place of one second and everything else as it was, the credential included."""
    wav, sound = released.data, released.samples
    begin, end = next((begin, end) for name, begin, end in chunks(wav) if name == b"data")
    frames = np.frombuffer(wav[begin:end], "<i2").reshape(sound.data.shape).copy()
    second = slice(len(frames) // 2, len(frames) // 2 + sound.rate)
    tone = 4000 * np.sin(2 * np.pi * 1000 * np.arange(len(frames[second])) / sound.rate)
    frames[second] = tone[:, None]
    return wav[:begin] + frames.tobytes() + wav[end:]


def _unrelated() -> bytes:
    return _mp3(Samples(RATE, play(sample(1, parse(_UNRELATED)), 8, 1)))
