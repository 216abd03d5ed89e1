"""Every kind of media is compared with what the ledger keeps of its kind."""

from __future__ import annotations

import pytest

from guard.media import Artifact, Modality
from guard.sketches import compare, sketch_of
from tests.pictures import png
from tests.unit.ledger.test_store import passage
from tests.unit.paths.test_verify import wav

MADE = {
    "picture": png,
    "text": lambda seed: Artifact.from_text(passage(seed, 40)),
    "sound": wav,
}


@pytest.mark.parametrize("kind", MADE)
def test_each_is_like_itself_and_unlike_another(kind: str) -> None:
    sketch = sketch_of(MADE[kind](1))
    assert sketch is not None
    same, other = compare(sketch, MADE[kind](1)), compare(sketch, MADE[kind](2))
    assert same is not None
    assert same.same
    assert same.common > 0.95
    assert other is not None
    assert not other.same


def test_of_a_few_words_there_is_nothing_to_compare() -> None:
    short = Artifact.from_text("Too few words.")
    assert sketch_of(short) is None
    assert compare(sketch_of(Artifact.from_text(passage(1, 40))) or b"", short) is None


def test_of_video_nothing_is_kept() -> None:
    video = Artifact(Modality.VIDEO, "video/mp4", b"")
    assert sketch_of(video) is None
    assert compare(b"", video) is None
