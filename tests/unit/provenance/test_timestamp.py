"""Time stamps: asked of one authority after the other, believed only where they are about what was asked."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import pytest

from guard.errors import ConfigurationError, SigningOutageError, TimestampError
from guard.provenance.timestamp import TimestampAuthority, stamp
from tests.unit.provenance.stamping import Responder, serving, tsp

DOWN = TimestampAuthority("http://127.0.0.1:9/")


@pytest.fixture
def tsa() -> Iterator[Responder]:
    with serving() as responder:
        yield responder


def test_a_token_is_about_the_digest_of_the_data(tsa: Responder) -> None:
    token = tsp.ContentInfo.load(stamp([TimestampAuthority(tsa.url)], b"a signature"))
    info = token["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == hashlib.sha256(b"a signature").digest()


def test_the_second_authority_answers_where_the_first_is_down(tsa: Responder) -> None:
    assert stamp([DOWN, TimestampAuthority(tsa.url)], b"a signature")
    assert tsa.asked == 1


def test_the_second_is_left_alone_where_the_first_answers(tsa: Responder) -> None:
    with serving() as other:
        assert stamp([TimestampAuthority(tsa.url), TimestampAuthority(other.url)], b"a signature")
        assert other.asked == 0


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("reject", "refused with status 2, not today"),
        ("stale", "about something else"),
        ("other nonce", "about something else"),
        ("nonsense", "cannot be read"),
        ("empty", "cannot be read"),
        ("error", "HTTP 503"),
        ("redirect", "HTTP 302"),
        ("huge", "too long or too slow"),
        ("slow", "ReadTimeout"),
    ],
)
def test_a_bad_answer_is_none(tsa: Responder, behaviour: str, reason: str) -> None:
    tsa.behave = {
        "reject": tsa.reject,
        "stale": tsa.stale,
        "other nonce": lambda request: tsa.grant(request, nonce=12345),
        "nonsense": lambda _: (200, b"\x30\x03nonsense"),
        "empty": lambda _: (200, b""),
        "error": lambda _: (503, b"down"),
        "redirect": lambda _: (302, tsa.url.encode()),
        "huge": lambda _: (200, b"\x30" * 100_000),
        "slow": tsa.slow,
    }[behaviour]
    with pytest.raises(TimestampError, match=reason) as caught:
        stamp([TimestampAuthority(tsa.url, seconds=0.3)], b"a signature")
    assert tsa.url in caught.value.message
    assert "GUARD_TIMESTAMPS" in caught.value.remedy
    assert tsa.asked == 1
    with serving() as other:
        assert stamp([TimestampAuthority(tsa.url, seconds=0.3), TimestampAuthority(other.url)], b"again")


def test_an_answer_that_drips_is_given_up(tsa: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = itertools.count(0, 100)
    monkeypatch.setattr("guard.provenance.timestamp.monotonic", lambda: next(moments))
    with pytest.raises(TimestampError, match="too slow"):
        stamp([TimestampAuthority(tsa.url)], b"a signature")


def test_one_that_failed_is_left_alone_for_a_while(tsa: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("guard.provenance.timestamp.monotonic", lambda: now)
    tsa.behave = tsa.reject
    for _ in range(3):
        with pytest.raises(TimestampError, match="not today"):
            stamp([TimestampAuthority(tsa.url)], b"a signature")
    assert tsa.asked == 1
    tsa.behave = tsa.grant
    now += 11
    assert stamp([TimestampAuthority(tsa.url)], b"a signature")
    assert tsa.asked == 2


def test_all_that_failed_are_named() -> None:
    with pytest.raises(TimestampError, match=r"127\.0\.0\.1:9/ .*127\.0\.0\.1:7/") as caught:
        stamp([DOWN, TimestampAuthority("http://127.0.0.1:7/")], b"a signature")
    assert isinstance(caught.value, SigningOutageError)


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "tsa.example", "", "file:///etc/passwd", "https://"])
def test_only_web_addresses_are_authorities(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        TimestampAuthority(url)
