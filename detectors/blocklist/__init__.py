"""A platform's own terms and patterns, found in text however they are disguised."""

from __future__ import annotations

from detectors.blocklist.detector import Blocklist
from detectors.blocklist.groups import Group

__all__ = ["Blocklist", "Group"]
