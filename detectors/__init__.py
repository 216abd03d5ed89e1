"""What does an artifact look like? Detectors say so in findings."""

from __future__ import annotations

from detectors.base import Context, Detector, DetectorCard, Finding, Span, Streaming, Watch
from detectors.registry import Loaded, load, load_all
from detectors.run import inspect_all
from detectors.watching import Watching

__all__ = [
    "Context",
    "Detector",
    "DetectorCard",
    "Finding",
    "Loaded",
    "Span",
    "Streaming",
    "Watch",
    "Watching",
    "inspect_all",
    "load",
    "load_all",
]
