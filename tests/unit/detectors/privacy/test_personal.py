"""Personal data in text, found by Presidio without network or model."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

import pytest

import policies
from detectors.base import Context, Finding
from detectors.privacy import PersonalData, personal
from detectors.run import inspect_all
from detectors.watching import Watching
from guard.media import Artifact, Modality
from guard.obligations import apply_obligations

pytest.importorskip("presidio_analyzer", reason="the extra [privacy] is not installed")

CONTEXT = Context("output")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever here reaches for the network fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a detector reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def looked_at(text: str) -> Finding:
    (finding,) = inspect_all([PersonalData()], Artifact.from_text(text), CONTEXT)
    return finding


def found(text: str) -> set[tuple[str, str]]:
    return {(text[span.start : span.end], span.label) for span in looked_at(text).spans}


@pytest.mark.parametrize(
    ("text", "what", "label"),
    [
        ("write to bob.smith@example.co.uk today", "bob.smith@example.co.uk", "EMAIL_ADDRESS"),
        ("call +44 20 7946 0958", "+44 20 7946 0958", "PHONE_NUMBER"),
        ("pay to DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "CREDIT_CARD"),
        ("from 192.168.17.4", "192.168.17.4", "IP_ADDRESS"),
        ("my ssn is 219-09-9998", "219-09-9998", "US_SSN"),
        ("NHS number 943 476 5919", "943 476 5919", "UK_NHS"),
        ("NINO AB123456C", "AB123456C", "UK_NINO"),
        ("el NIF 12345678Z", "12345678Z", "ES_NIF"),
    ],
)
def test_what_has_a_shape_is_found_where_it_stands(text: str, what: str, label: str) -> None:
    assert (what, label) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112",
        "order 12345678 of 2024-11-12 costs 1,234,567.89",
        "550e8400-e29b-41d4-a716-446655440000",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "In 1234567890 seconds pi is 3.14159265358979.",
        "someone@nowhere",
        "",
        "😀" * 500,
    ],
)
def test_what_fails_its_check_is_left_alone(text: str) -> None:
    finding = looked_at(text)
    assert (finding.score, finding.spans) == (0.0, ())


def test_it_says_what_it_did_not_look_for_and_nothing_of_what_it_found() -> None:
    finding = looked_at("bob@example.org of Paris")
    assert "Names, places" in finding.message
    assert "bob" not in finding.message
    assert finding.flagged


def test_a_place_on_the_border_of_two_pieces_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "_PIECE", 1_000)
    text = "word " * 197 + "bob.smith@example.org " + "word " * 100
    assert found(text) == {("bob.smith@example.org", "EMAIL_ADDRESS")}
    assert len(looked_at(text).spans) == 1


def test_a_text_too_long_to_read_whole_gets_no_answer() -> None:
    finding = looked_at("x" * (personal.LONGEST + 1))
    assert finding.state == "inconclusive"
    assert str(personal.LONGEST) in finding.inconclusive


def test_without_the_extra_it_is_inconclusive_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    personal._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    finding = looked_at("bob@example.org")
    assert finding.state == "inconclusive"
    assert "[privacy]" in finding.inconclusive


def test_a_stream_finds_what_the_whole_has() -> None:
    text = "The quick brown fox wrote to bob.smith@example.org, not to anybody else at all. " * 3
    watching = Watching([PersonalData()], CONTEXT, 64)
    for start in range(0, len(text), 7):
        watching.feed(text[start : start + 7])
    watching.finish()
    assert set(watching.findings[0].spans) >= set(looked_at(text).spans)


def redacted(text: str, findings: Sequence[Finding]) -> str:
    policy = policies.loads(
        "name: p\nversion: 1\nrules:\n"
        "- {id: hide, when: 'scores[\"personal_data\"] >= 0.4', action: redact, detector: personal-data,\n"
        "   labels: [EMAIL_ADDRESS], reason: private}\n"
    )
    decision = policy.decide(policies.Facts("output", Modality.TEXT, scores={"personal_data": 1.0}))
    return apply_obligations(Artifact.from_text(text), decision, findings, policy).text


def test_a_policy_cuts_out_the_kinds_that_it_names() -> None:
    text = "bob@example.org has 192.168.17.4"
    assert redacted(text, [looked_at(text)]) == "[EMAIL_ADDRESS] has 192.168.17.4"
