"""Nothing that is measured was trained on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from training.toxicity import splits
from training.toxicity.measure import test_sets as sets_of
from training.toxicity.mixture import mixture, second_mixture
from training.toxicity.sources import Example, read_all

pytestmark = pytest.mark.heavy
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
    first, again, other = (mixture(parts["train"], seed) for seed in (1, 1, 2))
    assert first == again != other
    assert {example.source for example in first} == {
        "davidson", "toxigen", "implicit_hate", "madlibs", "holisticbias", "bold", "templates",
    }  # fmt: skip
    assert second_mixture(parts["train"], 3)[:50] == second_mixture(parts["train"], 3)[:50]
    assert all(len(example.targets) == 4 for example in random.Random(0).sample(first, 500))


def test_controls_are_harmless(parts: Parts) -> None:
    found = sets_of(parts["test"])
    for name in ("encyclopaedia", "names", "tweets with dialect markers", "tweets without dialect markers"):
        assert found[name]
        assert {example.targets[0] for example in found[name]} == {0.0}


def test_other_data_are_refused(shared_data: Path, tmp_path: Path) -> None:
    for name in json.loads(splits.PATH.read_text("utf-8"))["files"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((shared_data / name).read_bytes()[:100])
    with pytest.raises(SystemExit, match="expected"):
        splits.check_files(tmp_path)
