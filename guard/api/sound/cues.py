"""Subtitles: SubRip and WebVTT files, and the words in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.base import Segment

__all__ = ["srt", "vtt", "words_in"]

_TIME = r"(?:\d+:)?\d+:\d\d[.,]\d{3}"
_TIMES = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s+[a-z]+:[\w.,%-]+)*\s*")
_NUMBER = re.compile(r"\s*\d+\s*")
_HEADER = "WEBVTT"


def words_in(lines: Sequence[str]) -> list[int]:
    """The numbers of those lines of a subtitle file that hold words: not its header, nor cues' numbers and
    times (WebVTT, W3C, section 4.1), nor empty ones."""
    return [number for number, line in enumerate(lines) if line.strip() and not _is_structure(lines, number)]


def srt(segments: Sequence[Segment]) -> str:
    """A SubRip file."""
    cues = [
        f"{number}\n{_times(segment, ',')}\n{segment.text.strip()}\n\n"
        for number, segment in enumerate(segments, 1)
    ]
    return "".join(cues)


def vtt(segments: Sequence[Segment]) -> str:
    """A WebVTT file."""
    cues = [f"{_times(segment, '.')}\n{segment.text.strip()}\n\n" for segment in segments]
    return f"{_HEADER}\n\n{''.join(cues)}"


def _is_structure(lines: Sequence[str], number: int) -> bool:
    line = lines[number]
    if number == 0 and line.strip("\ufeff \t") == _HEADER:
        return True
    numbers_a_cue = _NUMBER.fullmatch(line) and number + 1 < len(lines)
    return bool(_TIMES.fullmatch(line) or (numbers_a_cue and _TIMES.fullmatch(lines[number + 1])))


def _times(segment: Segment, point: str) -> str:
    return f"{_time(segment.start, point)} --> {_time(segment.end, point)}"


def _time(seconds: float, point: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"
