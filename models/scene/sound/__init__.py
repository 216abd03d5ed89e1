"""Scenes made audible with NumPy: grammar and chance are the pictures', the sounds are synthesised."""

from models.scene.sound.play import play
from models.scene.sound.signal import RATE
from models.scene.sound.wishes import wishes

__all__ = ["RATE", "play", "wishes"]
