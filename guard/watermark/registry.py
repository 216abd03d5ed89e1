"""Watermark engines by name."""

from __future__ import annotations

from guard.errors import InputError
from guard.watermark.base import Watermarker

__all__ = ["engine"]


def engine(name: str) -> Watermarker:
    """The engine of that name. Raises `InputError` naming those that exist."""
    from guard.watermark import tile
    from guard.watermark.pictures import PictureWatermarker

    if name == "tile":
        return PictureWatermarker("tile", "guard.tile.1", tile.embed, tile.read)
    raise InputError(f"There is no watermark engine {name!r}.", "Engines: tile.")
