"""The three states of a finding, whom a context asks, batches and budgets."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Sequence

import pytest

from detectors import Context, Finding, abstained, inspect_all, inspect_each, wanted
from detectors.base import failed
from detectors.budget import STRAYS
from detectors.run import BATCH
from guard.errors import DetectorError
from guard.media import Artifact, Modality
from tests.unit.detectors.seers import Many, Seer, card, found, nothing

TEXT = Artifact.from_text("some text")
UPLOAD = Context("upload")


class TestStates:
    def test_a_score_an_abstention_and_a_failure(self) -> None:
        findings = [found(0.9), nothing(), failed(card(), OSError("disk"))]
        assert [finding.state for finding in findings] == ["scored", "inconclusive", "failed"]
        assert [finding.flagged for finding in findings] == [True, False, False]

    def test_an_abstention_says_why_and_of_what(self) -> None:
        finding = abstained(card("x"), "Too short.", "insult")
        assert (finding.detector, finding.signal, finding.score) == ("x", "insult", None)
        assert finding.inconclusive == "Too short."

    def test_an_abstention_is_an_answer(self) -> None:
        assert inspect_all([Seer(lambda _: [nothing()])], TEXT, UPLOAD) == [nothing()]

    @pytest.mark.parametrize(
        ("answer", "complaint"),
        [
            (found(0.5, inconclusive="no"), "is inconclusive, and has a score all the same"),
            (found(0.5, likelihood_ratio=0.0), "which is not a positive number"),
            (found(0.5, likelihood_ratio=float("inf")), "which is not a positive number"),
            (found(0.5, likelihood_ratio=float("nan")), "which is not a positive number"),
        ],
    )
    def test_what_contradicts_itself_is_a_failure(self, answer: Finding, complaint: str) -> None:
        (finding,) = inspect_all([Seer(lambda _: [answer])], TEXT, UPLOAD)
        assert complaint in (finding.error or "")

    def test_a_failure_names_the_other_signals_that_are_missing(self) -> None:
        detector = Seer(lambda _: [], others=("insult", "threat"))
        (finding,) = inspect_all([detector], TEXT, UPLOAD)
        assert finding.signal == "tone"
        assert finding.details == {"signals": ["insult", "threat"]}

    def test_the_measured_error_goes_with_the_main_signals_score(self) -> None:
        answers = [found(0.9), found(0.2, "insult"), nothing("insult"), found(0.3, error_rate=0.5)]
        detector = Seer(lambda _: answers, false_alarms=0.04, others=("insult",))
        rates = [finding.error_rate for finding in inspect_all([detector], TEXT, UPLOAD)]
        assert rates == [0.04, None, None, 0.5]


class TestWanted:
    DETECTORS = (
        Seer(lambda _: [found(0.1)], name="a", signal="toxicity", others=("insult",)),
        Seer(lambda _: [found(0.1)], name="b", signal="synthetic"),
        Seer(lambda _: [found(0.1)], name="c", signal="toxicity", modalities=frozenset({Modality.IMAGE})),
    )

    @pytest.mark.parametrize(
        ("signals", "asked"),
        [
            (None, "ab"),
            (frozenset({"toxicity"}), "a"),
            (frozenset({"insult"}), "a"),
            (frozenset({"b"}), "b"),
            (frozenset({"synthetic", "insult"}), "ab"),
            (frozenset(), ""),
        ],
    )
    def test_a_signal_or_an_id_that_is_read(self, signals: frozenset[str] | None, asked: str) -> None:
        context = Context("output", signals=signals)
        looking = wanted(self.DETECTORS, Modality.TEXT, context)
        assert "".join(detector.card.id for detector in looking) == asked
        findings = inspect_all(self.DETECTORS, TEXT, context)
        assert len(findings) == len(asked)

    def test_the_detector_is_told_what_is_read(self) -> None:
        detector = Seer(lambda _: [found(0.1)])
        context = Context("output", signals=frozenset({"tone", "else"}))
        inspect_all([detector], TEXT, context)
        assert detector.contexts == [context]


class TestBatches:
    TEXTS = tuple(Artifact.from_text(f"text {number}") for number in range(BATCH + 3))

    def test_in_portions_and_in_order(self) -> None:
        detector = Many(lambda artifact: [found(0.1, message=artifact.text)], false_alarms=0.2)
        answers = inspect_each(detector, self.TEXTS, UPLOAD)
        assert [finding.message for (finding,) in answers] == [text.text for text in self.TEXTS]
        assert {finding.error_rate for (finding,) in answers} == {0.2}
        assert detector.batches == [BATCH, 3]

    def test_without_batches_one_by_one(self) -> None:
        detector = Seer(lambda artifact: [found(0.1, message=artifact.text)])
        answers = inspect_each(detector, self.TEXTS[:3], UPLOAD)
        assert [finding.message for (finding,) in answers] == ["text 0", "text 1", "text 2"]

    def test_a_bad_one_spoils_no_other(self) -> None:
        def say(artifact: Artifact) -> Sequence[Finding]:
            if artifact.text == "text 1":
                raise ValueError("cannot")
            return [found(0.1)]

        answers = inspect_each(Many(say), self.TEXTS[:3], UPLOAD)
        assert [finding.state for (finding,) in answers] == ["scored", "failed", "scored"]

    def test_a_batch_of_another_length_is_no_answer(self) -> None:
        detector = Many(lambda _: [found(0.1)])
        detector.inspect_many = lambda artifacts, context: []  # type: ignore[method-assign]
        assert len(inspect_each(detector, self.TEXTS[:2], UPLOAD)) == 2


class TestBudget:
    def test_who_takes_too_long_has_failed(self) -> None:
        gate = threading.Event()
        detector = Seer(lambda _: [found(0.1)] if gate.wait(20) else [], name="slow", seconds=0.01)
        (finding,) = inspect_all([detector], TEXT, UPLOAD)
        gate.set()
        assert finding.error == "The detector gave no answer in 0.01 s."

    def test_who_hangs_gets_no_more_work_until_it_is_done(self) -> None:
        gate, started = threading.Event(), threading.Semaphore(0)

        def hang(_: Artifact) -> Sequence[Finding]:
            started.release()
            gate.wait(20)
            return [found(0.1)]

        detector = Seer(hang, name="stuck", seconds=0.01)
        errors = [inspect_all([detector], TEXT, UPLOAD)[0].error or "" for _ in range(STRAYS + 1)]
        assert ["no answer" in error for error in errors] == [True] * STRAYS + [False]
        assert errors[-1].startswith("The detector is still busy")
        strays = [thread for thread in threading.enumerate() if thread.name == "detector-stuck"]
        gate.set()
        for thread in strays:
            thread.join(20)
        patient = Seer(lambda _: [found(0.1)], name="stuck", seconds=20)
        assert inspect_all([patient], TEXT, UPLOAD)[0].state == "scored"

    def test_without_a_limit_it_runs_in_the_callers_thread(self) -> None:
        threads: list[str] = []

        def say(_: Artifact) -> Sequence[Finding]:
            threads.append(threading.current_thread().name)
            return [found(0.1)]

        inspect_all([Seer(say, name="here", seconds=None), Seer(say, name="there")], TEXT, UPLOAD)
        assert threads == [threading.current_thread().name, "detector-there"]

    def test_the_callers_context_variables_are_seen(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
        variable.set("mine")
        (finding,) = inspect_all([Seer(lambda _: [found(0.1, message=variable.get())])], TEXT, UPLOAD)
        assert finding.message == "mine"

    def test_errors_come_back_as_they_were(self) -> None:
        def fail(_: Artifact) -> Sequence[Finding]:
            raise DetectorError("No.", "Try another.")

        assert inspect_all([Seer(fail)], TEXT, UPLOAD)[0].error == "No. Try another."
