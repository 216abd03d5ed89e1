"""Colours: words to paint, and the mixing of them. All colours are RGB triples in [0, 1], sRGB-encoded."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.scene.grammar import Colour, HairColour, Skin

__all__ = ["HAIR", "PAINT", "RGB", "SKIN", "darker", "lighter", "mix", "vec"]

RGB = tuple[float, float, float]


def _hex(code: str) -> RGB:
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


PAINT = {
    Colour.RED: _hex("c8453a"),
    Colour.ORANGE: _hex("e28743"),
    Colour.YELLOW: _hex("eec355"),
    Colour.GREEN: _hex("6b9a4b"),
    Colour.TEAL: _hex("3f8f8b"),
    Colour.BLUE: _hex("3f6fae"),
    Colour.PURPLE: _hex("7b5a9e"),
    Colour.PINK: _hex("e193a4"),
    Colour.BROWN: _hex("8a5d3d"),
    Colour.BLACK: _hex("2e2d33"),
    Colour.GREY: _hex("8d9096"),
    Colour.WHITE: _hex("f1ece2"),
}

# Six steps between the ends of the Monk Skin Tone scale (Ellis Monk, 2019), warmed a little for paint.
SKIN = {
    Skin.VERY_LIGHT: _hex("f2d2bc"),
    Skin.LIGHT: _hex("e6b792"),
    Skin.MEDIUM: _hex("d09b70"),
    Skin.TAN: _hex("b07a51"),
    Skin.BROWN: _hex("8b5a3c"),
    Skin.DARK: _hex("573729"),
}

HAIR = {
    HairColour.BLACK: _hex("26211f"),
    HairColour.BROWN: _hex("5d3d29"),
    HairColour.BLOND: _hex("d9b36c"),
    HairColour.RED: _hex("a9502b"),
    HairColour.GREY: _hex("8f8d8c"),
    HairColour.WHITE: _hex("e9e6e1"),
}


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`a` with `share` of it replaced by `b`."""
    return (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )


def lighter(colour: RGB, share: float = 0.25) -> RGB:
    """Toward a warm white."""
    return mix(colour, (1.0, 0.97, 0.9), share)


def darker(colour: RGB, share: float = 0.25) -> RGB:
    """Toward a cool, deep shade rather than black, which would look dead."""
    return mix(colour, (0.09, 0.09, 0.18), share)


def vec(values: Any) -> Any:
    """`values` as a 32-bit array, to reckon with."""
    return np.asarray(values, np.float32)
