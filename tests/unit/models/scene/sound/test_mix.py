"""Parts placed around the listener."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.scene import parse, sample
from models.scene.grammar import Depth, Place, Size
from models.scene.sound import RATE, play
from models.scene.sound.mix import mix
from models.scene.sound.score import Part, Sound
from tests.unit.models.scene.sound.test_players import centre

LENGTH = 3 * RATE
BED = Part(Sound.BREEZE, -40)


def decibels(value: float) -> float:
    return float(20 * np.log10(max(value, 1e-12)))


def made(*parts: Part, place: Place = Place.MEADOW, seed: int = 3) -> NDArray[np.float32]:
    return mix(list(parts), place, LENGTH, seed)


def balance(sound: NDArray[np.float32]) -> float:
    """How much louder the right ear is, in dB."""
    left, right = np.sqrt(np.mean(np.square(sound, dtype=np.float64), axis=0))
    return decibels(float(right / left))


@pytest.mark.parametrize("seed", range(5))
def test_a_scene_has_its_loudness_and_leaves_room_at_the_top(seed: int) -> None:
    sound = play(sample(seed), 3, seed)
    assert sound.shape == (3 * RATE, 2)
    assert sound.dtype == np.float32
    assert decibels(float(np.abs(sound).max())) <= -1.99
    assert -32 < decibels(float(np.sqrt(np.mean(sound**2)))) < -22.9


@pytest.mark.parametrize("seed", range(5, 8))
def test_a_scene_is_never_silent_in_the_band_of_speech(seed: int) -> None:
    """A mark lives there, so there must be something to carry it."""
    sound = play(sample(seed), 3, seed).mean(axis=1)
    for start in range(RATE // 2, 2 * RATE, RATE // 4):
        power = np.abs(np.fft.rfft(sound[start : start + RATE // 4])) ** 2
        hertz = np.fft.rfftfreq(RATE // 4, 1 / RATE)
        energy = power[(hertz > 300) & (hertz < 3400)].sum() * 2 / (RATE // 4) ** 2
        assert 10 * np.log10(energy) > -55


def test_it_comes_out_of_silence_and_goes_back() -> None:
    sound = np.abs(play(sample(1), 4, 1))
    assert sound[0].max() < 1e-4
    assert sound[-1].max() < 1e-4
    assert sound[: RATE // 50].max() < 0.05 * sound.max()


def test_the_same_scene_and_seed_give_the_same_samples() -> None:
    assert np.array_equal(play(sample(4), 2, 4), play(sample(4), 2, 4))
    assert not np.array_equal(play(sample(4), 2, 4), play(sample(4), 2, 5))


@pytest.mark.parametrize("seconds", [1, 2.5, 12])
def test_it_lasts_as_long_as_asked(seconds: float) -> None:
    assert len(play(sample(3), seconds, 2)) == round(seconds * RATE)


def test_wishes_are_heard() -> None:
    scene = sample(2, parse("a desert at noon with nothing else in view and nobody"))
    plain, bells = (play(scene, 3, 2, wished) for wished in ((), [Sound.CHURCH_BELL]))
    assert not np.array_equal(plain, bells)


@pytest.mark.parametrize(("side", "sign"), [(-0.7, -1), (0.7, 1)])
def test_a_part_is_heard_from_its_side(side: float, sign: int) -> None:
    assert sign * balance(made(Part(Sound.BARKS, -12, side))) > 3


def test_a_part_in_the_centre_is_heard_from_there() -> None:
    assert abs(balance(made(Part(Sound.ENGINE, -12)))) < 1


def test_what_is_far_is_softer_against_what_is_near() -> None:
    """Everything is brought to one loudness, so distance is heard against a bed."""

    def bright(depth: Depth) -> float:
        return centre(made(Part(Sound.GULLS, -14, depth=depth), Part(Sound.HUSH, -26)).mean(axis=1))

    assert bright(Depth.NEAR) > bright(Depth.MIDDLE) > bright(Depth.FAR)


def test_what_is_large_is_deeper() -> None:
    small, large = (made(Part(Sound.GULLS, -12, size=size), BED) for size in (Size.SMALL, Size.LARGE))
    assert centre(small.mean(axis=1)) > 1.1 * centre(large.mean(axis=1))


def test_what_comes_from_all_around_can_be_large_too() -> None:
    assert balance(made(Part(Sound.COWBELLS, -12, size=Size.LARGE), BED)) != 0


def test_a_further_part_leaves_the_others_as_they_were() -> None:
    parts = [Part(Sound.STEPS, -20), BED]
    alone, more = made(*parts), made(*parts, Part(Sound.OWL, -90))
    assert np.allclose(alone, more, atol=2e-3)


def test_a_valley_answers_longer_than_a_room() -> None:
    def tail(place: Place) -> float:
        sound = made(replace(Part(Sound.BARKS, -12), depth=Depth.FAR), place=place, seed=6)
        power = np.sum(np.square(sound, dtype=np.float64), axis=1)
        return float(np.mean(power < 1e-7 * power.max()))

    assert tail(Place.ROOM) > tail(Place.VALLEY)
