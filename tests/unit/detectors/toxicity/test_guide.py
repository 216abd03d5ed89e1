"""The policy that the guide shows, on what the detector says."""

from __future__ import annotations

import re

import pytest

import policies
from detectors import Context, inspect_all
from guard.media import Artifact, Modality
from policies import Action, Facts
from tests.conftest import REPOSITORY
from tests.unit.detectors.toxicity.test_toxicity import CALM, HATE, detector

GUIDE = (REPOSITORY / "docs" / "guide" / "toxicity.md").read_text("utf-8")
POLICY = policies.loads(re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[0])


@pytest.mark.parametrize(
    ("text", "action", "rule"),
    [
        (CALM, Action.ALLOW, None),
        (HATE, Action.BLOCK, "hate"),
        ("\U0001f600 \U0001f4a9", Action.LABEL, "not-screened"),
    ],
)
def test_it_decides_as_the_guide_says(text: str, action: Action, rule: str | None) -> None:
    found = inspect_all([detector()], Artifact.from_text(text), Context("output"))
    facts = Facts(
        "output",
        Modality.TEXT,
        scores={f.signal: f.score for f in found if f.score is not None},
        inconclusive={f.signal: f.inconclusive for f in found if f.inconclusive},
    )
    decision = POLICY.decide(facts)
    assert (decision.action, decision.rule) == (action, rule)


def test_it_runs_only_where_a_rule_reads_it() -> None:
    for policy, read in ((POLICY, True), (policies.default(), False)):
        context = Context("output", signals=policy.signals("output"))
        found = inspect_all([detector()], Artifact.from_text(CALM), context)
        assert bool(found) is read
