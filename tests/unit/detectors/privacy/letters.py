"""Words on pictures, in a font that comes with matplotlib."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]


def written(pixels: Pixels, text: str, at: tuple[int, int], size: int = 24, ink: str = "black") -> Pixels:
    """A copy of the picture (H, W, 3) with a text whose upper left corner is `at`, across and down."""
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text(at, text, font=_font(size), fill=ink)
    return np.asarray(image)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size
    )
