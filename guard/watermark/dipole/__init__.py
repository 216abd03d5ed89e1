"""The sound mark: 64 bits and a MAC in the levels of neighbouring cells of time and frequency."""

from guard.watermark.dipole.embed import embed
from guard.watermark.dipole.read import detect, read
from guard.watermark.dipole.stream import Stream

__all__ = ["Stream", "detect", "embed", "read"]
