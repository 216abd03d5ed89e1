"""What happens to sounds on their way, real or not: one random pipeline for both classes, and controls."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter

from training.sound_sources import resampled

__all__ = ["CONTROLS", "Rng", "Sound", "coded", "degraded", "trimmed"]

Sound: TypeAlias = NDArray[np.float32]
Rng: TypeAlias = np.random.Generator

_RATES = (8_000, 8_000, 11_025, 12_000, 16_000, 16_000, 16_000, 16_000)
_QUIET = 10 ** (-40 / 20)
_CODECS = ("mp3", "mp3", "libopus", "aac", "g722")
_BOXES = {"mp3": "mp3", "libopus": "ogg", "aac": "adts", "g722": "g722"}


def coded(sound: Sound, rate: int, codec: str, kilobits: int) -> Sound:
    """A mono sound (n,) through an encoder and back, at its own rate in hertz.

    What the codec does not offer at that rate it gets at the nearest that it does.
    """
    file, own = io.BytesIO(), 16_000 if codec == "g722" else 48_000 if codec == "libopus" else rate
    own = 8_000 if codec == "mp3" and rate < 8_000 else own
    with av.open(file, "w", format=_BOXES[codec]) as out:
        stream = out.add_stream(codec, rate=own, layout="mono")
        stream.bit_rate = 1000 * kilobits
        resampler = av.AudioResampler(stream.format.name, "mono", own)
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    file.seek(0)
    return resampled(_decoded(file, _BOXES[codec]), own, rate)


def _decoded(file: io.BytesIO, box: str) -> Sound:
    resampler = av.AudioResampler("flt", "mono")
    blocks = []
    with av.open(file, format="aac" if box == "adts" else box) as source:
        for frame in source.decode(audio=0):
            blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(blocks)


def trimmed(sound: Sound) -> Sound:
    """A sound (n,) without what lies 40 dB below its peak at its beginning and its end."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * float(np.abs(sound).max(initial=0)))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound


def degraded(sound: Sound, rate: int, seconds: float, rng: Rng, before: float = 0.0) -> tuple[Sound, int]:
    """A random stretch of so many seconds as another microphone, room, program and codec would have it, and
    its rate. `before` is the chance that G.722 comes first: most of the recordings went through it."""
    keep = round(seconds * rate)
    start = int(rng.integers(0, max(0, len(sound) - keep) + 1))
    sound = sound[start : start + keep]
    if rng.random() < before:
        sound = coded(sound, rate, "g722", 64)
    sound = _coloured(sound, rate, rng)
    if rng.random() < 0.5:
        sound = _echoed(sound, rate, rng)
    if rng.random() < 0.4:
        sound = _levelled(sound, rate, rng)
    own = int(rng.choice(_RATES))
    sound = resampled(sound, rate, own)
    if rng.random() < 0.6:
        sound = _noisy(sound, float(rng.uniform(10, 45)), rng)
    sound = sound / max(float(np.abs(sound).max(initial=0)), 1e-3) * np.float32(rng.uniform(0.1, 0.95))
    if rng.random() < 0.1:
        sound = np.clip(sound, -0.6 * np.abs(sound).max(), 0.6 * np.abs(sound).max())
    for chance in (0.6, 0.15):
        if rng.random() < chance:
            sound = coded(sound, own, str(rng.choice(_CODECS)), int(rng.choice([16, 24, 32, 48, 64, 96])))
    return sound, own


def _coloured(sound: Sound, rate: int, rng: Rng) -> Sound:
    """Through up to three resonances or dips, and now and then without what is low or high."""
    for _ in range(int(rng.integers(0, 4))):
        turn = 2 * np.pi * float(np.exp(rng.uniform(np.log(100), np.log(0.45 * rate)))) / rate
        width = np.sin(turn) / (2 * float(rng.uniform(0.5, 4)))
        gain = 10 ** (float(rng.uniform(-10, 10)) / 40)
        up = [1 + width * gain, -2 * np.cos(turn), 1 - width * gain]
        down = [1 + width / gain, -2 * np.cos(turn), 1 - width / gain]
        sound = lfilter(up, down, sound).astype(np.float32)
    if rng.random() < 0.3:
        sound = lfilter(*butter(2, float(rng.uniform(50, 400)), "high", fs=rate), sound).astype(np.float32)
    if rng.random() < 0.4:
        edge, steps = float(rng.uniform(2_500, 0.48 * rate)), int(rng.integers(1, 7))
        sound = lfilter(*butter(steps, edge, fs=rate), sound).astype(np.float32)
    return sound


def _echoed(sound: Sound, rate: int, rng: Rng) -> Sound:
    """In a room: noise that decays within 0.05 to 0.5 s stands for its echoes (Polack, 1988), and some walls
    are near."""
    length = round(float(rng.uniform(0.05, 0.5)) * rate)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= float(rng.uniform(0.1, 0.8)) / np.sqrt((tail**2).sum())
    near = rng.integers(rate // 1000, rate // 40, int(rng.integers(0, 6)))
    tail[near] += rng.uniform(-0.5, 0.5, len(near))
    tail[0] = 1.0
    return np.asarray(fftconvolve(sound, tail)[: len(sound)], np.float32)


def _levelled(sound: Sound, rate: int, rng: Rng) -> Sound:
    """Loud and soft brought nearer to one another as by a compressor, or farther apart as by a gate."""
    width = rate // 50
    level = np.sqrt(np.convolve(sound.astype(np.float64) ** 2, np.ones(width) / width, "same"))
    level = np.maximum(level / (level.max() + 1e-9), 1e-3)
    return np.asarray(sound * level ** float(rng.uniform(-0.5, 0.6)), np.float32)


def _noisy(sound: Sound, decibels: float, rng: Rng) -> Sound:
    """Noise between white and brown so many decibels below the sound's mean level."""
    noise = lfilter([1], [1, -float(rng.uniform(0, 0.98))], rng.standard_normal(len(sound)))
    level = np.sqrt((sound**2).mean()) / np.sqrt((noise**2).mean()) * 10 ** (-decibels / 20)
    return np.asarray(sound + level * noise, np.float32)


def _level(sound: Sound) -> Sound:
    return sound / np.float32(max(float(np.abs(sound).max(initial=0)), 1e-3)) * np.float32(0.7)


CONTROLS: Mapping[str, Callable[[Sound, int, Rng], tuple[Sound, int]]] = MappingProxyType(
    {
        "plain": lambda sound, rate, _: (_level(sound), rate),
        "8 kHz": lambda sound, rate, _: (_level(resampled(sound, rate, 8_000)), 8_000),
        "MP3 at 64 kbit/s": lambda sound, rate, _: (coded(_level(sound), rate, "mp3", 64), rate),
        "Opus at 24 kbit/s": lambda sound, rate, _: (coded(_level(sound), rate, "libopus", 24), rate),
        "noise at 20 dB": lambda sound, rate, rng: (_level(_noisy(sound, 20, rng)), rate),
        "room": lambda sound, rate, rng: (_level(_echoed(sound, rate, rng)), rate),
    }
)
"""What happens to honest recordings every day."""
