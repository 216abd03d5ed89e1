"""What findings are to a policy, which detectors the release path asks, and what a verdict makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from detectors import Finding
from detectors.base import failed
from guard.app import App
from guard.drafts import Origin, facts
from guard.media import Artifact, Modality
from guard.pipeline import Guard
from guard.provenance.credential import Credential, CredentialState
from guard.verdict import LedgerMatch, VerdictState, conclude
from guard.watermark import Reading, ReadingState
from policies import Facts
from policies.policy import loads
from tests.pictures import png
from tests.unit.detectors.seers import Seer, card, found, nothing

ORIGIN = Origin("m")


def seen(*findings: Finding) -> Facts:
    return facts("text/plain", Modality.TEXT, findings, ORIGIN, "output")


class TestFacts:
    def test_an_abstention_is_told_with_its_reason(self) -> None:
        told = seen(nothing(), found(0.2, "other"))
        assert dict(told.inconclusive) == {"tone": "There is too little of it."}
        assert dict(told.scores) == {"other": 0.2}

    def test_any_score_beats_an_abstention(self) -> None:
        assert not seen(nothing(), found(0.2)).inconclusive
        assert not seen(found(0.2), nothing()).inconclusive

    def test_a_failure_beats_an_abstention(self) -> None:
        assert not seen(nothing(), failed(card("other"), OSError())).inconclusive

    def test_so_does_one_of_a_detector_that_would_have_given_the_signal_besides(self) -> None:
        broken = failed(card("other", signal="toxicity", others=("tone",)), OSError())
        assert not seen(nothing(), broken).inconclusive
        assert seen(nothing("else"), broken).inconclusive


POLICY = """
name: t
version: 1
require: {image: {mark: false, sign: false}, text: {mark: false, sign: false}}
rules:
  - {id: tone, stages: [output], when: 'scores["tone"] > 0.5', action: block, reason: because}
  - {id: asked, stages: [prompt], when: 'scores["asked"] > 0.5', action: block, reason: because}
"""


class TestScreening:
    @pytest.fixture
    def seers(self) -> list[Seer]:
        both = frozenset({Modality.TEXT, Modality.IMAGE})
        return [
            Seer(lambda _, signal=signal: [found(0.1, signal)], name=signal, signal=signal, modalities=both)
            for signal in ("tone", "asked", "synthetic")
        ]

    @pytest.fixture
    def guard(self, app: App, seers: list[Seer]) -> Guard:
        return dataclasses.replace(app.guard(), policy=loads(POLICY), detectors=seers)

    def test_nobody_pays_for_a_score_that_nothing_reads(self, guard: Guard, seers: list[Seer]) -> None:
        guard.admit(Origin("m", prompt="hello"))
        (release,) = guard.release([png()], ORIGIN)
        assert [[context.stage for context in seer.contexts] for seer in seers] == [
            ["output"],
            ["prompt"],
            [],
        ]
        assert [finding.signal for finding in release.findings] == ["tone"]

    def test_who_screens_can_be_told_ahead(self, guard: Guard, seers: list[Seer]) -> None:
        assert guard.screening(Modality.IMAGE) == [seers[0]]
        assert guard.screening(Modality.TEXT, "prompt") == [seers[1]]
        assert guard.screening(Modality.AUDIO) == []

    def test_a_policy_may_ask_for_synthetic_media(self, guard: Guard, seers: list[Seer]) -> None:
        rule = "  - {id: s, when: 'scores[\"synthetic\"] > 0.9', action: review, reason: because}\n"
        asking = dataclasses.replace(guard, policy=loads(POLICY + rule))
        assert seers[2] in asking.screening(Modality.IMAGE)

    def test_an_abstention_lets_a_release_leave(self, guard: Guard, seers: list[Seer]) -> None:
        seers[0].say = lambda _: [nothing()]
        (release,) = guard.release([Artifact.from_text("hi")], ORIGIN)
        assert release.findings[0].state == "inconclusive"


ABSENT = Credential(CredentialState.ABSENT)


def concluded(*findings: Finding) -> tuple[VerdictState, str, Sequence[str]]:
    conclusion = conclude(ABSENT, Reading(ReadingState.ABSENT), LedgerMatch(), findings)
    return conclusion.state, conclusion.summary, conclusion.explanation


class TestSuspicion:
    CALIBRATED = found(0.9, "synthetic", likelihood_ratio=9.0, error_rate=0.04)

    def test_a_calibrated_flag_raises_one_with_its_error_rate(self) -> None:
        state, summary, explanation = concluded(self.CALIBRATED)
        assert state is VerdictState.SUSPECTED
        assert summary == (
            "No provenance; seer takes it for synthetic (score 0.90, likelihood ratio 9; "
            "it says so of 4 % of real files, as measured)."
        )
        assert explanation[-1] == ("Detector: seer flags it as synthetic (score 0.90, likelihood ratio 9).")

    def test_an_error_that_nobody_measured_is_owned_up_to(self) -> None:
        _, summary, _ = concluded(dataclasses.replace(self.CALIBRATED, error_rate=None))
        assert "how often it errs was not measured" in summary

    def test_the_strongest_evidence_speaks(self) -> None:
        weaker = found(0.99, "synthetic", "loud", likelihood_ratio=2.0)
        assert "seer takes it" in concluded(weaker, self.CALIBRATED)[1]

    @pytest.mark.parametrize(
        ("finding", "note"),
        [
            (found(0.9, "synthetic"), "which is not calibrated and counts for nothing."),
            (found(0.2, "synthetic", likelihood_ratio=0.2), "Detector: seer does not flag it as synthetic"),
            (nothing("synthetic"), "Detector: seer abstains: There is too little of it."),
            (failed(card(), OSError("gone")), "Detector: seer failed: OSError: gone"),
        ],
    )
    def test_nothing_else_does(self, finding: Finding, note: str) -> None:
        state, _, explanation = concluded(finding)
        assert state is VerdictState.NO_EVIDENCE
        assert note in explanation[-1]
