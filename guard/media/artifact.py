"""The media object that everything else handles (contract; the media room fills it in)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

__all__ = ["Artifact", "Limits", "Modality"]


class Modality(StrEnum):
    """The four kinds of media."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an input may be before it is refused."""

    max_bytes: int = 256 << 20
    max_pixels: int = 120_000_000
    max_frames: int = 2_000
    max_duration: float = 7_200.0
    max_expansion: float = 2_000.0


@dataclass(frozen=True)
class Artifact:
    """One media object: what it is, its bytes, and its decoded views on demand."""

    modality: Modality
    mime: str
    data: bytes
    limits: Limits = field(default_factory=Limits, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()
