"""Nothing that is measured was trained on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from training.toxicity import mixture as stages
from training.toxicity import splits
from training.toxicity.controls import marked
from training.toxicity.functional import tweets
from training.toxicity.measure import test_sets as sets_of
from training.toxicity.mixture import FAMILIES, FINISHING, finishing, mixture, settling
from training.toxicity.sentences import Families
from training.toxicity.sources import Example, read_all

pytestmark = pytest.mark.heavy
NONE_GROWN = "."
Parts = dict[str, dict[str, list[Example]]]


@pytest.fixture(scope="module")
def parts(shared_data: Path) -> Parts:
    splits.check_files(shared_data)
    return splits.split(read_all(shared_data))


def folded(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def test_no_text_of_the_test_is_in_training(parts: Parts) -> None:
    learnt = {folded(example.text) for found in parts["train"].values() for example in found}
    for part in ("validation", "test"):
        for found in parts[part].values():
            assert not learnt & {folded(example.text) for example in found}


def test_templates_of_the_test_are_not_learnt(parts: Parts) -> None:
    assert {example.key for example in parts["train"]["madlibs"]} == {"am_hate_adj", "you_are_adj"}
    assert {example.key for example in parts["test"]["madlibs"]} == {
        "being_adj", "name_adj", "verb_adj", "you_occupation",
    }  # fmt: skip


def test_the_manifest_is_made_the_same_again(parts: Parts, shared_data: Path) -> None:
    assert splits.make(read_all(shared_data), shared_data) == json.loads(splits.PATH.read_text("utf-8"))
    assert parts["test"].keys() >= {"davidson", "toxigen", "implicit_hate"}


def test_a_mixture_is_the_same_for_a_seed_and_holds_every_source(parts: Parts) -> None:
    first, again, other = (mixture(parts["train"], seed, NONE_GROWN) for seed in (1, 1, 2))
    assert first == again != other
    assert {example.source for example in first} == {
        "davidson", "toxigen", "implicit_hate", "madlibs", "holisticbias", "bold", "winobias",
    }  # fmt: skip
    assert all(len(example.targets) == 4 for example in random.Random(0).sample(first, 500))


def test_dialect_tells_nothing_of_the_label(parts: Parts) -> None:
    """Of the tweets that are drawn, offensive ones are in casual spelling no more often than neutral ones."""
    drawn = [e for e in mixture(parts["train"], 1, NONE_GROWN) if e.source == "davidson" and not e.twin]
    share = {
        kind: sum(marked(e.text) for e in drawn if e.about == kind) / sum(e.about == kind for e in drawn)
        for kind in "12"
    }
    assert share["1"] < share["2"]


def test_twins_differ_by_whom_they_are_about(parts: Parts) -> None:
    twins = [e for e in mixture(parts["train"], 1, NONE_GROWN) if e.twin]
    assert {e.source for e in twins} == {"davidson", "toxigen", "implicit_hate"}
    assert sum(e.text != e.twin for e in twins) > 0.9 * len(twins)


def test_families_can_be_left_out(parts: Parts) -> None:
    drawn = mixture(parts["train"], 1, without="^(?!short answers|reclaimed)")
    assert {e.key for e in drawn if e.source == "templates"} == {"short answers", "reclaimed"}


def test_later_stages_keep_some_of_the_first(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Callable[..., list[Example]] = partial(mixture, without="^(?!names|threats to one)")
    monkeypatch.setattr(stages, "mixture", drawn)
    second = finishing(parts["train"], 1)
    fresh = {family["name"] for family in Families.load(FINISHING).families}
    assert {e.key for e in second if e.source == "templates"} - {
        "names",
        "names again",
        "threats to one",
    } == fresh
    assert len([e for e in second if e.key not in fresh]) == 4_000
    third = [e.source for e in settling(parts["train"], 2)]
    assert (
        third.count("toxigen") > third.count("davidson") > third.count("implicit_hate") > third.count("bold")
    )
    assert third.count("templates") > 3_000


def test_labelled_tweets_are_of_the_test(parts: Parts) -> None:
    found = tweets(parts["test"]["davidson"])
    assert len(found) == 213
    assert sum(e.targets[2] == 1 for e in found) == 28
    assert sum(e.targets[3] == 1 for e in found) == 24


def test_controls_are_harmless(parts: Parts) -> None:
    found = sets_of(parts["test"])
    for name in ("encyclopaedia", "news", "scraps", "short answers", "tweets with dialect markers"):
        assert found[name]
        assert {example.targets[0] for example in found[name]} == {0.0}


def test_other_data_are_refused(shared_data: Path, tmp_path: Path) -> None:
    for name in json.loads(splits.PATH.read_text("utf-8"))["files"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((shared_data / name).read_bytes()[:100])
    with pytest.raises(SystemExit, match="expected"):
        splits.check_files(tmp_path)


def test_a_changed_test_is_refused(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in FAMILIES.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(splits, "FAMILIES", tmp_path)
    splits.check_files(shared_data)
    with (tmp_path / "written.yaml").open("a") as file:
        file.write("      - One more that we like.\n")
    with pytest.raises(SystemExit, match=r"written\.yaml has sha256"):
        splits.check_files(shared_data)
