"""The training of the embedded text detector: what is learned from, and what the report says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detectors.deepfake.text_features import tokens
from training.text import Set, cross_validated, train
from training.text_report import report
from training.text_sources import CHAT, PROSE, SPLIT, Passage, load, once, pairs, prose, simplified

HUMAN = "well , the {} was n't ours ! we lost it ; he said so , and I let it go . "
MACHINE = "furthermore , the {} has been of great importance , as it is ours . "


def passages() -> list[Passage]:
    """Two ways of writing that any model could tell apart, in two domains."""
    rng = np.random.default_rng(0)
    made = []
    for domain, things in (("sea", ("boat", "gull", "net")), ("land", ("cow", "barn", "plough"))):
        for number in range(20):
            thing = [str(rng.choice(things)) for _ in range(9)]
            made.append(Passage("".join(map(HUMAN.format, thing)), domain, "", str(number)))
            made += [
                Passage("".join(map(MACHINE.format, thing)), domain, generator, str(number))
                for generator in (*CHAT, "davinci")
            ]
    return made


class TestTraining:
    def test_what_is_learned_holds_in_another_domain(self) -> None:
        texts = Set.of(passages())
        model = train(texts, texts.where([""], ["sea"]), texts.where(CHAT, ["sea"]))
        human, machine = (tokens(text.format("kite") * 9) for text in (HUMAN, MACHINE))
        assert model.logit(machine) > 0 > model.logit(human)

    def test_the_report_of_texts_that_are_easily_told_apart(self) -> None:
        texts = Set.of(passages())
        folds = cross_validated(texts)
        folds = replace(folds, answered=np.ones(len(folds.raw), bool))
        card = report(folds)
        assert card["ranking"]["macro"] == 1
        assert card["ranking"]["sea/gpt-4"] == {"value": 1, "low": 1, "high": 1}
        assert card["speaking"]["land"]["caught"] == 1
        assert 0 < card["threshold"] < 1
        assert {row["name"] for row in card["measured"]} >= {"sea/human", "land/davinci"}


class TestSources:
    def test_the_prompt_that_both_share_is_left_out(self, shared_data: Path) -> None:
        found = list(pairs(shared_data))
        for human, machine in zip(found[::200], found[1::200], strict=True):
            assert human.group == machine.group
            assert (human.generator, machine.generator != "") == ("", True)
            assert human.text.split()[:1] != machine.text.split()[:1]
        assert len(once(found)) < len(found)

    def test_only_the_split_s_files_are_read(self, shared_data: Path, tmp_path: Path) -> None:
        assert {passage.domain for passage in load(shared_data, tmp_path)} == {
            "pubmed",
            "squad",
            "writing",
            "xsum",
        }
        for name in json.loads(SPLIT.read_text())["files"]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("{}")
        with pytest.raises(ValueError, match="not the file"):
            load(tmp_path, tmp_path)

    def test_the_split_knows_every_text_that_was_learned(self) -> None:
        split = json.loads(SPLIT.read_text())
        names = [row["name"] for row in split["train"]]
        assert not [name for name in names if name.split("/")[1] not in ("human", *CHAT)]
        assert all(len(row["sha256"]) == 64 and row["grams8"] for row in split["train"])
        assert set(split["prose"]) == set(PROSE)
        assert ["essays", "gpt-4"] in split["folds"]

    def test_prose_is_cut_into_passages(self, tmp_path: Path) -> None:
        page = tmp_path / "maint-guide/usr/share/doc/maint-guide/html/a.en.html"
        page.parent.mkdir(parents=True)
        page.write_text("<p>one &amp; <b>two</b></p>\n" * 80 + "<pre>code</pre>")
        found, *others = prose(tmp_path)
        assert found.text.split()[:4] == ["one", "&", "two", "one"]
        assert "code" not in found.text
        assert {(passage.domain, len(passage.text.split())) for passage in others} == {("manuals", 120)}

    def test_simplified_text_has_common_words_and_fewer_articles(self) -> None:
        text = "The surveyor meticulously scrutinised the derelict breakwater. " * 30
        easy = simplified(text)
        assert easy == simplified(text)
        assert easy.lower().count("the ") < 0.8 * text.lower().count("the ")
        assert easy.count("scrutinised") < 15
