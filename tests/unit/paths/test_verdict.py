"""What the evidence of the layers allows to conclude."""

from __future__ import annotations

import dataclasses

import pytest

from guard.ledger import Entry, Status
from guard.provenance.credential import Credential, CredentialState
from guard.verdict import LedgerMatch, MatchKind, VerdictState, conclude
from guard.watermark import Payload, Reading, ReadingState

ABSENT = Credential(CredentialState.ABSENT)
NO_MARK = Reading(ReadingState.ABSENT)
MARK = Reading(ReadingState.FOUND, "tile", Payload(5), p_value=1e-20)
ENTRY = Entry(
    id="0000000000000005",
    status=Status.RELEASED,
    modality="image",
    mime="image/png",
    sha256="0" * 64,
    size=1,
    model="painter",
    model_version="1",
    policy="p",
    policy_sha256="0" * 64,
    action="allow",
    decision={},
    findings=[],
)
RECOVERED = LedgerMatch(MatchKind.WATERMARK, ENTRY, None, 0.97, same=True)


@pytest.mark.parametrize("state", [CredentialState.TRUSTED, CredentialState.VALID])
def test_a_sound_credential_decides_alone(state: CredentialState) -> None:
    credential = Credential(state, issuer="Studio")
    assert conclude(credential, NO_MARK, LedgerMatch(), []).state == state.value
    assert conclude(credential, MARK, dataclasses.replace(RECOVERED, same=False), []).state == state.value


@pytest.mark.parametrize(
    "code",
    [
        "assertion.dataHash.mismatch",
        "assertion.dataHash.malformed",
        "assertion.bmffHash.mismatch",
        "assertion.hashedURI.mismatch",
        "claimSignature.mismatch",
        "assertion.missing",
    ],
)
def test_a_credential_that_the_content_contradicts_means_altered(code: str) -> None:
    credential = Credential(CredentialState.INVALID, codes=(code, "signingCredential.untrusted"))
    assert conclude(credential, MARK, RECOVERED, []).state is VerdictState.ALTERED


@pytest.mark.parametrize(
    "code",
    [
        "signingCredential.expired",
        "signingCredential.invalid",
        "timeStamp.mismatch",
        "signingCredential.ocsp.revoked",
        "assertion.action.malformed",
        "cawg.ica.signature.mismatch",
    ],
)
def test_a_credential_that_fails_over_something_else_does_not(code: str) -> None:
    credential = Credential(CredentialState.INVALID, codes=(code,))
    alone = conclude(credential, NO_MARK, LedgerMatch(), [])
    assert alone.state is VerdictState.NO_EVIDENCE
    assert any("does not hold" in warning for warning in alone.warnings)
    assert "does not hold" in alone.summary
    assert conclude(credential, MARK, RECOVERED, []).state is VerdictState.RECOVERED


def test_a_damaged_credential_leaves_the_verdict_to_the_other_layers() -> None:
    damaged = Credential(CredentialState.UNREADABLE)
    found = conclude(damaged, MARK, RECOVERED, [])
    assert found.state is VerdictState.RECOVERED
    assert any("cannot be read" in warning for warning in found.warnings)
    assert conclude(damaged, NO_MARK, LedgerMatch(), []).state is VerdictState.NO_EVIDENCE


def test_a_registered_match_that_shows_something_else_means_altered() -> None:
    match = dataclasses.replace(RECOVERED, same=False, similarity=0.2)
    found = conclude(ABSENT, MARK, match, [])
    assert found.state is VerdictState.ALTERED
    assert "shows something else" in found.summary
    assert any("does not agree" in sentence for sentence in found.explanation)


def test_a_match_without_anything_to_compare_is_recovered() -> None:
    match = LedgerMatch(MatchKind.WATERMARK, ENTRY)
    found = conclude(ABSENT, MARK, match, [])
    assert found.state is VerdictState.RECOVERED
    assert ENTRY.id in found.summary


def test_an_exact_match_says_so() -> None:
    match = LedgerMatch(MatchKind.EXACT, ENTRY, None, 1.0, same=True)
    assert "exact" in conclude(ABSENT, NO_MARK, match, []).summary


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.CUT, "ended early"),
        (Status.BLOCKED, "a rule stopped"),
        (Status.STREAMING, "no end on record"),
        (Status.RELEASED, "release 0000000000000005;"),
    ],
)
def test_how_a_stream_ended_is_told(status: Status, said: str) -> None:
    match = dataclasses.replace(RECOVERED, entry=dataclasses.replace(ENTRY, status=status))
    assert any(said in line for line in conclude(ABSENT, MARK, match, []).explanation)


@pytest.mark.parametrize(
    ("similarity", "share", "said"),
    [(1.0, 1.0, "two share."), (1.0, 0.4, "40 % of this text"), (0.93, 1.0, "7 %"), (0.998, 1.0, "1 %")],
)
def test_how_far_a_wording_agrees_is_told(similarity: float, share: float, said: str) -> None:
    match = LedgerMatch(
        MatchKind.FINGERPRINT,
        dataclasses.replace(ENTRY, modality="text"),
        None,
        similarity,
        same=True,
        share=share,
    )
    found = conclude(ABSENT, NO_MARK, match, [])
    assert found.state is VerdictState.RECOVERED
    assert "by its wording" in found.summary
    assert any(said in line for line in found.explanation)
    assert bool(found.warnings) is (share < 0.5)


@pytest.mark.parametrize(
    ("modality", "said"),
    [("image", "by what it shows"), ("audio", "by its sound"), ("video", "by what it shows")],
)
def test_by_which_content_it_was_recovered_is_told(modality: str, said: str) -> None:
    entry = dataclasses.replace(ENTRY, modality=modality)
    found = conclude(ABSENT, NO_MARK, LedgerMatch(MatchKind.FINGERPRINT, entry, None, 0.91, same=True), [])
    assert found.state is VerdictState.RECOVERED
    assert said in found.summary
    assert any("fingerprint match" in line and "agrees" in line for line in found.explanation)


@pytest.mark.parametrize(
    ("state", "issuer", "summary", "line"),
    [
        (CredentialState.TRUSTED, "Studio", ", signed by Studio.", "who is trusted here"),
        (CredentialState.VALID, None, ", signed by an unnamed signer.", "who is not on the trust list"),
        (CredentialState.INVALID, "Studio", "26-11-22.", "does not hold, and counts for nothing"),
    ],
)
def test_what_the_kept_manifest_is_worth_is_told(
    state: CredentialState, issuer: str | None, summary: str, line: str
) -> None:
    entry = dataclasses.replace(ENTRY, created_at="2026-11-22T10:00:00.000000Z")
    kept = Credential(state, issuer=issuer, generator="painter 2")
    match = LedgerMatch(MatchKind.WATERMARK, entry, None, 0.97, same=True, credential=kept)
    found = conclude(ABSENT, MARK, match, [])
    assert found.state is VerdictState.RECOVERED
    assert found.summary.endswith(summary)
    assert any(line in said for said in found.explanation)
    answer = match.as_json()["credential"]
    assert (answer["state"], answer["issuer"], answer["generator"]) == (state.value, issuer, "painter 2")


def test_failing_ingredients_are_warned_about() -> None:
    credential = Credential(
        CredentialState.TRUSTED,
        ingredients=(
            {
                "title": "sky.jpg",
                "relationship": "parentOf",
                "state": "invalid",
                "codes": ["x"],
                "issuer": None,
                "ingredients": [],
            },
            {
                "title": None,
                "relationship": "parentOf",
                "state": "invalid",
                "codes": ["x"],
                "issuer": None,
                "ingredients": [],
            },
            {
                "title": "sea.jpg",
                "relationship": "parentOf",
                "state": "trusted",
                "codes": [],
                "issuer": None,
                "ingredients": [],
            },
        ),
    )
    warnings = conclude(credential, NO_MARK, LedgerMatch(), []).warnings
    assert len(warnings) == 2
    assert "sky.jpg" in warnings[0]


@pytest.mark.parametrize("credential", [ABSENT, Credential(CredentialState.TRUSTED, issuer="Studio")])
@pytest.mark.parametrize("reading", [MARK, NO_MARK, Reading(ReadingState.UNSUPPORTED)])
def test_no_verdict_claims_that_a_human_made_it(credential: Credential, reading: Reading) -> None:
    found = conclude(credential, reading, LedgerMatch(), [])
    said = " ".join([found.summary, *found.explanation]).lower()
    assert not any(word in said for word in ("authentic", "human-made", "genuine", "real photo"))
