"""What happens to sound on its way through the world, as functions of samples and a random generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from bench.sound_ffmpeg import coded, filtered, resampled
from guard.media.stream import Samples

__all__ = ["CUTS", "GOALS", "GROUPS", "Attack"]

Attack = Callable[[Samples, np.random.Generator], Samples]


def chain(*steps: Attack) -> Attack:
    def run(x: Samples, rng: np.random.Generator) -> Samples:
        for step in steps:
            x = step(x, rng)
        return x

    return run


def values(change: Callable[[NDArray[np.float32]], Any]) -> Attack:
    """A change of the samples (n, channels), cut at full scale as a file of integers would."""
    return lambda x, _: Samples(x.rate, np.clip(change(x.data), -1, 1).astype(np.float32))


def codec(name: str, kilobits: int) -> Attack:
    return lambda x, _: coded(x, name, kilobits)


def rate(hertz: int) -> Attack:
    return lambda x, _: resampled(x, hertz)


def noise(decibels: float) -> Attack:
    """White noise, so far below the clip's own power."""

    def run(x: Samples, rng: np.random.Generator) -> Samples:
        level = np.sqrt(np.mean(x.data**2)) * 10 ** (-decibels / 20)
        return values(lambda v: v + rng.normal(0, level, v.shape))(x, rng)

    return run


def band(kind: Literal["lowpass", "highpass"], hertz: float) -> Attack:
    """A Butterworth filter of order 8; one that lies above half the rate changes nothing."""

    def run(x: Samples, _: np.random.Generator) -> Samples:
        if hertz >= x.rate / 2:
            return x
        sections = butter(8, hertz, kind, fs=x.rate, output="sos")
        return Samples(x.rate, sosfilt(sections, x.data, axis=0).astype(np.float32))

    return run


def shift(seconds: float) -> Attack:
    """The beginning cut off."""
    return lambda x, _: Samples(x.rate, x.data[round(seconds * x.rate) :])


def crop(seconds: float) -> Attack:
    """A piece of this length from a random place."""

    def run(x: Samples, rng: np.random.Generator) -> Samples:
        length = min(round(seconds * x.rate), len(x.data))
        start = int(rng.integers(0, len(x.data) - length + 1))
        return Samples(x.rate, x.data[start : start + length])

    return run


def speed(percent: float) -> Attack:
    """Played faster or slower, as a record would be: pitch changes too."""
    return lambda x, _: Samples(x.rate, resampled(x, round(x.rate / (1 + percent / 100))).data)


def tempo(percent: float) -> Attack:
    """Faster or slower at the same pitch."""
    return lambda x, _: filtered(x, ("atempo", f"{1 + percent / 100}"))


def pitch(percent: float) -> Attack:
    """Higher or lower at the same tempo."""
    return chain(speed(percent), tempo(100 / (1 + percent / 100) - 100))


def echo(*taps: tuple[float, float]) -> Attack:
    """Repeats: seconds late, and how loud."""

    def run(v: NDArray[np.float32], hertz: int) -> NDArray[np.float32]:
        heard = v.copy()
        for late, gain in taps:
            delay = round(late * hertz)
            heard[delay:] += np.float32(gain) * v[: len(v) - delay]
        return heard

    return lambda x, rng: values(lambda v: run(v, x.rate))(x, rng)


def room(x: Samples, rng: np.random.Generator) -> Samples:
    """A room whose sound falls by 60 dB in 0.3 s, the direct sound 3 dB over it."""
    times = np.arange(round(0.3 * x.rate)) / x.rate
    tail = rng.normal(size=len(times)) * 10 ** (-3 * times / 0.3)
    tail *= 10 ** (-3 / 20) / np.linalg.norm(tail)
    tail[0] = 1
    return values(lambda v: fftconvolve(v, tail[:, None])[: len(v)])(x, rng)


def compressor(x: Samples, _: np.random.Generator) -> Samples:
    return filtered(x, ("acompressor", "threshold=0.05:ratio=4:attack=5:release=100:makeup=2"))


def clipped(v: NDArray[np.float32]) -> NDArray[np.float32]:
    """The loudest sample 6 dB over full scale."""
    return v * np.float32(2 / max(np.abs(v).max(), 1e-6))


def dropouts(x: Samples, rng: np.random.Generator) -> Samples:
    """Twenty milliseconds lost three times a second, as packets are."""
    data = x.data.copy()
    for start in rng.integers(0, len(data), round(3 * x.duration)):
        data[start : start + round(0.02 * x.rate)] = 0
    return Samples(x.rate, data)


def equaliser(x: Samples, _: np.random.Generator) -> Samples:
    """Bass up and treble down by 9 dB."""
    return filtered(x, ("bass", "g=9:f=250"), ("treble", "g=-9:f=2500"))


def upload(x: Samples, rng: np.random.Generator) -> Samples:
    """Eight seconds of it, at 44.1 kHz, made as loud as the service wants, as AAC."""
    loud = values(lambda v: v * np.float32(0.1 / max(np.sqrt(np.mean(v**2)), 1e-6)))
    return chain(crop(8), rate(44100), loud, codec("AAC", 128))(x, rng)


def untouched(x: Samples, _: np.random.Generator) -> Samples:
    return x


EVERYDAY: dict[str, Attack] = {
    "untouched": untouched,
    "MP3 128": codec("MP3", 128),
    "MP3 64": codec("MP3", 64),
    "MP3 32": codec("MP3", 32),
    "AAC 128": codec("AAC", 128),
    "AAC 64": codec("AAC", 64),
    "Opus 64": codec("Opus", 64),
    "8 kHz": rate(8000),
    "16 kHz": rate(16000),
    "22.05 kHz": rate(22050),
    "44.1 kHz": rate(44100),
    "48 kHz": rate(48000),
    "low-pass 4 kHz": band("lowpass", 4000),
    "noise 30 dB": noise(30),
    "gain −10 dB": values(lambda v: v * np.float32(0.316)),
    "shift 3 ms": shift(0.003),
    "shift 0.37 s": shift(0.37),
    "8 bit": values(lambda v: np.rint(v * 127) / 127),
    "compressor": compressor,
    "polarity": values(np.negative),
    "speed +1 %": speed(1),
    "speed −2.3 %": speed(-2.3),
    "speed +5 %": speed(5),
    "speed −5 %": speed(-5),
    "mono mixdown": values(lambda v: v.mean(1, keepdims=True)),
    "made stereo": values(lambda v: np.repeat(v.mean(1, keepdims=True), 2, axis=1)),
}
HARD: dict[str, Attack] = {
    "Opus 24": codec("Opus", 24),
    "noise 20 dB": noise(20),
    "crop 5 s": crop(5),
    "high-pass 500 Hz": band("highpass", 500),
    "tempo +2 %": tempo(2),
    "tempo +5 %": tempo(5),
    "tempo −5 %": tempo(-5),
    "hard clip": values(clipped),
}
HARDER: dict[str, Attack] = {
    "echo −10 dB": echo((0.1, 10**-0.5)),
    "crop 3 s": crop(3),
    "crop 5 s + Opus 24": chain(crop(5), codec("Opus", 24)),
}
STRETCH: dict[str, Attack] = {
    "upload": upload,
    "equaliser": equaliser,
    "lost packets": dropouts,
    "telephone": chain(rate(8000), band("highpass", 300), values(lambda v: np.rint(v * 2047) / 2047)),
    "speed +6 % + MP3 64": chain(speed(6), codec("MP3", 64)),
    "crop 3 s + MP3 64": chain(crop(3), codec("MP3", 64)),
    "crop 2 s": crop(2),
    "two echoes": echo((0.05, 0.4), (0.113, 0.3)),
    "room": room,
    "pitch +3 %": pitch(3),
    "pitch −3 %": pitch(-3),
    "Opus 16": codec("Opus", 16),
    "noise 10 dB": noise(10),
}
GROUPS: dict[str, dict[str, Attack]] = {
    "everyday": EVERYDAY,
    "hard": HARD,
    "harder": HARDER,
    "stretch": STRETCH,
}
GOALS = {"everyday": 0.98, "hard": 0.92, "harder": 0.8}
"""The share of clips of five seconds and more that must be read, per group."""
CUTS: dict[str, tuple[float, Attack]] = {
    "3 s, marked so": (3, untouched),
    "3 s, marked so + MP3 64": (3, codec("MP3", 64)),
    "2 s, marked so": (2, untouched),
}
"""Clips that were short before they were marked: seconds, and what happens then."""
