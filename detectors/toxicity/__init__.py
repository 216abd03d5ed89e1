"""Toxicity and safety of text."""

from detectors.toxicity.detector import Toxicity

__all__ = ["Toxicity"]
