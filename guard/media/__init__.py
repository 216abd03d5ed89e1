"""Bytes in, arrays out, safely."""

from guard.media.artifact import Artifact, Limits, Modality

__all__ = ["Artifact", "Limits", "Modality"]
