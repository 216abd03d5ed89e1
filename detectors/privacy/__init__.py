"""What a person would not want shown: credentials, personal data, faces, lettering."""

from __future__ import annotations

from detectors.privacy.faces import Faces
from detectors.privacy.personal import PersonalData
from detectors.privacy.secrets import Secrets
from detectors.privacy.visible import VisibleText

__all__ = ["Faces", "PersonalData", "Secrets", "VisibleText"]
