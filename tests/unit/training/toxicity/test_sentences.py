"""Sentences grown from templates."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable

import pytest

from training.toxicity.controls import marked, names, scraps
from training.toxicity.functional import grown, written
from training.toxicity.mixture import FAMILIES, FINISHING, LEARNT
from training.toxicity.sentences import Families, disguised, spoken, styled
from training.toxicity.sources import LABELS

TRAINED = Families.load(*LEARNT, FINISHING)
STEERING = Families.load(FAMILIES / "steering.yaml")
HELD_OUT = Families.load(FAMILIES / "held_out.yaml")
KINDS = {
    "steering": (STEERING, ("neg", "pos", "vermin", "violent", "done", "things", "thing", "slur"), 0.25),
    "held out": (HELD_OUT, ("bad", "good", "beast", "harm", "harmed", "gear", "name"), 0.1),
}

NESTED = ("insults at one",)
"""One of its eleven patterns puts a choice into a choice, and the outer one is learnt as it stands."""
ALIKE = {"How much longer do we have to put up with these filthy migrants?"}
"""Frozen sentences that share six words in a row with learnt ones after all; the guide says so."""


def patterns(families: Families) -> set[str]:
    return {pattern.lower() for family in families.families for pattern in family["patterns"]}


def runs(texts: Iterable[str]) -> set[tuple[str, ...]]:
    """Six words in a row, wherever they are."""
    cut = (re.findall(r"[a-z']+", text.lower()) for text in texts)
    return {tuple(words[at : at + 6]) for words in cut for at in range(len(words) - 5)}


@pytest.mark.parametrize("families", [TRAINED, STEERING, HELD_OUT])
def test_every_slot_has_words_and_every_word_is_a_text(families: Families) -> None:
    words = [word for found in families.words.values() for word in found]
    assert all(isinstance(word, str) for word in words)
    slots = {slot for text in [*patterns(families), *words] for slot in re.findall(r"\{(\w+)\}", text)}
    assert slots - {"abuse"} <= set(families.words)


def test_families_have_a_target_or_none_for_each_label() -> None:
    for family in TRAINED.families:
        assert len(family["labels"]) == len(LABELS)
        assert all(target is None or 0 <= target <= 1 for target in family["labels"])


def test_a_seed_gives_the_same_sentences() -> None:
    def some(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [TRAINED.sentence(family, rng) for family in TRAINED.families]

    assert some(4) == some(4) != some(5)


def test_nothing_is_left_open() -> None:
    rng = random.Random(0)
    for families in (TRAINED, STEERING, HELD_OUT):
        for family in [*families.families] * 20:
            text = families.sentence(family, rng)
            assert not re.search(r"[{}]", text), text
            assert family["name"] in NESTED or not re.search(r"\[[^\]]*\|", text), text


def test_words_may_hold_slots_and_patterns_choices() -> None:
    families = Families({"who": ["{other}s", "owls"], "other": ["ibis"]}, [])
    family = {"patterns": ["a [{who}|emu] [sat|] here."]}
    found = {families.sentence(family, random.Random(seed)) for seed in range(100)}
    assert found == {
        "An ibiss sat here.", "An ibiss here.", "An owls sat here.", "An owls here.",
        "An emu sat here.", "An emu here.",
    }  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_functional_tests_share_neither_carriers_nor_words_with_training(name: str) -> None:
    test, kinds, most = KINDS[name]
    assert not patterns(TRAINED) & patterns(test)
    learnt = {word.lower() for slot in TRAINED.words for word in TRAINED.words[slot]}
    for kind in kinds:
        shared = learnt & {word.lower() for word in test.words[kind]}
        assert len(shared) <= most * len(test.words[kind]), (kind, shared)


def test_no_frozen_sentence_is_learnt_or_steered_by() -> None:
    rng = random.Random(1)
    learnt = runs(TRAINED.sentence(family, rng) for family in TRAINED.families for _ in range(150))
    learnt |= runs(example.text for example in grown("steering", seed=2, each=60))
    frozen = [*written(), *grown("held_out", seed=3, each=20)]
    assert {example.text for example in frozen if runs([example.text]) & learnt} <= ALIKE


@pytest.mark.parametrize(
    ("family", "targets"),
    [
        ("threat at one", (1, 0, None, 1)),
        ("insult at one", (1, 0, 1, 0)),
        ("threat to a group", (1, 1, None, 1)),
        ("harm wished", (1, 1, None, 1)),
        ("denial", (0, 0, 0, 0)),
        ("other people", (None, 0, None, 0)),
    ],
)
def test_labels_follow_families(family: str, targets: tuple[float | None, ...]) -> None:
    sentences = [*grown("steering", seed=1, each=3), *grown("held_out", seed=1, each=3), *written()]
    assert {example.targets for example in sentences if example.key == family} == {targets}


def test_the_written_test_says_nothing_twice() -> None:
    texts = [example.text.lower() for example in written()]
    assert len(texts) == len(set(texts)) > 300


def test_scraps_say_nothing() -> None:
    texts = [example.text for example in scraps()]
    assert {"a", "Z", "7"} <= set(texts)
    assert max(map(len, texts)) == 48
    assert all(text.strip() and text.isascii() for text in texts)


def test_a_casual_spelling_is_known_as_one() -> None:
    assert spoken("They are going to sing with the others.") == "dey are finna sing wit da others."
    assert spoken("Nothing is wrong.") == "Nothin is wrong."
    assert marked(spoken("I want to see that."))
    assert not marked("I want to see that.")


def test_names_of_the_control_are_not_trained_on() -> None:
    trained = {word for words in TRAINED.words.values() for word in words}
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
