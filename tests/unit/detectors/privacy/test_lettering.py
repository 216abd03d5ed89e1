"""Lines in pictures: found whatever the size of the picture, read where they are letters, and set in rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from detectors.privacy import lettering
from detectors.privacy.lettering import Line, Reading, engine, transcript
from guard.errors import DetectorError
from tests.pictures import natural
from tests.unit.detectors.privacy.letters import written

pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")


def read(pixels: np.ndarray, whole: bool = True) -> list[Line]:
    return Reading(engine(), whole).lines(pixels)


@pytest.mark.parametrize("size", [14, 30, 60])
@pytest.mark.parametrize("ink", ["white", "black"])
def test_a_line_is_read_and_boxed(size: int, ink: str) -> None:
    background = np.full((300, 640, 3), 40 if ink == "white" else 220, np.uint8)
    (line,) = read(written(background, "Harbour Street 12", (40, 100), size, ink))
    assert line.text.replace(" ", "") == "HarbourStreet12"
    assert line.left <= 45
    assert line.top <= 100 + size // 2 <= line.bottom
    assert line.right - line.left > 6 * size


def test_a_line_across_a_photograph_is_found_upright_on_its_side_and_upside_down() -> None:
    pixels = written(natural(3), "No parking here", (60, 180), 40, "white")
    for turns in (0, 1, 2):
        (line,) = read(np.ascontiguousarray(np.rot90(pixels, turns)))
        assert "parking" in line.text
        wide = line.right - line.left > line.bottom - line.top
        assert wide == (turns != 1)


def test_a_letter_as_large_as_the_picture_is_more_likely_a_bird() -> None:
    ground = np.full((400, 400, 3), 230, np.uint8)
    assert read(written(ground, "S", (60, -40), 400)) == []
    assert [line.text for line in read(written(ground, "S12", (60, 100), 150))] == ["S12"]
    small = written(np.full((60, 80, 3), 230, np.uint8), "42", (10, 2), 48)
    assert [line.text for line in read(small)] == ["42"]


@pytest.mark.parametrize("pixels", [np.zeros((16, 16, 3), np.uint8), np.full((16, 900, 3), 255, np.uint8)])
def test_nothing_is_read_where_nothing_is_written(pixels: np.ndarray) -> None:
    assert read(pixels) == []


def test_of_a_line_the_head_is_enough_to_tell_that_it_is_one() -> None:
    pixels = written(
        np.full((200, 700, 3), 230, np.uint8), "A notice that goes on for quite a while", (20, 80), 24
    )
    (whole,), (head,) = read(pixels), read(pixels, whole=False)
    assert head[1:] == whole[1:]
    assert 0 < len(head.text) < len(whole.text)


def test_a_long_picture_is_read_in_tiles_and_boxes_are_in_its_own_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lettering, "_TILE", 512)
    monkeypatch.setattr(lettering, "_OVERLAP", 96)
    pixels = np.full((1800, 400, 3), 250, np.uint8)
    for number, top in enumerate((30, 460, 1700)):
        pixels = written(pixels, f"Chapter {number + 1}", (60, top), 36)
    for name, top in (("Chapter 1", 30), ("Chapter 2", 460), ("Chapter 3", 1700)):
        line = next(line for line in read(pixels) if line.text == name)
        assert abs(line.top - top) < 16
        assert abs(line.left - 60) < 10


def test_a_huge_picture_becomes_no_more_tiles_than_there_may_be() -> None:
    for shape in ((60_000, 40, 3), (40, 60_000, 3), (9_000, 9_000, 3)):
        tiles = list(lettering._tiles(np.zeros(shape, np.uint8)))
        assert len(tiles) <= lettering._TILES
        assert all(max(tile.pixels.shape) <= lettering._TILE for tile in tiles)


def test_beyond_what_is_read_lines_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_MOST", 5)
    reading = Reading(engine(), whole=True)
    (line,) = reading.lines(written(np.full((200, 700, 3), 230, np.uint8), "A long line it is", (20, 80), 30))
    assert (line.text, reading.complete) == ("", False)
    assert line.right - line.left > 150


def test_a_row_is_read_from_left_to_right_and_rows_from_the_top() -> None:
    lines = [
        Line("value", 200, 12, 260, 30),
        Line("below", 10, 50, 80, 70),
        Line("name:", 10, 10, 80, 30),
    ]
    text, places = transcript(lines)
    assert text == "name: value\nbelow\n"
    assert [text[start : start + len(line.text)] for start, line in places] == ["name:", "value", "below"]
    assert transcript([]) == ("", [])


def test_without_its_networks_it_fails_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import rapidocr

    empty = tmp_path_factory.mktemp("rapidocr") / "__init__.py"
    monkeypatch.setattr(rapidocr, "__file__", str(empty))
    engine.cache_clear()
    with pytest.raises(DetectorError, match="missing"):
        engine()
    engine.cache_clear()


def test_what_has_lines_but_no_letters_is_nothing() -> None:
    """A fence: the network that reads is not sure of a single letter."""
    strips = [np.zeros((20, 60, 3), np.uint8)] * 3
    unsure = SimpleNamespace(
        text_det=lambda pixels: SimpleNamespace(boxes=np.zeros((3, 4, 2), np.int32)),
        crop_text_regions=lambda pixels, corners: strips,
        recognize_txt=lambda crops: SimpleNamespace(
            txts=("IIII", " ", "sure")[: len(crops)], scores=(0.6, 0.9, 0.9)[: len(crops)]
        ),
    )
    lines = Reading(unsure, whole=True).lines(np.zeros((100, 100, 3), np.uint8))
    assert [line.text for line in lines] == ["sure"]
