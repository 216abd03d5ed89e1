"""What a person would not want shown: credentials, personal data, faces."""

from __future__ import annotations

from detectors.privacy.faces import Faces
from detectors.privacy.personal import PersonalData
from detectors.privacy.secrets import Secrets

__all__ = ["Faces", "PersonalData", "Secrets"]
