"""Lettering in pictures, found and read by RapidOCR with the networks of PP-OCR that its wheel carries.

Every network is named by its file, so that none is ever fetched. Importing this module is cheap; `engine`
raises `ImportError` without the extra [ocr].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guard.errors import DetectorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Line", "Reading", "engine", "transcript"]

_SURE = 0.7
"""The mean probability of a line's letters below which it is taken for a fence or a row of windows."""
_CLEAR = 0.9
"""Below this a line is read upside down too. The network that comes for that goes wrong on long lines."""
_LARGE = 128
"""Pixels up to which a letter is believed to be one, however small the picture."""
_SHORT, _MAGNIFIED = 736, 1.5
"""A picture with fewer pixels on its shorter side is made larger, though not by more than this."""
_TILE, _OVERLAP, _TILES = 2048, 256, 8
_HEAD = 8
"""What is read of a line to tell that it is one, in multiples of its height."""
_MOST = 10_000
"""What is read of a picture, in the same measure: some 25,000 letters, which take minutes."""


class Line(NamedTuple):
    """A line of lettering, and the upright box around it in pixels; right and bottom lie outside."""

    text: str
    left: int
    top: int
    right: int
    bottom: int


class _Tile(NamedTuple):
    """A part of a picture, made larger or smaller by `scale`; `x` and `y` are its upper left corner there."""

    pixels: NDArray[np.uint8]
    x: int
    y: int
    scale: float


class Reading:
    """Reads the frames of one picture; of each line only the head, unless it is to be read `whole`.

    Once there is more than some 25,000 letters to read, lines are still found but come without text, and the
    reading is no longer `complete`.
    """

    def __init__(self, engine: Any, whole: bool) -> None:
        self.complete = True
        self._engine = engine
        self._whole = whole
        self._left: float = _MOST

    def lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        """The lines in a frame (H, W, 3), RGB."""
        return [line for tile in _tiles(pixels) for line in self._lines(tile)]

    def _lines(self, tile: _Tile) -> Iterator[Line]:
        pixels = tile.pixels[..., ::-1]
        corners = self._engine.text_det(pixels).boxes
        if corners is None:
            return
        strips = self._engine.crop_text_regions(pixels, corners)
        for place, strip, text in zip(corners, strips, self._read(strips), strict=True):
            if text is not None and not _looming(text, strip, tile):
                yield _line(text, place, tile)

    def _read(self, strips: Sequence[NDArray[np.uint8]]) -> list[str | None]:
        """What each strip of pixels says, None where it says nothing."""
        if not self._whole:
            strips = [strip[:, : _HEAD * strip.shape[0]] for strip in strips]
        self._left -= sum(strip.shape[1] / strip.shape[0] for strip in strips)
        if self._left < 0:
            self.complete = False
            return [""] * len(strips)
        said = self._said(strips)
        doubtful = [number for number, (_, sure) in enumerate(said) if sure < _CLEAR]
        turned = self._said([strips[number][::-1, ::-1] for number in doubtful])
        for number, other in zip(doubtful, turned, strict=True):
            said[number] = max(said[number], other, key=itemgetter(1))
        return [text if sure >= _SURE and text.strip() else None for text, sure in said]

    def _said(self, strips: Sequence[NDArray[np.uint8]]) -> list[tuple[str, float]]:
        if not strips:
            return []
        said = self._engine.recognize_txt(strips)
        return list(zip(said.txts, said.scores, strict=True))


@cache
def engine() -> Any:
    """RapidOCR; several threads may use it at once.

    Raises `ImportError` without the extra [ocr], and `DetectorError` where its networks are missing.
    """
    from rapidocr import RapidOCR

    return RapidOCR(params=_settings())


def transcript(lines: Sequence[Line]) -> tuple[str, list[tuple[int, Line]]]:
    """What was read as one text, row by row from the top, and where in it each line begins.

    Lines whose middles are on one height are one row: a name in a form, and what is written beside it.
    """
    text, places = "", []
    for row in _rows(lines):
        for line in row:
            places.append((len(text), line))
            text += line.text + " "
        text = text[:-1] + "\n"
    return text, places


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        if rows and 2 * rows[-1][0].bottom > line.top + line.bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _settings() -> dict[str, Any]:
    """RapidOCR's settings: sizes are ours to choose, since at its own a narrow picture grows without end."""
    return {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        "Det.limit_type": "min",
        "Det.limit_side_len": 1,
        "Det.unclip_ratio": 2.0,  # at its own 1.6 boxes cut into small letters
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        **{f"{part}.model_path": str(_network(part.lower())) for part in ("Det", "Cls", "Rec")},
    }


def _network(part: str) -> Path:
    import rapidocr

    found = sorted(Path(rapidocr.__file__).with_name("models").glob(f"*_{part}_*.onnx"))
    if not found:
        raise DetectorError("The networks that read lettering are missing.", "Reinstall rapidocr.")
    return found[0]


def _tiles(pixels: NDArray[np.uint8]) -> Iterator[_Tile]:
    """The picture in tiles of at most `_TILE` × `_TILE`, made smaller where it would take more than `_TILES`
    of them or is wider than one; those beside each other share `_OVERLAP`."""
    import cv2

    short, long = sorted(pixels.shape[:2])
    step = _TILE - _OVERLAP
    scale = min(max(1.0, min(_MAGNIFIED, _SHORT / short)), _TILE / short, (_TILES * step + _OVERLAP) / long)
    if scale != 1:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=how).astype("uint8")
    height, width = pixels.shape[:2]
    for y in range(0, max(1, height - _OVERLAP), step):
        for x in range(0, max(1, width - _OVERLAP), step):
            yield _Tile(pixels[y : y + _TILE, x : x + _TILE], x, y, scale)


def _looming(text: str, strip: NDArray[np.uint8], tile: _Tile) -> bool:
    """Whether these are one or two letters of more than half the picture: in photographs, a bird or a bay."""
    return 0 < len(text) < 3 and min(strip.shape[:2]) > max(_LARGE, min(tile.pixels.shape[:2]) / 2)


def _line(text: str, corners: NDArray[np.int32], tile: _Tile) -> Line:
    x, y = (corners[:, 0] + tile.x) / tile.scale, (corners[:, 1] + tile.y) / tile.scale
    return Line(text, int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
