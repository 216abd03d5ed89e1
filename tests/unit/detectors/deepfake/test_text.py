"""The embedded text detector: what it answers, when it abstains, and what its words add up to."""

from __future__ import annotations

import re

import numpy as np
import pytest

from detectors.base import Context, Finding
from detectors.deepfake.text import SyntheticText
from detectors.deepfake.text_features import BINS, common_words, counts, gate, runs, tokens, windows
from detectors.deepfake.text_model import Model, load, shipped
from guard.errors import DetectorError
from guard.media import Artifact
from tests.pictures import encoded, natural

UPLOAD = Context("upload")
PROSE = """
The harbour at Kirkbride had been silting up for a decade before anybody on the council would say so aloud.
Fishermen knew it, of course; they'd grounded twice that winter, and old Mrs Tulloch kept a tally in chalk on
her shed door. "Nine," she told me in March, tapping the wood. When the surveyor finally turned up he measured
for two days, drank everyone's whisky and left without a word. His report, forty pages long, put the blame on
a breakwater built in 1911. Nobody was surprised. Dredging would cost £340,000, which the council didn't have,
and so the boats went round to Leith instead, an hour further, until most of their owners gave up and sold.
I went back last autumn. There's a café where the net loft stood, and a plaque with three spelling mistakes.
"""
DETECTOR = SyntheticText()


def finding(text: str) -> Finding:
    (found,) = DETECTOR.inspect(Artifact.from_text(text), UPLOAD)
    return found


class TestAnswers:
    def test_a_score_is_a_calibrated_probability(self) -> None:
        found = finding(PROSE)
        assert found.state == "scored"
        assert found.score is not None
        assert found.likelihood_ratio == pytest.approx(found.score / (1 - found.score))
        assert not found.flagged
        assert found.message == ""

    def test_blanks_and_curly_quotes_count_for_nothing(self) -> None:
        changed = PROSE.replace("\n", " ").replace("'", "’").replace(" ", "  ")
        assert finding(changed).details["raw"] == pytest.approx(finding(PROSE).details["raw"])

    def test_long_text_is_the_mean_of_its_stretches(self) -> None:
        assert finding(PROSE * 3).details["raw"] == pytest.approx(finding(PROSE).details["raw"], abs=0.1)
        assert finding(PROSE * 60).message == "Only the beginning of the text was read."
        assert finding(PROSE * 2000).details["raw"] == finding(PROSE * 4000).details["raw"]

    def test_a_picture_is_no_text(self) -> None:
        with pytest.raises(DetectorError, match="not a text"):
            DETECTOR.inspect(Artifact.from_bytes(encoded(natural(0, 64, 64), "PNG")), UPLOAD)

    def test_words_and_signs_add_up(self) -> None:
        explanation = DETECTOR.explain(Artifact.from_text(PROSE), UPLOAD)
        assert explanation is not None
        added = sum(value for _, value in explanation.tokens)
        assert added + shipped().bias == pytest.approx(finding(PROSE).details["raw"], abs=1e-4)
        assert all(PROSE[span.start : span.end] == span.label for span, _ in explanation.tokens)


ABSTAINED = {
    "short": (" ".join(PROSE.split()[:80]), "are needed"),
    "empty": ("", "are needed"),
    "another script": ("Это предложение написано по-русски и не по-английски. " * 40, "are needed"),
    "another language": (
        "Der Hafen war seit Jahren versandet, aber niemand wollte davon reden. " * 20,
        "English",
    ),
    "code": ("for (i = 0; i < n; i++) { if (a[i] == b[i]) { x += 1; } }\n" * 40, "English|numbers and signs"),
    "a table": ("the 1,234.5 | of 67,890.12 | and 3,456.78 | to 9,012.34 |\n" * 60, "numbers and signs"),
    "a list": ("and the boats of Leith\n" * 40, "list"),
    "no sentences": (PROSE.replace(".", ","), "sentences"),
    "easy words": (
        "I went to the park with my friend and we had a good day. It was very nice. " * 12,
        "common words",
    ),
}


@pytest.mark.parametrize(("text", "why"), ABSTAINED.values(), ids=ABSTAINED)
def test_it_abstains(text: str, why: str) -> None:
    found = finding(text)
    assert found.state == "inconclusive"
    assert re.search(why, found.inconclusive)
    assert DETECTOR.explain(Artifact.from_text(text), UPLOAD) is None


def test_words_that_say_what_it_is_about_are_left_out() -> None:
    found = tokens("“Walking” slowly, Anna’s 3.5 dogs didn’t bark... ``No''!")
    stands = ['"', "Xx", '"', "~ly", ",", "Xx", "#", "~s", "didn't", "~", "…", '"', "no", '"', "!"]
    assert [token.stands for token in found] == stands


def test_runs_and_counts() -> None:
    found = tokens("of the, of the")
    each = runs(found)
    assert [(start, size) for start, size, _ in each if size == 3] == [(0, 3), (1, 3), (2, 3)]
    twice = {each[0][2], each[1][2], each[5][2]}
    assert all(counts(found)[place] == pytest.approx(1 + np.log(2)) for place in twice)
    assert tokens("") == runs([]) == []


@pytest.mark.parametrize(("number", "expected"), [(10, 1), (170, 1), (250, 2), (5000, 20)])
def test_windows_are_alike(number: int, expected: int) -> None:
    found = windows(tokens("word, " * number), 20)
    assert len(found) == expected
    sizes = [len(window) for window in found]
    assert max(sizes) - min(sizes) <= 2


def test_the_model_survives_its_file() -> None:
    model = shipped()
    again = load(model.dump())
    window = tokens(PROSE)
    assert again.logit(window) == model.logit(window)
    assert len(model.dump()) < 5 << 20


def test_nothing_known_leaves_the_bias() -> None:
    zeros = np.zeros(BINS, np.float32)
    model = Model(zeros, zeros, 0.5)
    assert model.logit(tokens(PROSE)) == 0.5
    assert not model.contributions(tokens(PROSE)).any()


def test_common_words_are_a_list_of_words() -> None:
    assert 2000 <= len(common_words()) <= 3000
    assert gate(PROSE, tokens(PROSE)) == ""


def test_the_card_says_what_was_measured() -> None:
    card = DETECTOR.card
    assert card.signal == "synthetic"
    assert card.false_alarms is not None
    assert card.false_alarms < 0.05
    generators = {row.name for row in card.sources if row.label == "synthetic"}
    assert {"xsum/gpt-4", "writing/gpt-4", "xsum/davinci"} <= generators
    assert any(row.kind == "control" and row.label == "real" for row in card.sources)
    assert "Macro AUC" in card.measured_error
