"""Subtitle files."""

from __future__ import annotations

import pytest

from guard.api.sound.cues import srt, vtt, words_in
from models.base import Segment

SPOKEN = [Segment(0.0, 1.2345, " One "), Segment(59.9996, 3725.5, "two\nlines")]


def words(text: str) -> list[str]:
    lines = text.split("\n")
    return [lines[number] for number in words_in(lines)]


def test_times_are_rounded_to_thousandths() -> None:
    assert srt(SPOKEN) == (
        "1\n00:00:00,000 --> 00:00:01,234\nOne\n\n2\n00:01:00,000 --> 01:02:05,500\ntwo\nlines\n\n"
    )
    assert vtt(SPOKEN[:1]) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.234\nOne\n\n"


@pytest.mark.parametrize("written", [srt, vtt])
def test_their_words_are_found_again(written: object) -> None:
    assert callable(written)
    assert words(written(SPOKEN)) == ["One", "two", "lines"]
    assert words(written([])) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "\ufeffWEBVTT\n\nintro\n00:01.000 --> 00:02.000 align:start position:0%\r\n<v Ann>Hi\n",
            ["intro", "<v Ann>Hi"],
        ),
        ("WEBVTT - a title\nNOTE hidden\n", ["WEBVTT - a title", "NOTE hidden"]),
        ("1\n00:00:00,000 --> 00:00:01,000\n42\n\n43", ["42", "43"]),
        ("00:00.000 --> 00:01.000 said in the settings\n", ["00:00.000 --> 00:01.000 said in the settings"]),
        ("words\nWEBVTT\n", ["words", "WEBVTT"]),
    ],
)
def test_whatever_is_no_number_or_time_is_words(text: str, found: list[str]) -> None:
    assert words(text) == found
