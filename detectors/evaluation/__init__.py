"""Measuring a detector on labelled items that it has not seen, so that its card can say how often it errs."""

from __future__ import annotations

from detectors.evaluation.evaluate import Plan, Report, run

__all__ = ["Plan", "Report", "run"]
