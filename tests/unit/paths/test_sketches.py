"""Every kind of media is compared with what the ledger keeps of its kind, and found by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from guard.ledger.fingerprint import bucket, probes
from guard.media import Artifact, Modality
from guard.sketches import Seen
from tests.pictures import encoded, natural, png, shared_again
from tests.unit.ledger.test_store import passage
from tests.unit.ledger.test_video_sketch import mp4
from tests.unit.paths.test_verify import wav

MADE: dict[str, Callable[[int], Artifact]] = {
    "picture": png,
    "text": lambda seed: Artifact.from_text(passage(seed, 40)),
    "sound": wav,
    "video": mp4,
}


@pytest.mark.parametrize("kind", MADE)
def test_each_is_like_itself_and_unlike_another(kind: str) -> None:
    sketch = Seen(MADE[kind](1)).sketch()
    assert sketch is not None
    same, other = (Seen(MADE[kind](seed)).compare(sketch) for seed in (1, 2))
    assert same is not None
    assert same.same
    assert same.common > 0.9
    assert other is not None
    assert not other.same


@pytest.mark.parametrize("kind", ["picture", "sound", "video"])
def test_each_asks_where_itself_is_filed_and_not_where_another_is(kind: str) -> None:
    filed = [{bucket(each) for each in Seen(MADE[kind](seed)).fingerprints()} for seed in (1, 2)]
    asked = {place for each in Seen(MADE[kind](1)).questions() for place in probes(each)}
    assert len(asked & filed[0]) > 0.9 * len(filed[0]) or kind == "video"
    assert len(asked & filed[0]) > 4
    assert not asked & filed[1]


def test_of_a_few_words_there_is_nothing_to_compare() -> None:
    short = Seen(Artifact.from_text("Too few words."))
    assert short.sketch() is None
    assert short.compare(Seen(Artifact.from_text(passage(1, 40))).sketch() or b"") is None
    assert short.fingerprints() == short.questions() == []


def test_of_what_is_not_decoded_nothing_is_kept() -> None:
    closed = Seen(Artifact(Modality.IMAGE, "image/heic", b""))
    assert closed.sketch() is None
    assert closed.compare(b"") is None
    assert closed.fingerprints() == closed.questions() == []


def test_blank_pictures_are_compared_though_nothing_in_them_stands_out() -> None:
    blank = Artifact.from_bytes(encoded(np.full((80, 120, 3), 200, np.uint8)))
    seen = Seen(blank)
    assert seen.fingerprints() == seen.questions() == []
    likeness = seen.compare(seen.sketch() or b"")
    assert likeness is not None
    assert likeness.same


def test_a_picture_with_the_same_codes_but_other_content_is_refused() -> None:
    """Whoever crafts a collision pastes the places that stand out of a picture into another."""
    victim, other = natural(1), natural(2)
    forged = other.copy()
    forged[60:330, 90:420] = victim[60:330, 90:420]
    seen = Seen(Artifact.from_bytes(encoded(forged)))
    filed = {bucket(each) for each in Seen(png(1)).fingerprints()}
    assert filed & {place for each in seen.questions() for place in probes(each)}
    likeness = seen.compare(Seen(png(1)).sketch() or b"")
    assert likeness is not None
    assert not likeness.same


def moon(seed: int, radius: int) -> Artifact:
    down, across = np.mgrid[:384, :512]
    disc = 180 * (np.hypot(down - 200, across - 260) < radius)
    return Artifact.from_bytes(
        encoded(np.clip(natural(seed) * 0.2 + disc[..., None], 0, 255).astype(np.uint8))
    )


def test_one_edge_in_common_makes_no_copy_where_no_mark_led_there() -> None:
    sketch = Seen(moon(1, 150)).sketch() or b""
    answers = [Seen(moon(2, 154)).compare(sketch, alone=alone) for alone in (False, True)]
    assert [answer.same for answer in answers if answer] == [True, False]
    itself = Seen(shared_again(moon(1, 150))).compare(sketch, alone=True)
    assert itself is not None
    assert itself.same


def test_a_copy_is_compared_as_what_stands_out_in_it_lies() -> None:
    turned = np.ascontiguousarray(np.rot90(natural(1))[20:-30, 10:-20])
    copy = shared_again(Artifact.from_bytes(encoded(turned)))
    likeness = Seen(copy).compare(Seen(png(1)).sketch() or b"")
    assert likeness is not None
    assert likeness.same
    assert 0.75 < likeness.coverage < 0.95
