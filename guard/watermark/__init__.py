"""Marks: payloads embedded in media and read back, one engine per file."""

from guard.watermark.base import Mark, Payload, Reading, ReadingState, Strength, Watermarker

__all__ = ["Mark", "Payload", "Reading", "ReadingState", "Strength", "Watermarker"]
