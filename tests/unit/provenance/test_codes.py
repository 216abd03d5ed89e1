"""Every status code has a sentence that a person can read."""

from __future__ import annotations

import re

import pytest

from guard.provenance import codes
from guard.provenance.codes import explain, is_success


def test_each_sentence_is_one_sentence_without_jargon() -> None:
    for code, sentence in codes._SENTENCES.items():
        assert sentence[0].isupper(), code
        assert sentence.endswith("."), code
        assert sentence.count(".") == 1, code
        assert code not in sentence
        assert not re.search(r"JUMBF|COSE|EKU|URI|hash", sentence), code


def test_sentences_tell_codes_apart() -> None:
    assert len(codes._SENTENCES) >= 50
    assert len(set(codes._SENTENCES.values())) == len(codes._SENTENCES)


def test_an_unknown_code_is_named() -> None:
    assert explain("org.example.odd") == "Validation reported org.example.odd."


@pytest.mark.parametrize("code", ["claimSignature.validated", "assertion.dataHash.match"])
def test_passed_checks_are_no_failures(code: str) -> None:
    assert is_success(code)


@pytest.mark.parametrize(
    "code", ["signingCredential.untrusted", "assertion.dataHash.mismatch", "timeStamp.untrusted"]
)
def test_failures_are_no_passed_checks(code: str) -> None:
    assert not is_success(code)
