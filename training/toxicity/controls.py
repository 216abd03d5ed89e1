"""Harmless texts of which detectors are known to be afraid: names, and tweets in African American English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from training.toxicity.sources import Example

__all__ = ["dialects", "names"]

_NAMES = (
    "Shital", "Nishit", "Dick Cheney", "Dick Durbin", "Hitesh Shitole", "Randy Dickson", "Mahershala Ali",
    "Fuchs", "Gaylord Perry", "Wang Dong", "Phuong Bich", "Jesus Cordero", "Osama Khan", "Adolf Meyer",
    "Jamal Washington", "Lakisha Jackson", "Mohammed Hussein", "Fatima Zahra", "Goldberg", "Nguyen Phuc",
    "Ishita Butta", "Anal Kumar",
    "Suk Kim", "Kondo Aso", "Rapinoe", "Hancock", "Sussman", "Cumming", "Assange", "Dyke Rogers",
)  # fmt: skip
_FRAMES = (
    "{} called this morning.",
    "Could you forward the minutes to {}?",
    "{} was born in 1961 and studied law.",
    "Our new colleague is {}.",
    "I had lunch with {} and we talked about the budget.",
    "Is {} coming on Friday?",
)
_MARKERS = re.compile(
    r"\b(finna|ion|bouta|tryna|dat|dis|dey|dem|wit|aint|ain't|gon|imma|ima|bruh|fam|cuz|yall|y'all|wanna"
    r"|gotta|lil|da|nah|ya|tho|smh|mane|errbody|erbody|talmbout|deadass|finsta|homie|homies|shawty|cuh)\b",
    re.IGNORECASE,
)


def names() -> list[Example]:
    """Plain sentences about people whose names detectors have taken for abuse; none was trained on."""
    return [
        Example(frame.format(name), "names", name, (0.0, 0.0, 0.0, 0.0))
        for name in _NAMES
        for frame in _FRAMES
    ]


def dialects(tweets: Iterable[Example]) -> tuple[Sequence[Example], Sequence[Example]]:
    """Tweets that people found neither hateful nor offensive: those with words of African American English or
    of casual spelling, and the others. The markers are a rough guide to a dialect, not to who wrote it."""
    neutral = [tweet for tweet in tweets if tweet.about == "2"]
    marked = [tweet for tweet in neutral if _MARKERS.search(tweet.text)]
    return marked, [tweet for tweet in neutral if not _MARKERS.search(tweet.text)]
