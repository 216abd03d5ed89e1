from __future__ import annotations

import numpy as np
import pytest

from guard.watermark.dipole.cells import cells, heard, moving_average, overlap, power, slots
from guard.watermark.dipole.shape import BANDS, EDGES

from .conftest import voice


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.sin(2 * np.pi * hertz * np.arange(round(8000 * seconds)) / 8000).astype(np.float32)


def test_bands_are_next_to_each_other_and_widen() -> None:
    assert len(EDGES) == BANDS + 1
    assert (EDGES[0], EDGES[-1]) == (pytest.approx(300), pytest.approx(3600))
    assert (np.diff(EDGES, 2) > 0).all()
    inside = overlap().sum(axis=1)[11:115]
    assert inside == pytest.approx(np.ones(104))


@pytest.mark.parametrize("band", [0, 11, 23])
@pytest.mark.parametrize("scale", [1.0, 1.05])
def test_a_tone_is_loudest_in_its_band(band: int, scale: float) -> None:
    middle = scale * (EDGES[band] + EDGES[band + 1]) / 2
    energy = slots(power(tone(middle)), scale)
    assert energy.shape == (201 - 9, BANDS)
    assert (energy[20:-20].argmax(axis=1) == band).all()


def test_slots_add_up_frames_and_parts_of_them() -> None:
    spectra = np.ones((40, 129), np.float32)
    whole, more = slots(spectra, length=10), slots(spectra, length=10.5)
    assert len(whole) == 31
    assert len(more) == 30
    assert more == pytest.approx(1.05 * whole[:30], rel=1e-5)


def test_loud_cells_follow_a_gain_and_quiet_ones_do_not() -> None:
    energy = slots(power(voice(3, 8000)[:, 0]))
    seen = cells(energy)
    loud = seen.response > 0.97
    quiet = seen.response < 0.01
    raised = energy.copy()
    raised[100] *= 10 ** (1 / 10)
    rise = cells(raised).level[100] - seen.level[100]
    assert rise[loud[100]] == pytest.approx(1, abs=0.1)
    assert abs(rise[quiet[100]]).max(initial=0) < 0.1
    assert loud.any()
    assert quiet.any()


def test_differences_of_level_do_not_depend_on_loudness() -> None:
    energy = slots(power(voice(2, 8000)[:, 0]))
    shift = cells(np.float32(0.01) * energy).level - cells(energy).level
    assert shift == pytest.approx(np.full(shift.shape, -20), abs=0.01)


def test_a_reader_distrusts_steady_noise() -> None:
    rng = np.random.default_rng(0)
    sound = voice(4, 8000)[:, 0]
    hiss = 0.01 * rng.normal(size=len(sound)).astype(np.float32)
    energy = slots(power(sound + hiss))
    assert (heard(energy).response <= cells(energy).response).all()
    assert heard(energy).response.mean() < 0.9 * cells(energy).response.mean()


def test_silence_has_cells_too() -> None:
    seen = heard(np.zeros((50, BANDS), np.float32))
    assert np.isfinite(seen.level).all()
    assert not seen.response.any()


def test_moving_averages_shorten_at_the_ends() -> None:
    values = np.arange(10.0)[:, None]
    assert moving_average(values, 4)[:, 0].tolist() == [1, 1.5, 2, 3, 4, 5, 6, 7, 7.5, 8]
