"""The drawing surface, noise, and the canvas's geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scene.grammar import Place, Scene, Season, Time, Weather
from models.scene.paint.canvas import Canvas
from models.scene.paint.light import light_of
from models.scene.paint.noise import fractal, ridge, smoothstep, spread
from models.scene.paint.palette import HAIR, PAINT, SKIN, darker, lighter, mix
from models.scene.paint.sprite import Sprite, arc, smooth
from models.scene.paint.water import foam, gloss, water

RED = (1.0, 0.0, 0.0)
SCENE = Scene(Place.LAKE, Time.NOON, Weather.CLEAR, Season.SUMMER)


def _canvas(width: int = 64, height: int = 48) -> Canvas:
    return Canvas(SCENE, width, height, 1)


def test_a_rectangle_lands_where_it_should() -> None:
    sheet = Sprite(20, -1, 1, 1, -1)
    sheet.rect(0, 0, 1, 1, RED)
    colour, cover, glow = sheet.at_size()
    assert cover.shape == (40, 40)
    assert cover[2:18, 22:38].min() > 0.99
    assert cover[22:, :].max() < 0.01
    assert np.allclose(colour[10, 30], RED, atol=0.01)
    assert glow.max() == 0


def test_a_flipped_sprite_is_the_mirror_image() -> None:
    plain, flipped = Sprite(20, -1, 1, 1, -1), Sprite(20, -1, 1, 1, -1, flip=True)
    for sheet in (plain, flipped):
        sheet.poly([(0, 0), (1, 0), (0, 1)], RED)
    assert np.array_equal(plain.at_size()[1][:, ::-1], flipped.at_size()[1])


def test_colour_stays_premultiplied_at_soft_edges() -> None:
    sheet = Sprite(20, -1, 1, 1, -1)
    sheet.oval(0, 0, 0.8, 0.8, (1.0, 0.5, 0.25))
    sheet.texture(np.random.default_rng(1), 0.5)
    colour, cover, _ = sheet.at_size()
    assert (colour <= cover[..., None] + 1 / 255).all()


def test_a_shape_painted_over_a_light_puts_it_out() -> None:
    sheet = Sprite(20, -1, 1, 1, -1)
    sheet.rect(-1, -1, 1, 1, RED, glow=1.0)
    sheet.rect(-1, -1, 1, 1, RED)
    assert sheet.at_size()[2].max() == 0


def test_a_line_tapers_and_a_dot_is_round() -> None:
    sheet = Sprite(40, 0, 2, 2, 0)
    sheet.line([(0.2, 1), (1.8, 1)], [0.6, 0.1], RED)
    _, cover, _ = sheet.at_size()
    assert cover[:, 12].sum() > 2 * cover[:, 68].sum()
    dot = Sprite(40, 0, 2, 2, 0)
    dot.line([(1, 1), (1, 1)], 0.5, RED)
    assert abs(dot.at_size()[1].sum() / 1600 - np.pi * 0.25**2) < 0.02


def test_dabs_take_their_own_colours() -> None:
    sheet = Sprite(40, 0, 2, 1, 0)
    sheet.dabs(np.array([[0.5, 0.5, 0.2], [1.5, 0.5, 0.2]]), np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    colour, _, _ = sheet.at_size()
    assert colour[20, 20].argmax() == 0
    assert colour[20, 60].argmax() == 2


def test_a_huge_sprite_is_drawn_coarser() -> None:
    sheet = Sprite(100_000, 0, 0.02, 0.02, 0)
    assert max(sheet.rgba.shape) <= 3001
    sheet.rect(0, 0, 0.02, 0.02, RED)
    assert sheet.at_size()[1].shape == (2000, 2000)


def test_an_arc_and_a_smoothed_square_stay_in_bounds() -> None:
    assert np.allclose(np.hypot(*np.array(arc(0, 0, 1, 1)).T), 1)
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    curve = smooth(square, 3)
    assert len(curve) == 32
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in curve)
    opened = smooth(square, 2, closed=False)
    assert (opened[0], opened[-1]) == (square[0], square[-1])


@given(st.integers(1, 80), st.integers(1, 80), st.floats(0.5, 30), st.floats(0.5, 30), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_noise_has_the_asked_shape_and_range(
    rows: int, columns: int, down: float, across: float, octaves: int
) -> None:
    noise = fractal(np.random.default_rng(1), (rows, columns), (down, across), octaves)
    assert noise.shape == (rows, columns)
    assert noise.dtype == np.float32
    assert -0.5 < noise.min() <= noise.max() < 1.5


def test_noise_is_seeded_and_a_ridge_is_a_line() -> None:
    one, two, other = (fractal(np.random.default_rng(seed), (32, 32), (4, 4)) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert ridge(np.random.default_rng(1), 200, 3).shape == (200,)


def test_a_tile_repeats_without_an_edge() -> None:
    tile = fractal(np.random.default_rng(1), (64, 64), (3, 3))
    across = np.linspace(-3, 3, 1000, dtype=np.float32)[None, :]
    line = spread(tile, across, np.full_like(across, 0.5))
    assert np.abs(np.diff(line)).max() < 0.03
    assert np.allclose(line, line[:, ::-1], atol=1e-3)


def test_smoothstep_rises_from_nought_to_one() -> None:
    assert smoothstep(0, 1, np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]


def test_mixing_keeps_colours_in_range() -> None:
    for colour in (*PAINT.values(), *SKIN.values(), *HAIR.values()):
        for made in (lighter(colour, 0.7), darker(colour, 0.7), mix(colour, RED, 0.5)):
            assert all(0 <= part <= 1 for part in made)
        assert sum(darker(colour)) < sum(lighter(colour))


def test_what_lies_outside_the_picture_is_left_out() -> None:
    canvas = _canvas()
    before = canvas.rgb.copy()
    sheet = Sprite(10, -1, 1, 1, -1)
    sheet.rect(-1, -1, 1, 1, RED)
    for x, y in ((-5, 0.5), (5, 0.5), (0.5, -5), (0.5, 5)):
        canvas.place(sheet, x, y, 0.0)
        canvas.shade(sheet, x, y)
        canvas.reflect(sheet, x, y, 0.0)
        canvas.light_up(x, y, 0.1, RED, 1.0)
    assert np.array_equal(canvas.rgb, before)


def test_an_empty_sprite_leaves_no_trace() -> None:
    canvas = _canvas()
    canvas.place(Sprite(10, -1, 1, 1, -1), 0.5, 0.5, 0.0)
    assert not canvas.rgb.any()


def test_a_sprite_at_the_edge_is_cut() -> None:
    canvas = _canvas()
    sheet = Sprite(10, -1, 1, 1, -1)
    sheet.rect(-1, -1, 1, 1, RED)
    canvas.place(sheet, 0.0, 0.5, 0.0)
    assert canvas.rgb[24, 3, 0] > 0.5
    assert not canvas.rgb[24, 20:].any()


def test_distance_veils_and_a_lamp_pierces_the_veil() -> None:
    light = light_of(SCENE)
    assert light.paint(RED, 0.0)[1] < light.paint(RED, 0.5)[1] < light.paint(RED, 1.0)[1]
    assert light.fade(0) == 0
    assert light.fade(100) == pytest.approx(0.97)


@pytest.mark.parametrize("weather", [Weather.OVERCAST, Weather.RAIN, Weather.SNOW, Weather.FOG])
def test_dull_weather_greys_the_sky_and_softens_shadows(weather: Weather) -> None:
    clear, dull = light_of(SCENE), light_of(Scene(Place.LAKE, Time.NOON, weather, Season.SUMMER))
    assert max(dull.zenith) - min(dull.zenith) < max(clear.zenith) - min(clear.zenith)
    assert dull.direct < clear.direct
    assert dull.haze > clear.haze


def test_paint_below_the_picture_is_no_paint() -> None:
    canvas = _canvas()
    canvas.below(np.full(64, 1.2, np.float32), 1.0, RED)
    water(canvas, 1.0, 1.0, RED)
    gloss(canvas, 1.0)
    foam(canvas, np.full(64, 3.0, np.float32), 0.01)
    assert not canvas.rgb.any()


def test_reflections_end_at_the_shore() -> None:
    canvas = _canvas(96, 96)
    canvas.shore = np.full(96, 0.6, np.float32)
    sheet = Sprite(40, -1, 1, 1, 0)
    sheet.rect(-1, 0, 1, 1, RED)
    canvas.reflect(sheet, 0.5, 0.5, 0.0)
    assert canvas.rgb[50:56].any()
    assert not canvas.rgb[59:].any()


def test_painters_have_streams_of_their_own() -> None:
    canvas = _canvas()
    assert canvas.rng("a").random() == canvas.rng("a").random() != canvas.rng("b").random()
