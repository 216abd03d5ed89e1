"""The library's settings: no network, no trust but what is given, no text that plays tricks."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.errors import ConfigurationError
from guard.provenance.certificates import issue_development
from guard.provenance.sdk import clean, context, readable, reason, signable
from guard.provenance.trust import Trust

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("anchors", ["", "   \n"])
def test_no_anchors_means_no_trust(anchors: str) -> None:
    with context(Trust.of(anchors)) as made:
        assert made.is_valid


@pytest.mark.parametrize("anchors", ["nonsense", BROKEN, issue_development()[2] + BROKEN])
def test_one_damaged_anchor_is_an_error_and_not_passed_over(anchors: str) -> None:
    with pytest.raises(ConfigurationError, match="trust anchors") as caught:
        context(Trust.of(anchors))
    assert "PEM" in caught.value.remedy


@pytest.mark.parametrize("name", ["official_c2pa_plus_tsa.pem", "test_cert_root_bundle.pem"])
def test_published_trust_lists_are_usable(shared_data: Path, name: str) -> None:
    with context(Trust.of((shared_data / "c2pa/trust" / name).read_text())) as made:
        assert made.is_valid


def test_knows_what_can_be_signed_and_read() -> None:
    assert {"image/jpeg", "image/avif", "audio/wav", "video/mp4", "application/pdf"} <= signable()
    assert signable() <= readable()
    assert not {"audio/ogg", "video/webm", "text/plain"} & readable()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("two\nlines\r\n", "two lines"),
        ("a\u202eb\u2066c\ufeffd", "a b c d"),
        ("x" * 301, "x" * 299 + "…"),
        ("", ""),
        (7, None),
        (None, None),
        (["list"], None),
    ],
)
def test_strings_from_a_manifest_are_made_harmless(hostile: object, shown: str | None) -> None:
    assert clean(hostile) == shown


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Verify: invalid CBOR box", "invalid CBOR box"),
        ("C2paError: Remote: far away.", "Remote: far away"),
        ("nothing in front", "nothing in front"),
        ("", "ValueError"),
    ],
)
def test_reasons_lose_the_library_s_prefix(said: str, told: str) -> None:
    assert reason(ValueError(said)) == told
