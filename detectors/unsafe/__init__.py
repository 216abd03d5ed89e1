"""Pictures that a platform may not want to show: nudity, violence, and what else a checkpoint knows."""

from __future__ import annotations

from detectors.unsafe.unscreened import Unscreened

__all__ = ["Unscreened"]
