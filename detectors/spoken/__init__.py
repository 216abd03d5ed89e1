"""Spoken words, screened as the text they are."""

from detectors.spoken.detector import Spoken

__all__ = ["Spoken"]
