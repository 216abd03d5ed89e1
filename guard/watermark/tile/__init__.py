"""The image mark: 64 bits and a CRC, spread over a tile that repeats across the picture."""

from guard.watermark.tile.embed import embed
from guard.watermark.tile.picture import canonical_scale
from guard.watermark.tile.read import read

__all__ = ["canonical_scale", "embed", "read"]
