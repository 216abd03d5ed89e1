"""The void test: sets whose classes differ in form are found out, others pass."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.evaluation.trivial import LIMIT, VoidTest, features, void_test
from guard.media import Artifact, Modality
from tests.pictures import encoded, natural
from tests.unit.media.makers import video
from tests.voices import artifact as voice

HALVES = np.arange(200) % 2 == 0


def rows(**columns: object) -> list[dict[str, float | str]]:
    length = len(next(iter(columns.values())))  # type: ignore[arg-type]
    return [{name: values[n] for name, values in columns.items()} for n in range(length)]  # type: ignore[index]


def test_what_can_be_told_without_looking() -> None:
    picture = features(Artifact.from_bytes(encoded(natural(0, 30, 60))))
    assert (picture["format"], picture["width"], picture["aspect"]) == ("image/png", 60, 2.0)
    assert features(Artifact.from_text("one two\n")) == {
        "bytes": 8.0, "format": "text/plain", "characters": 8.0, "words": 2.0, "lines": 1
    }  # fmt: skip
    sound = features(voice("audio/wav", 1.0))
    assert (sound["rate"], sound["seconds"]) == (24_000, pytest.approx(1.0))
    film = features(Artifact.from_bytes(video()))
    assert (film["width"], film["height"]) == (64, 48)


def test_what_does_not_open_is_told_by_its_size() -> None:
    broken = Artifact(Modality.IMAGE, "image/png", encoded(natural(0, 30, 60))[:99])
    assert features(broken) == {"bytes": 99.0, "format": "image/png, broken"}


@pytest.mark.parametrize(
    "telling",
    [
        {"format": ["png" if each else "jpeg" for each in HALVES]},
        {"width": [512.0 if each else 640.0 + n % 7 for n, each in enumerate(HALVES)]},
        {"seconds": [float(n % 20) + (10 if each else 0) for n, each in enumerate(HALVES)]},
        {"words": [50.0 if each else float(n % 2) * 100 for n, each in enumerate(np.arange(200) % 2 == 0)]},
    ],
)
def test_a_telling_form_voids_the_set_and_is_named(telling: dict[str, list[float]]) -> None:
    noise = list(np.random.default_rng(0).normal(size=200))
    test = void_test(rows(**telling, bytes=noise), HALVES, 0)
    assert test.void
    assert test.telling == next(iter(telling))


def test_a_form_that_tells_both_ways_is_found_too() -> None:
    middle = np.random.default_rng(0).normal(size=200) * np.where(HALVES, 0.1, 3)
    assert void_test(rows(bytes=list(middle)), HALVES, 0).void


def test_chance_voids_nothing() -> None:
    areas = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        columns = {name: list(rng.normal(size=400)) for name in ("bytes", "width", "height")}
        columns["format"] = list(rng.choice(["png", "jpeg"], 400))
        areas.append(void_test(rows(**columns), np.arange(400) % 2 == 0, seed).auc or 0.0)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)
    assert sum(area > LIMIT for area in areas) <= 1


def test_what_few_items_say_may_be_chance() -> None:
    rng = np.random.default_rng(0)
    few = void_test(rows(bytes=list(rng.normal(size=32))), np.arange(32) % 2 == 0, 0)
    assert few.by_chance
    assert not void_test(rows(bytes=[float(each) for each in HALVES]), HALVES, 0).by_chance
    assert not VoidTest(None).by_chance


def test_with_too_few_items_nothing_can_be_said() -> None:
    test = void_test(rows(bytes=[1.0] * 40), np.arange(40) < 5, 0)
    assert test == VoidTest(None)
    assert not test.void


def test_columns_that_some_rows_lack_and_that_never_change() -> None:
    some = [{"bytes": 1.0, "width": 5.0} if n % 3 else {"bytes": 1.0} for n in range(200)]
    test = void_test(some, HALVES, 0)  # type: ignore[arg-type]
    assert not test.void
