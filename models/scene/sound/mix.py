"""The parts of a scene played, placed around the listener, and brought to one loudness."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.scene.grammar import Depth, Place, Size
from models.scene.sound import air, animals, bells, birds, hearth, machines, people, water
from models.scene.sound.score import Part, Sound
from models.scene.sound.signal import Random, Wave, add, band, clip, fade, noise, swell, tuned

__all__ = ["PLAYERS", "mix"]

PLAYERS: dict[Sound, Callable[[Random, int], Wave]] = {
    Sound.BARKS: animals.barks,
    Sound.BEES: birds.bees,
    Sound.BICYCLE: bells.bicycle_bell,
    Sound.BREEZE: air.breeze,
    Sound.BUOY: bells.buoy,
    Sound.BURNER: air.burner,
    Sound.CHURCH_BELL: bells.church_bell,
    Sound.CLINKS: bells.clinks,
    Sound.CLOCK: hearth.clock,
    Sound.COWBELLS: bells.cowbells,
    Sound.CRICKETS: birds.crickets,
    Sound.CRUNCHING: people.crunching,
    Sound.ENGINE: machines.engine,
    Sound.FIRE: hearth.fire,
    Sound.FLUTTER: air.flutter,
    Sound.FOGHORN: bells.foghorn,
    Sound.GUITAR: bells.guitar,
    Sound.GULLS: birds.gulls,
    Sound.HUM: hearth.hum,
    Sound.HUSH: air.hush,
    Sound.LAPPING: water.lapping,
    Sound.LEAVES: air.leaves,
    Sound.MEOWS: animals.meows,
    Sound.MURMUR: people.murmur,
    Sound.OWL: birds.owl,
    Sound.RAIN: water.rain,
    Sound.ROWING: machines.rowing,
    Sound.SONGBIRDS: birds.songbirds,
    Sound.STEPS: people.steps,
    Sound.TAPPING: people.tapping,
    Sound.THUNDER: air.thunder,
    Sound.TRAFFIC: machines.traffic,
    Sound.WAVES: water.waves,
    Sound.WHEELS: people.wheels,
    Sound.WIND: air.wind,
}
"""Who makes each sound: a number of samples of it, as loud as it happens to be."""

# How far away sounds: how much softer in dB, up to which Hz, and how much of it comes back from around.
_FAR = {
    Depth.NEAR: (0.0, 16_000.0, 0.12),
    Depth.MIDDLE: (-6.0, 8_000.0, 0.3),
    Depth.FAR: (-12.0, 3_500.0, 0.6),
}
_PITCH = {Size.SMALL: 1.2, Size.MEDIUM: 1.0, Size.LARGE: 0.85}
_ECHO = {
    Place.ROOM: 0.4,
    Place.STREET: 1.1,
    Place.VALLEY: 2.6,
    Place.CLEARING: 1.4,
    Place.HARBOUR: 1.2,
    Place.LAKE: 1.6,
}
_OUTDOORS = 0.6
_LOUDNESS = -23.0
"""The RMS of the whole, in dB of full scale."""
_PEAK = -2.0
"""What no sample exceeds, in dB of full scale: a little room below -1 for a mark and for lossy codecs."""


def mix(parts: list[Part], place: Place, length: int, seed: int) -> NDArray[np.float32]:
    """The sound of `parts` in `place`: `length` samples at 44.1 kHz, (n, 2), from silence to silence."""
    dry, wet = np.zeros((length, 2)), np.zeros((length, 2))
    for number, part in enumerate(parts):
        placed = _placed(part, _stream(seed, f"{number} {part.sound}"), length)
        dry += placed
        wet += placed * _FAR[part.depth][2]
    whole = dry + _echo(_stream(seed, "echo"), wet, _ECHO.get(place, _OUTDOORS))
    whole = tuned(whole, band(30, 18_000)) * swell(length, 0.4, 0.9)[:, None]
    return (whole * _gain(whole)).astype(np.float32)


def _stream(seed: int, name: str) -> Random:
    """Chance of its own for each part, so that one more part leaves the others as they were."""
    return np.random.default_rng([seed, crc32(name.encode())])


def _placed(part: Part, rng: Random, length: int) -> Wave:
    """A part by itself, (n, 2), at its level and place."""
    pitch = _PITCH[part.size]
    raw = PLAYERS[part.sound](rng, round(length * pitch) + 1)
    wave = _faster(raw, pitch, length)
    softer, highest, _ = _FAR[part.depth]
    if part.depth is not Depth.NEAR:
        wave = tuned(wave, band(20, highest))
    level = 10 ** ((part.level + softer) / 20)
    return _spread(wave * (level / _loudest(wave)), part.side)


def _faster(wave: Wave, pitch: float, length: int) -> Wave:
    """`wave` played `pitch` times as fast, as a tape would."""
    if pitch == 1.0:
        return wave[:length]
    at, known = np.arange(length) * pitch, np.arange(len(wave))
    if wave.ndim == 1:
        return np.asarray(np.interp(at, known, wave))
    return np.stack([np.interp(at, known, wave[:, ear]) for ear in range(2)], axis=1)


def _loudest(wave: Wave) -> float:
    """The RMS of the loudest tenth of a second."""
    block = clip(0.1)
    power = np.add.reduceat(wave.reshape(len(wave), -1) ** 2, np.arange(0, len(wave), block), axis=0)
    return float(max(np.sqrt(power.max() / block), 1e-9))


def _spread(wave: Wave, side: float) -> Wave:
    """A point at `side`, by loudness (equal power) and by time: the far ear hears it up to 0.6 ms later."""
    if wave.ndim == 2:
        return wave
    angle = (side + 1) * np.pi / 4
    both = np.zeros((len(wave), 2))
    late = clip(abs(side) * 0.0006)
    add(both[:, 0], late if side > 0 else 0, wave * np.cos(angle))
    add(both[:, 1], late if side < 0 else 0, wave * np.sin(angle))
    return both


def _echo(rng: Random, wave: Wave, seconds: float) -> Wave:
    """`wave` as the surroundings give it back: convolved with noise that dies away in `seconds`."""
    lasts = clip(seconds)
    tail = noise(rng, lasts, 150, 5000, slope=-2, wide=True) * fade(lasts, seconds, rise=0.015)[:, None]
    tail /= np.sqrt(np.sum(tail**2) / 2)
    size = 1 << (len(wave) + lasts).bit_length()
    both = np.fft.rfft(wave, size, axis=0) * np.fft.rfft(tail, size, axis=0)
    return np.asarray(np.fft.irfft(both, size, axis=0)[: len(wave)])


def _gain(wave: Wave) -> float:
    """What brings `wave` to its loudness, or as near as its peaks allow."""
    rms, peak = float(np.sqrt(np.mean(wave**2))), float(np.abs(wave).max())
    return min(10 ** (_LOUDNESS / 20) / rms, 10 ** (_PEAK / 20) / peak)
