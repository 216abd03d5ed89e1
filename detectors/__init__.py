"""What does an artifact look like? Detectors say so in findings."""

from __future__ import annotations

from detectors.base import (
    Batched,
    Context,
    Detector,
    DetectorCard,
    Finding,
    Span,
    Streaming,
    Watch,
    abstained,
    calibrated,
)
from detectors.cards import Measurement
from detectors.registry import Loaded, load, load_all
from detectors.run import inspect_all, inspect_each, wanted
from detectors.watching import Watching

__all__ = [
    "Batched",
    "Context",
    "Detector",
    "DetectorCard",
    "Finding",
    "Loaded",
    "Measurement",
    "Span",
    "Streaming",
    "Watch",
    "Watching",
    "abstained",
    "calibrated",
    "inspect_all",
    "inspect_each",
    "load",
    "load_all",
    "wanted",
]
