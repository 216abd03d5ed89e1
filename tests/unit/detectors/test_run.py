"""Running detectors: whom to ask, and what becomes of failures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detectors import Context, DetectorCard, Finding, inspect_all
from detectors.blocklist import Blocklist
from guard.errors import DetectorError
from guard.media import Artifact, Modality

PROMPT = Context("prompt", model="m")
TEXT = Artifact.from_text("forbidden-demo-term")


class Fixed:
    """Answers, or fails, as it is told."""

    def __init__(self, answer: Sequence[Finding] | BaseException, modality: Modality = Modality.TEXT) -> None:
        self.card = DetectorCard("fixed", "2", "fixed", frozenset({modality}), "for tests", "MIT")
        self.answer = answer
        self.asked: list[Context] = []

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.asked.append(context)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def finding(score: float | None, error: str | None = None) -> Finding:
    return Finding("fixed", "2", "fixed", score, 0.5, error=error)


def only(detector: Fixed) -> Finding:
    (found,) = inspect_all([detector], TEXT, PROMPT)
    return found


def test_findings_come_in_the_order_of_the_detectors() -> None:
    found = inspect_all([Fixed([finding(0.2)]), Blocklist(), Fixed([finding(0.4)])], TEXT, PROMPT)
    assert [f.detector for f in (found[0], found[1], found[-1])] == ["fixed", "blocklist", "fixed"]
    assert {f.signal: f.score for f in found}["blocklist"] == 1.0


def test_the_context_is_handed_on() -> None:
    detector = Fixed([finding(0.0)])
    inspect_all([detector], TEXT, PROMPT)
    assert detector.asked == [PROMPT]


def test_other_modalities_are_not_asked() -> None:
    detector = Fixed(RuntimeError("asked"), Modality.AUDIO)
    assert inspect_all([detector], TEXT, PROMPT) == []
    assert inspect_all([Blocklist()], Artifact(Modality.IMAGE, "image/png", b""), PROMPT) == []


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (DetectorError("No answer.", "Try again."), "No answer. Try again."),
        (ValueError("odd shape"), "ValueError: odd shape"),
        (MemoryError(), "MemoryError: "),
        (RecursionError("deep"), "RecursionError: deep"),
        ([], "The detector gave no finding."),
        ([finding(None)], "Signal 'fixed' has neither score nor error."),
        ([finding(float("nan"))], "Signal 'fixed' has the score nan, which is not in [0, 1]."),
        ([finding(0.1), finding(1.5)], "Signal 'fixed' has the score 1.5, which is not in [0, 1]."),
        ([finding(-0.1)], "Signal 'fixed' has the score -0.1, which is not in [0, 1]."),
    ],
)
def test_failures_become_findings(failure: Sequence[Finding] | BaseException, message: str) -> None:
    found = only(Fixed(failure))
    assert (found.score, found.error) == (None, message)
    assert (found.detector, found.version, found.signal) == ("fixed", "2", "fixed")
    assert not found.flagged


def test_an_error_that_the_detector_reports_itself_is_kept() -> None:
    assert only(Fixed([finding(None, "part failed")])).error == "part failed"


def test_one_failure_spares_the_others() -> None:
    found = inspect_all([Fixed(OSError("disk")), Fixed([finding(0.9)])], TEXT, PROMPT)
    assert [(f.score, f.error) for f in found] == [(None, "OSError: disk"), (0.9, None)]


def test_long_messages_are_cut() -> None:
    error = only(Fixed(ValueError("x" * 10_000))).error
    assert error is not None
    assert len(error) == 300


def test_an_interrupt_is_not_a_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        inspect_all([Fixed(KeyboardInterrupt())], TEXT, PROMPT)
