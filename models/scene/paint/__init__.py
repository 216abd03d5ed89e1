"""Scenes drawn as pictures with NumPy and OpenCV."""

from models.scene.paint.compose import draw

__all__ = ["draw"]
