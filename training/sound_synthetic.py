"""Synthetic speech: real clips taken apart and put together again, and what engines of Debian read aloud.

What differs between a real clip and its copy is only what the synthesis left in it (Wang and Yamagishi, 2022,
arXiv 2210.10570). pyworld imports `pkg_resources`, which setuptools has until 80.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.signal import istft, lfilter, stft

from training.sound_degrade import Rng, Sound
from training.sound_sources import RATE, decode, resampled

__all__ = ["COPIES", "ENGINES", "refined", "spoken"]

_SENTENCES = (
    "The morning train was late again, so we walked along the river instead.",
    "Please leave your name and number, and somebody will call you back tomorrow.",
    "Seven boats came into the harbour before the wind turned to the north.",
    "I never said that the recipe was easy, only that it was worth the trouble.",
    "When the lights went out, everyone in the hall began to laugh.",
    "Her brother keeps bees behind the old chapel on the hill.",
    "Turn left at the second bridge and you will see a yellow house.",
    "Nobody could explain why the clock had stopped at a quarter past nine.",
    "The committee will publish its figures by the end of the month.",
    "A quick breakfast, a cold shower, and then straight to work.",
    "We should have bought the tickets while they were still cheap.",
    "His voice was so quiet that the microphone hardly caught it.",
    "They painted the fence green, although the neighbours had asked for white.",
    "Could you tell me how long the museum stays open on Fridays?",
    "After three days of rain the garden looked like a small lake.",
    "The answer, she thought, must be hidden somewhere in the letters.",
)


def _griffin_lim(size: Sound, length: int, width: int, rounds: int, rng: Rng) -> Sound:
    """A waveform whose magnitudes are `size` (bins, frames), phases found by turns (Griffin and Lim, 1984;
    sped up as by Perraudin et al., 2013)."""
    angle = np.exp(2j * np.pi * rng.random(size.shape))
    last = np.zeros_like(angle)
    for _ in range(rounds):
        _, sound = istft(size * angle, nperseg=width, noverlap=width * 3 // 4)
        _, _, again = stft(sound, nperseg=width, noverlap=width * 3 // 4)
        again = again[:, : size.shape[1]]
        turned = again + 0.9 * (again - last[:, : again.shape[1]])
        last = again
        angle = turned / np.maximum(np.abs(turned), 1e-9)
    _, sound = istft(size * angle, nperseg=width, noverlap=width * 3 // 4)
    return np.asarray(sound[:length], np.float32)


def griffin_lim(sound: Sound, rng: Rng) -> Sound:
    """From the magnitudes of a random transform, after a random number of rounds."""
    width = int(rng.choice([512, 1024, 2048]))
    _, _, spectrum = stft(sound, nperseg=width, noverlap=width * 3 // 4)
    return _griffin_lim(np.abs(spectrum), len(sound), width, int(rng.integers(8, 50)), rng)


def mel_inversion(sound: Sound, rng: Rng) -> Sound:
    """From 40 to 100 mel bands, inverted by least squares without negative values, then as above."""
    width, bands = 1024, int(rng.integers(40, 100))
    _, _, spectrum = stft(sound, nperseg=width, noverlap=width * 3 // 4)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 1400), bands + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, width // 2 + 1)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    bank = np.maximum(0, np.minimum(rise, fall))
    size = np.maximum(0, np.linalg.pinv(bank) @ (bank @ np.abs(spectrum)))
    return _griffin_lim(size, len(sound), width, int(rng.integers(16, 40)), rng)


def refined(made: Sound, sound: Sound, share: float) -> Sound:
    """A copy whose phases are those of `made` and whose magnitudes come nearer to the original's by `share`,
    as far better vocoders' do."""
    least = min(len(made), len(sound))
    spectra = [stft(x[:least], nperseg=512, noverlap=384)[2] for x in (made, sound)]
    phase = spectra[0] / np.maximum(np.abs(spectra[0]), 1e-9)
    size = np.abs(spectra[0]) ** (1 - share) * np.abs(spectra[1]) ** share
    _, found = istft(size * phase, nperseg=512, noverlap=384)
    return np.asarray(found[:least], np.float32)


def world(sound: Sound, rng: Rng) -> Sound:
    """WORLD (Morise et al., 2016), half of the time with the spectral envelope squeezed into 40 numbers."""
    import pyworld  # type: ignore[import-not-found]

    x = sound.astype(np.float64)
    pitch, times = pyworld.dio(x, RATE)
    pitch = pyworld.stonemask(x, pitch, times, RATE)
    envelope = pyworld.cheaptrick(x, pitch, times, RATE)
    noise = pyworld.d4c(x, pitch, times, RATE)
    if rng.random() < 0.5:
        squeezed = pyworld.code_spectral_envelope(envelope, RATE, 40)
        envelope = pyworld.decode_spectral_envelope(squeezed, RATE, 2 * (envelope.shape[1] - 1))
    made = pyworld.synthesize(pitch * rng.uniform(0.92, 1.08), envelope, noise, RATE)
    return np.asarray(made[: len(sound)], np.float32)


def lpc(sound: Sound, rng: Rng) -> Sound:
    """Linear prediction with pulses for voiced frames and noise for the others (Atal and Hanauer, 1971)."""
    hop, order = RATE // 100, int(rng.integers(16, 30))
    pitch = _pitch(sound)[: len(sound) // hop]
    out = np.zeros(len(sound) + 4 * hop)
    window = np.hanning(2 * hop + 1)[:-1]
    excitation = _excitation(pitch, len(sound) + 4 * hop, hop, rng)
    for i in range(len(pitch)):
        frame = sound[i * hop : i * hop + 2 * hop]
        if len(frame) < 2 * hop:
            break
        taps, gain = _predictor(np.asarray(frame * window, np.float32), order)
        drive = excitation[i * hop : i * hop + 2 * hop]
        made = lfilter([1], taps, drive) * window
        out[i * hop : i * hop + 2 * hop] += gain * made / (np.sqrt((drive**2).mean()) + 1e-6)
    return np.asarray(out[: len(sound)], np.float32)


def sinusoids(sound: Sound, rng: Rng) -> Sound:
    """Harmonics of the pitch with their measured strengths, and noise between 3 and 5 kHz upward (Serra and
    Smith, 1990; McAulay and Quatieri, 1986)."""
    width = 1024
    _, _, spectrum = stft(sound, nperseg=width, noverlap=width * 3 // 4)
    size = np.abs(spectrum)
    frames = np.arange(size.shape[1]) * width / 4
    pitch = np.interp(frames, np.arange(len(_pitch(sound))) * RATE / 100, _pitch(sound))
    at = np.arange(len(sound))
    smooth = np.interp(at, frames, pitch)
    phase = 2 * np.pi * np.cumsum(smooth) / RATE
    top = float(rng.uniform(3000, 5000))
    out = np.zeros(len(sound))
    for harmonic in range(1, 60):
        bins = np.clip(np.rint(harmonic * pitch / RATE * width), 0, width // 2).astype(int)
        strength = size[bins, np.arange(len(bins))] * (harmonic * pitch < top) * (pitch > 0)
        out += 2 * np.interp(at, frames, strength) * np.cos(harmonic * phase)
    shape = size * ((np.linspace(0, RATE / 2, len(size))[:, None] >= top) | (pitch <= 0))
    _, rest = istft(shape * np.exp(2j * np.pi * rng.random(shape.shape)), nperseg=width, noverlap=768)
    out[: len(rest)] += rest[: len(out)]
    return np.asarray(out, np.float32)


def _pitch(sound: Sound) -> Sound:
    """Hertz every 10 ms, 0 where unvoiced."""
    import pyworld

    pitch, _ = pyworld.dio(sound.astype(np.float64), RATE, frame_period=10.0)
    return np.asarray(pitch, np.float32)


def _excitation(pitch: Sound, length: int, hop: int, rng: Rng) -> Sound:
    each = np.repeat(pitch, hop)[:length]
    each = np.pad(each, (0, length - len(each)))
    phase = np.cumsum(each / RATE)
    pulses = np.diff(np.floor(phase), prepend=0) > 0
    noise = rng.standard_normal(length) * 0.1
    return np.asarray(np.where(each > 0, pulses * 1.0 + 0.1 * noise, noise), np.float32)


def _predictor(frame: Sound, order: int) -> tuple[Sound, float]:
    """The filter 1 - sum of taps, by autocorrelation, and the frame's residual level."""
    from scipy.linalg import solve_toeplitz

    lags = np.correlate(frame, frame, "full")[len(frame) - 1 :][: order + 1].astype(np.float64)
    lags[0] = lags[0] * 1.0001 + 1e-6
    taps = solve_toeplitz(lags[:-1], lags[1:])
    left = max(float(lags[0] - taps @ lags[1:]), 0.0)
    return np.concatenate([[1.0], -taps]).astype(np.float32), float(np.sqrt(left / len(frame)))


COPIES: Mapping[str, Callable[[Sound, Rng], Sound]] = MappingProxyType(
    {
        "griffin-lim": griffin_lim,
        "lpc": lpc,
        "mel-inversion": mel_inversion,
        "sinusoids": sinusoids,
        "world": world,
    }
)
"""Copy synthesis of a clip at `RATE`, by family."""

ENGINES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "espeak-ng": tuple(
            ("espeak-ng", "-v", voice, "-p", pitch, "-w", "{out}", "{text}")
            for voice in ("en-us+m3", "en-gb", "de+f2", "fr+f4", "it", "ru+m1", "es+f1", "hu+m7")
            for pitch in ("35", "60")
        ),
        "festival": (("text2wave", "{file}", "-o", "{out}"),),
        "flite": tuple(
            ("flite", "-voice", voice, "-t", "{text}", "-o", "{out}") for voice in ("awb", "kal16", "kal")
        ),
        "flite-rms": (("flite", "-voice", "rms", "-t", "{text}", "-o", "{out}"),),
        "flite-slt": (("flite", "-voice", "slt", "-t", "{text}", "-o", "{out}"),),
    }
)
"""Commands that read a text aloud, by family."""


def spoken(family: str) -> list[Sound]:
    """Pairs of sentences read by each of the family's voices, at `RATE`, with a peak of 1."""
    texts = [f"{a} {b}" for a, b in zip(_SENTENCES, _SENTENCES[5:] + _SENTENCES[:5], strict=True)]
    voices = ENGINES[family]
    share = texts if len(voices) < 4 else texts[:: len(voices) // 4]
    return [_read(command, text) for command in voices for text in share]


def _read(command: tuple[str, ...], text: str) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        out, file = Path(folder) / "out.wav", Path(folder) / "text"
        file.write_text(text)
        subprocess.run([part.format(out=out, file=file, text=text) for part in command], check=True)
        sound, rate = decode(out)
    sound = resampled(sound, rate, RATE)
    return sound / np.float32(max(float(np.abs(sound).max()), 1e-3))
