"""Watermark engines by name."""

from __future__ import annotations

from guard.errors import InputError
from guard.watermark.base import Watermarker

__all__ = ["engine", "engines"]

_CLASSIC = ("dwtDct", "dwtDctSvd", "rivaGan")


def engines() -> tuple[str, ...]:
    """The names of all engines, the default first."""
    return ("tile", *_CLASSIC)


def engine(name: str) -> Watermarker:
    """The engine of that name. Raises `InputError` where there is none."""
    if name == "tile":
        from guard.watermark import tile
        from guard.watermark.pictures import PictureWatermarker

        return PictureWatermarker("tile", "guard.tile.1", tile.embed, tile.read)
    if name in _CLASSIC:
        from guard.watermark.classic import classic

        return classic(name)
    raise InputError(f"There is no watermark engine {name!r}.", f"Use one of {', '.join(engines())}.")
