"""Bytes in, arrays out, safely."""

from guard.media.artifact import Artifact
from guard.media.formats import Modality, canonical_mime, mime_for_suffix
from guard.media.limits import Limits

__all__ = ["Artifact", "Limits", "Modality", "canonical_mime", "mime_for_suffix"]
