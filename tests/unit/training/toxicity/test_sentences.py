"""Sentences grown from templates."""

from __future__ import annotations

import random
import re

import pytest
import yaml

from training.toxicity import mixture
from training.toxicity.controls import names
from training.toxicity.mixture import functional
from training.toxicity.sentences import Families, disguised, styled
from training.toxicity.sources import LABELS

FOLDER = mixture.Path(mixture.__file__).parent
LEARNT = Families.load(FOLDER / "templates.yaml")
SECOND = Families.load(FOLDER / "second.yaml", LEARNT)
STEERED = Families.load(FOLDER / "functional.yaml")


def patterns(families: Families) -> set[str]:
    return {pattern.lower() for family in families.families for pattern in family["patterns"]}


@pytest.mark.parametrize("families", [LEARNT, SECOND, STEERED])
def test_every_slot_has_words_and_every_word_is_a_text(families: Families) -> None:
    slots = {slot for pattern in patterns(families) for slot in re.findall(r"\{(\w+)\}", pattern)}
    assert slots - {"abuse"} <= set(families.words)
    assert all(isinstance(word, str) and word for words in families.words.values() for word in words)


def test_families_have_a_target_or_none_for_each_label() -> None:
    for family in [*LEARNT.families, *SECOND.families]:
        assert len(family["labels"]) == len(LABELS)
        assert all(target is None or 0 <= target <= 1 for target in family["labels"])


def test_a_seed_gives_the_same_sentences() -> None:
    def grown(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [LEARNT.sentence(family, rng) for family in LEARNT.families]

    assert grown(4) == grown(4) != grown(5)


def test_no_slot_is_left_open() -> None:
    rng = random.Random(0)
    for families in (LEARNT, SECOND, STEERED):
        for family in families.families * 20:
            assert not re.search(r"[{}]", families.sentence(family, rng))


def test_the_test_to_steer_by_shares_no_pattern_and_few_words_with_training() -> None:
    assert not (patterns(LEARNT) | patterns(SECOND)) & patterns(STEERED)
    for kind in ("neg", "pos", "vermin", "violent", "done", "slur", "things", "thing"):
        assert not set(LEARNT.words[kind]) & set(STEERED.words[kind]), kind
    assert not set(SECOND.words["abusive"]) & set(STEERED.words["slur"])


def test_its_labels_follow_its_families() -> None:
    found = {example.key: example.targets for example in functional(seed=1, each=3)}
    assert found["threat"] == (1, 1, None, 1)
    assert found["threat at one"] == (1, 0, None, 1)
    assert found["insult at one"] == (1, 0, 1, 0)
    assert found["denial"] == (0, 0, 0, 0)


def test_names_of_the_control_are_not_trained_on() -> None:
    trained = {word for words in LEARNT.words.values() for word in map(str, words)}
    assert not trained & {example.key for example in names()}
    assert {"Shital", "Nishit", "Dick Cheney"} <= {example.key for example in names()}


def test_a_style_keeps_the_words() -> None:
    for seed in range(200):
        assert "they sing well" in styled("They sing well.", random.Random(seed)).lower()


def test_a_disguise_changes_at_most_two_words_and_may_join_two() -> None:
    text = "everybody knows that these people sing rather well"
    changed = [disguised(text, random.Random(seed)) for seed in range(200)]
    assert all(sum(word in text.split() for word in found.split()) >= 4 for found in changed)
    assert len(set(changed)) > 100
    assert disguised("an ox", random.Random(0)) in ("an ox", "anox")
    assert disguised("word", random.Random(1)) != ""


def test_both_files_are_plain_yaml() -> None:
    for name in ("templates.yaml", "second.yaml", "functional.yaml"):
        assert set(yaml.safe_load((FOLDER / name).read_text("utf-8"))) >= {"words", "families"}
