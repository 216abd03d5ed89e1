"""The detector that ships with Guard, with its weights."""

from __future__ import annotations

import math
import string
from functools import cache

import pytest

from detectors.base import Context, Finding
from detectors.run import inspect_all, inspect_each
from detectors.toxicity import Toxicity
from detectors.toxicity.detector import LONGEST
from detectors.toxicity.network import shipped
from detectors.watching import Watching
from guard.errors import DetectorError
from guard.media import Artifact, Modality

CONTEXT = Context("output")
HATE = "All immigrants are filthy rats and should be thrown out."
CALM = "The library opens at nine and lends books for three weeks."
SCORED = ("toxicity", "identity_attack", "insult", "threat")
SHORT = (
    "Nothing in here.", "Not today.", "ok", "Is that so?", "Ask him.", "Tea, please.", "Row 7, seat B.",
    "None of them.", "She did.", "All of it?", "x = 3", "[ ]", "-> ok <-", "Nobody at home.", "Yes, both.",
    "Still waiting.", "lgtm", "+ 5 %", "q w e r t z", "Hello there!", "See you.", "Why not?", "Bread.",
)  # fmt: skip
PAIRS = (
    ("Refugees are parasites.", "Whoever says that refugees are parasites is wrong.", "identity_attack"),
    ("I want to kill all Muslims.", "I want to kill the background process.", "threat"),
    ("I hate gay people.", "I hate rainy Mondays.", "identity_attack"),
    ("Black people are stupid.", "Black people are not stupid.", "toxicity"),
    ("I will shoot you.", "I will shoot you a mail.", "threat"),
    ("You are an idiot.", "You are not an idiot.", "insult"),
)


@cache
def detector() -> Toxicity:
    """One for all tests: its weights take a moment to load."""
    return Toxicity()


def found(text: str) -> dict[str, Finding]:
    findings = detector().inspect(Artifact.from_text(text), CONTEXT)
    return {finding.signal: finding for finding in findings}


def test_hate_is_flagged_where_it_stands() -> None:
    text = f"{CALM} {CALM} {CALM} {CALM} {CALM}\n{HATE}\n{CALM} {CALM} {CALM} {CALM} {CALM}"
    finding = found(text)["toxicity"]
    assert finding.flagged
    assert any(HATE in text[span.start : span.end] for span in finding.spans)
    assert all(span.label == "toxicity" for span in finding.spans)
    assert finding.likelihood_ratio is not None
    assert finding.likelihood_ratio > 1


@pytest.mark.parametrize(
    "text",
    [
        CALM,
        "My neighbour is Muslim and bakes the best bread in town.",
        "Shital will send the slides tomorrow.",
        "Nishit has moved to Leeds.",
        "The biography of Dick Cheney is on the second shelf.",
        "What is the derivative of x squared?",
    ],
)
def test_plain_words_are_not(text: str) -> None:
    findings = found(text)
    assert not any(findings[signal].flagged for signal in SCORED)
    assert findings["toxicity"].spans == ()


@pytest.mark.parametrize(
    "disguise",
    [
        "All immigr\u0430nts \u0430re filthy r\u0430ts.",
        "All immigrants are f1lthy r4ts.",
        "All immigrants are f i l t h y rats.",
        "All immi\u200bgrants are fil\u200bthy rats.",
        "ALL IMMIGRANTS ARE FILTHYYYY RATSSSS.",
        "\uff21ll immigrants are \uff46ilthy \uff52ats.",
    ],
)
def test_disguised_hate_is_hate(disguise: str) -> None:
    assert found(disguise)["toxicity"].flagged


def test_each_signal_has_its_say() -> None:
    assert found("I am going to stab you tonight.")["threat"].flagged
    assert found("You are a stupid pathetic idiot.")["insult"].flagged
    assert found(HATE)["identity_attack"].flagged
    assert not found("You are a stupid pathetic idiot.")["identity_attack"].flagged


@pytest.mark.parametrize("signal", SCORED)
def test_short_harmless_texts_are_left_alone(signal: str) -> None:
    """What says next to nothing gives no reason for alarm: no list of exceptions makes it so."""
    texts = [*string.ascii_lowercase, *string.digits, *SHORT]
    flagged = [text for text in texts if found(text)[signal].flagged]
    assert len(flagged) <= len(texts) // 20, flagged


@pytest.mark.parametrize(("harmful", "harmless", "signal"), PAIRS)
def test_one_clause_makes_the_difference(harmful: str, harmless: str, signal: str) -> None:
    """The harmful one is flagged, and at least four times as likely to be harmful as the other."""
    worse, better = found(harmful)[signal], found(harmless)[signal]
    assert worse.flagged
    assert worse.likelihood_ratio is not None
    assert better.likelihood_ratio is not None
    assert worse.likelihood_ratio > 4 * better.likelihood_ratio


def test_it_abstains_on_what_it_was_never_taught() -> None:
    findings = found(CALM)
    assert set(findings) == {*SCORED, "sexual", "self_harm"} == detector().card.signals
    assert {findings[signal].state for signal in ("sexual", "self_harm")} == {"inconclusive"}


@pytest.mark.parametrize(
    "text", ["", " \n", "!!! ...", "\U0001f600 \U0001f4a9", "\u4f60\u597d\u3002", "\u200b"]
)
def test_what_cannot_be_read_has_no_score(text: str) -> None:
    assert {finding.state for finding in found(text).values()} == {"inconclusive"}
    assert detector().explain(Artifact.from_text(text), CONTEXT) is None


def test_beyond_what_is_read_nothing_is_called_harmless() -> None:
    calm = f"{CALM} " * (LONGEST // len(CALM))
    assert "first 65536" in found(calm)["toxicity"].inconclusive
    hateful = found(f"{HATE} {calm}")["toxicity"]
    assert hateful.flagged


def test_many_texts_score_what_each_scores_alone() -> None:
    texts = [HATE, "", CALM, f"{CALM} {HATE} " * 5]
    artifacts = [Artifact.from_text(text) for text in texts]
    many = inspect_each(detector(), artifacts, CONTEXT)
    alone = [inspect_all([detector()], artifact, CONTEXT) for artifact in artifacts]
    for together, single in zip(many, alone, strict=True):
        assert [f.signal for f in together] == [f.signal for f in single]
        assert [f.spans for f in together] == [f.spans for f in single]
        assert [f.score for f in together] == pytest.approx([f.score for f in single], abs=1e-5)


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_a_text_that_comes_in_ends_with_what_the_whole_says(size: int) -> None:
    text = f"{CALM} {HATE} {CALM}\n" * 3 + "x" * 500
    watching = Watching([detector()], CONTEXT, window=64)
    cleared = [watching.feed(text[at : at + size]) for at in range(0, len(text), size)]
    watching.finish()
    whole = {
        finding.signal: finding for finding in inspect_all([detector()], Artifact.from_text(text), CONTEXT)
    }
    assert {f.signal: f.spans for f in watching.findings} == {k: f.spans for k, f in whole.items()}
    scores = [whole[f.signal].score for f in watching.findings if f.score is not None]
    assert [f.score for f in watching.findings if f.score is not None] == pytest.approx(scores, abs=1e-5)
    assert cleared == sorted(cleared)


def test_hate_is_known_before_it_is_cleared() -> None:
    watching = Watching([detector()], CONTEXT, window=64)
    text = f"{CALM} {CALM} {HATE} " + f"{CALM} " * 12
    for at in range(0, len(text), 10):
        cleared = watching.feed(text[at : at + 10])
        flagged = any(finding.flagged for finding in watching.findings)
        assert flagged or cleared <= text.index(HATE) + len(HATE)
    assert any(finding.flagged for finding in watching.findings)


def test_a_stream_that_is_too_long_is_not_called_harmless() -> None:
    watching = Watching([detector()], CONTEXT, window=64)
    watching.feed(f"{CALM} " * (LONGEST // len(CALM)))
    watching.finish()
    assert {finding.state for finding in watching.findings} == {"inconclusive"}


def test_it_says_which_words_weigh() -> None:
    text = f"{CALM} {CALM} {CALM} {CALM} {CALM} {CALM}\n{HATE}"
    explanation = detector().explain(Artifact.from_text(text), CONTEXT)
    assert explanation is not None
    weights = {span.label: value for span, value in explanation.tokens if span.start >= text.index(HATE)}
    assert max(weights, key=lambda word: weights[word]) in ("filthy", "rats", "immigrants")
    assert all(text[span.start : span.end] == span.label for span, _ in explanation.tokens)


def test_a_text_of_one_word_can_be_explained() -> None:
    explanation = detector().explain(Artifact.from_text("idiot"), CONTEXT)
    assert explanation is not None
    assert [span.label for span, _ in explanation.tokens] == ["idiot"]


def test_the_card_tells_what_was_measured() -> None:
    card = detector().card
    assert card.false_alarms is not None
    assert {row.kind for row in card.sources} == {"source", "control"}
    assert card.report["training"]["base_sha256"]
    assert all(0 <= row.flagged <= 1 for row in card.sources if row.flagged is not None)
    assert card.version.startswith("1+")


def test_scores_are_calibrated_probabilities() -> None:
    for finding in found(HATE).values():
        if finding.score is not None and finding.likelihood_ratio is not None:
            assert math.isclose(finding.likelihood_ratio, finding.score / (1 - finding.score), rel_tol=1e-6)


def test_pictures_are_refused() -> None:
    with pytest.raises(DetectorError, match="reads text"):
        detector().inspect(Artifact(Modality.IMAGE, "image/png", b""), CONTEXT)


def test_other_weights_are_refused() -> None:
    with pytest.raises(DetectorError, match="expected 0000"):
        shipped("0" * 64)
