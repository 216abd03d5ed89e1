"""Harmless texts of which detectors are known to be afraid: names, and tweets in African American English."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Sequence

from training.toxicity.sources import Example

__all__ = ["dialects", "marked", "names", "scraps"]

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


def marked(text: str) -> bool:
    """Whether a text has words of African American English or of casual spelling. They are a rough guide to a
    dialect, not to who wrote it."""
    return _MARKERS.search(text) is not None


def dialects(tweets: Iterable[Example]) -> tuple[Sequence[Example], Sequence[Example]]:
    """Tweets that people found neither hateful nor offensive: those with words of African American English or
    of casual spelling, and the others."""
    neutral = [tweet for tweet in tweets if tweet.about == "2"]
    return [t for t in neutral if marked(t.text)], [t for t in neutral if not marked(t.text)]


def scraps() -> list[Example]:
    """Texts that say nothing: each letter and digit alone, and random letters and signs in rows."""
    rng = random.Random(5)
    single = [*string.ascii_letters, *string.digits]
    rows = [
        "".join(
            rng.choice(string.ascii_letters + string.digits + string.punctuation + "   ") for _ in range(size)
        )
        for size in (3, 6, 12, 24, 48)
        for _ in range(40)
    ]
    return [
        Example(text, "scraps", str(len(text)), (0.0, 0.0, 0.0, 0.0))
        for text in [*single, *rows]
        if text.strip()
    ]
