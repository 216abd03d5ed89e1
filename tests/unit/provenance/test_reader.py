"""Credentials kept elsewhere: fetched where the owner allows it, worth what they are beside the file."""

from __future__ import annotations

from datetime import date

import pytest

from guard.errors import CredentialError
from guard.media import Artifact
from guard.provenance.fetch import Fetcher
from guard.provenance.read import read
from guard.provenance.reader import CarefulReader
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust, TrustList
from tests.unit.provenance.media import image
from tests.unit.provenance.test_read import Maker, _remote

ADDRESS = "https://manifests.example/one.c2pa"


class Answering(Fetcher):
    """Answers what it was told, and keeps what it was asked."""

    def __init__(self, answer: bytes | CredentialError) -> None:
        super().__init__(("manifests.example",))
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "asked", [])

    def get(self, url: str, *, body: bytes | None = None, kind: str = "") -> bytes:
        self.asked.append(url)  # type: ignore[attr-defined]
        if isinstance(self.answer, CredentialError):  # type: ignore[attr-defined]
            raise self.answer  # type: ignore[attr-defined]
        return bytes(self.answer)  # type: ignore[attr-defined]


@pytest.fixture
def pointing(claim: Maker, signer: Signer) -> Artifact:
    """A picture whose manifest is elsewhere."""
    return _remote(ADDRESS, claim(), signer)


def test_without_leave_nothing_is_asked_and_the_address_is_told(pointing: Artifact, trust: Trust) -> None:
    found = CarefulReader(read)(pointing, trust=trust)
    assert (found.state, found.remote) == ("unreadable", ADDRESS)
    assert f"they are kept at {ADDRESS}, which was not asked" in found.explanation[0]


def test_what_is_fetched_binds_the_bytes(
    pointing: Artifact, trust: Trust, claim: Maker, signer: Signer
) -> None:
    elsewhere: Signed = sign(image(), claim(), signer)  # a manifest, but of another picture
    fetcher = Answering(elsewhere.manifest)
    found = CarefulReader(read, fetcher)(pointing, trust=trust)
    assert fetcher.asked == [ADDRESS]  # type: ignore[attr-defined]
    assert found.state == "invalid"
    assert "assertion.dataHash.mismatch" in found.codes
    assert "they were fetched" in found.explanation[-1]


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\0" * 1000])
def test_what_is_no_manifest(pointing: Artifact, trust: Trust, answer: bytes) -> None:
    found = CarefulReader(read, Answering(answer))(pointing, trust=trust)
    assert found.state in {"unreadable", "absent"}
    assert found.remote == ADDRESS


def test_a_refusal_is_told(pointing: Artifact, trust: Trust) -> None:
    found = CarefulReader(read, Answering(CredentialError("It sleeps.")))(pointing, trust=trust)
    assert found.explanation[-1] == "It sleeps."
    assert found.state == "unreadable"


def test_others_are_read_as_ever(claim: Maker, signer: Signer, trust: Trust) -> None:
    fetcher = Answering(b"")
    for artifact in (image(), sign(image(), claim(), signer).artifact):
        assert CarefulReader(read, fetcher)(artifact, trust=trust) == read(artifact, trust=trust)
    assert fetcher.asked == []  # type: ignore[attr-defined]


class TestOldLists:
    def test_what_was_judged_by_one_says_so(self, claim: Maker, signer: Signer, anchors: str) -> None:
        old = TrustList("the official list", anchors, dated=date(2026, 8, 5))
        reader = CarefulReader(read, stale=(old,))
        artifact = sign(image(), claim(), signer).artifact
        found = reader(artifact, trust=Trust().plus(old))
        assert found.state == "trusted"
        assert "the official list of 2026-08-05, which is long ago" in found.warnings[0]
        assert reader(artifact, trust=Trust.of(anchors)).warnings == ()  # that list was not asked
        assert reader(image(), trust=Trust().plus(old)).warnings == ()
