"""Items that were trained on are found again, also where they look a little different."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detectors.evaluation.leakage import Seen, identity, perceptual_hash, read_split, word_grams
from guard.errors import InputError
from guard.media import Artifact
from guard.media.stream import Samples
from tests.pictures import encoded, natural, png, shared_again

STORY = " ".join(f"word{number}" for number in range(400))


def seen(*items: Artifact) -> Seen:
    split = {"train": [{"name": "x"} | identity(item) for item in items], "seed": 0, "test": {"n": [1, 2]}}
    return Seen.of(json.loads(json.dumps(split)))


def test_the_same_bytes() -> None:
    sound = Artifact.from_samples(Samples(8_000, np.zeros((800, 1), np.float32)), "audio/wav")
    known = seen(sound, png(1))
    assert known.known
    assert known.why(sound) == "the same bytes"
    assert known.why(png(1)) == "the same bytes"


def test_the_same_picture_after_it_was_shared() -> None:
    small = [png(seed, 96, 128) for seed in range(20)]
    known = seen(*small[:5])
    assert known.why(shared_again(small[3])) == "the same picture"
    assert [known.why(other) for other in small[5:]] == [""] * 15


def test_a_part_of_the_same_text() -> None:
    known = seen(Artifact.from_text(STORY))
    part = "Quite new! " + STORY[600:1_500].upper().replace(" ", " … ")
    assert known.why(Artifact.from_text(part)) == "the same words"
    assert known.why(Artifact.from_text(" ".join(reversed(STORY.split())))) == ""


def test_short_texts_are_known_as_a_whole() -> None:
    known = seen(Artifact.from_text("You are bad."))
    assert known.why(Artifact.from_text("you are BAD")) == "the same words"
    assert known.why(Artifact.from_text("You are not bad.")) == ""
    assert known.why(Artifact.from_text("!!!")) == ""


def test_about_a_quarter_of_all_runs_of_words_is_kept_and_never_none() -> None:
    assert 50 < len(word_grams(STORY)) < 150
    for start in range(40):
        assert word_grams(" ".join(f"w{number}" for number in range(start, start + 8)))


def test_a_flat_picture_has_a_hash_too() -> None:
    assert len(perceptual_hash(np.full((5, 5, 3), 9, np.uint8))) == 16
    assert perceptual_hash(natural(0, 64, 64)) != perceptual_hash(natural(1, 64, 64))


def test_what_is_no_media_was_not_seen() -> None:
    broken = Artifact.from_bytes(encoded(natural(0, 64, 64)))
    object.__setattr__(broken, "data", broken.data[:300])
    assert seen(png(1)).why(broken) == ""


def test_a_split_may_be_laid_out_in_any_way() -> None:
    digest, picture = "ab" * 32, "0123456789abcdef"
    split = {"sha256": {"photo.png": digest}, "folds": [[{"phash": [picture.upper()]}]], "grams8": "nothing"}
    found = Seen.of(split)
    assert found.hashes == {digest}
    assert found.pictures.tolist() == [0x0123456789ABCDEF]
    assert not found.grams


def test_an_empty_split_knows_nothing() -> None:
    assert not Seen.of({}).known


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000])
def test_files_that_are_no_split(tmp_path: Path, content: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(InputError):
        read_split(path)


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as a split"):
        read_split(tmp_path / "none.json")
