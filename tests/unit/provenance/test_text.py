"""Credentials in text: invisible, tied to every word, lost on retyping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import c2patxt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.certificates import issue_development
from guard.provenance.manifest import IPTC, Claim
from guard.provenance.read import carries_credentials, read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.text import embed
from tests.unit.provenance.media import text

Maker = Callable[..., Claim]
LINES = "The hill is green.\nThe sky — blue; the sign says 丘 and ☀.\n"


@pytest.fixture
def signed(claim: Maker, signer: Signer) -> Artifact:
    return sign(text(LINES), claim(), signer).artifact


def _with(artifact: Artifact, content: str) -> Artifact:
    return Artifact(artifact.modality, artifact.mime, content.encode())


class TestSigning:
    def test_comes_back_trusted_with_what_was_claimed(
        self, signed: Artifact, anchors: str, claim: Maker
    ) -> None:
        found = read(signed, anchors=anchors)
        assert found.state == "trusted"
        assert found.issuer == "Guard development (not for production)"
        assert found.release_id == "00ff00ff00ff00ff"
        assert found.created == claim().when
        assert found.digital_source_types == (IPTC + "trainedAlgorithmicMedia",)
        assert found.generator is not None
        assert found.generator.startswith("Guard ")

    def test_the_visible_text_stays(self, signed: Artifact) -> None:
        assert c2patxt.strip(signed.data.decode()) == LINES
        assert Artifact.from_bytes(signed.data).mime == "text/plain"

    def test_names_the_model_and_its_provider(self, claim: Maker, signer: Signer) -> None:
        manifest = sign(text(LINES), claim(), signer).manifest
        assert b"pkg:generic/Acme%20%26%20S%C3%B6hne/scene@1" in manifest

    def test_the_manifest_handed_back_is_the_one_in_the_text(self, claim: Maker, signer: Signer) -> None:
        result = sign(text(LINES), claim(), signer)
        store = c2patxt.extract(result.artifact.data.decode())
        assert store is not None
        assert store.raw == result.manifest
        assert result.notes == ()

    @pytest.mark.parametrize("content", ["", " ", "\n", "\ufeff", "👩‍👩‍👧", "a\u0301" * 5, "x" * 50_000])
    def test_odd_texts(self, content: str, claim: Maker, signer: Signer, anchors: str) -> None:
        assert read(sign(text(content), claim(), signer).artifact, anchors=anchors).state == "trusted"

    @pytest.mark.parametrize(
        "data", ["Cafe\u0301".encode(), "Caf\u00e9".encode("utf-16"), "\ufeffCafé".encode()]
    )
    def test_rewriting_is_done_and_said(
        self, data: bytes, claim: Maker, signer: Signer, anchors: str
    ) -> None:
        result = sign(Artifact(Modality.TEXT, "text/plain", data), claim(), signer)
        assert c2patxt.strip(result.artifact.data.decode()) == "Café"
        assert "Unicode NFC" in result.notes[0]
        assert read(result.artifact, anchors=anchors).state == "trusted"

    def test_html_is_refused(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="text/html cannot carry") as caught:
            sign(Artifact(Modality.TEXT, "text/html", b"<p>x"), claim(), signer)
        assert "text/plain" in caught.value.remedy

    def test_a_time_before_the_signer_s_is_refused(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="does not contain the claimed creation time"):
            sign(text(LINES), claim(created_at=datetime.now(UTC) - timedelta(days=1)), signer)

    def test_endless_accents_are_refused(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="could not be signed"):
            sign(text("a" + "\u0315\u0300" * 100_000), claim(), signer)

    def test_other_keys_than_ed25519_are_refused(
        self, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
    ) -> None:
        signer, _ = make_signer("EC")
        with pytest.raises(CredentialError, match="es256") as caught:
            sign(text(LINES), claim(), signer)
        assert "Ed25519" in caught.value.remedy

    @pytest.mark.parametrize(
        "more", [{"soft_binding": ("a.b", "c")}, {"digital_source_type": IPTC + "compositeSynthetic"}]
    )
    def test_what_a_text_manifest_cannot_state_is_refused(
        self, more: dict[str, object], claim: Maker, signer: Signer
    ) -> None:
        with pytest.raises(CredentialError, match="can state neither"):
            sign(text(LINES), claim(**more), signer)

    def test_text_that_is_signed_already_is_not_signed_over(
        self, signed: Artifact, claim: Maker, signer: Signer
    ) -> None:
        assert carries_credentials(signed)
        for arguments in ({"artifact": signed}, {"artifact": text(LINES), "ingredient": signed}):
            with pytest.raises(CredentialError, match="already carries credentials"):
                sign(claim=claim(), signer=signer, **arguments)


class TestReading:
    def test_no_credentials(self, anchors: str) -> None:
        for content in ("", "hello", "\ufeffhello", "☀\ufe0f"):
            assert read(text(content), anchors=anchors).state == "absent"
        assert read(Artifact(Modality.TEXT, "text/plain", b"\xff\xfeh"), anchors=anchors).state == "absent"

    def test_no_anchors_means_valid_with_the_signer_s_name(self, signed: Artifact) -> None:
        found = read(signed, anchors="")
        assert (found.state, found.issuer) == ("valid", "Guard development (not for production)")
        assert "signingCredential.untrusted" in found.codes

    @pytest.mark.parametrize(
        ("old", "new"),
        [("green", "brown"), ("green", "red"), ("The hill", "A hill"), ("\n", " "), ("—", "-")],
    )
    def test_one_edited_word_shows(self, signed: Artifact, anchors: str, old: str, new: str) -> None:
        found = read(_with(signed, signed.data.decode().replace(old, new, 1)), anchors=anchors)
        assert found.state == "invalid"
        assert found.codes[0].startswith("assertion.dataHash.")
        assert found.release_id == "00ff00ff00ff00ff"

    def test_words_added_behind_the_manifest_show(self, signed: Artifact, anchors: str) -> None:
        assert read(_with(signed, signed.data.decode() + " Not."), anchors=anchors).state == "invalid"

    def test_a_manifest_moved_to_another_text(self, signed: Artifact, anchors: str) -> None:
        wrapper = signed.data.decode().removeprefix(LINES)
        assert read(_with(signed, "Another text.\n" + wrapper), anchors=anchors).state == "invalid"

    def test_a_signer_who_has_expired_since(self, claim: Maker) -> None:
        then = datetime(2024, 1, 1, tzinfo=UTC)
        key, leaf, authority = issue_development(now=then)
        made = claim(created_at=then + timedelta(days=1))
        content, _ = embed(LINES, "text/plain", made, Signer.from_pem(leaf, key))
        found = read(text(content), anchors=authority)
        assert found.state == "invalid"
        assert {"claimSignature.outsideValidity", "signingCredential.expired"} & set(found.codes)
        assert "assertion.dataHash.mismatch" not in found.codes

    def test_a_damaged_carrier(self, signed: Artifact, anchors: str) -> None:
        found = read(_with(signed, signed.data.decode()[:-50]), anchors=anchors)
        assert (found.state, found.codes) == ("unreadable", ("manifest.text.corruptedWrapper",))

    def test_every_bent_selector_is_noticed(self, signed: Artifact, anchors: str) -> None:
        content = signed.data.decode()
        for place in range(len(LINES) + 20, len(content), 97):
            bent = content[:place] + chr(0xE0100 + (ord(content[place]) + 1) % 16) + content[place + 1 :]
            found = read(_with(signed, bent), anchors=anchors)
            assert found.state in {"invalid", "unreadable", "trusted"}, place
            # The signature's padding is not signed: a change there leaves all that is said intact.
            if found.state == "trusted":
                assert found.release_id == "00ff00ff00ff00ff"

    def test_a_manifest_kept_apart_finds_its_stripped_text(
        self, claim: Maker, signer: Signer, anchors: str
    ) -> None:
        result = sign(text("Cafe\u0301 " + LINES), claim(), signer)
        for content in ("Café " + LINES, "Cafe\u0301 " + LINES):
            assert read(text(content), anchors=anchors, manifest=result.manifest).state == "trusted"
        assert read(text("Tea " + LINES), anchors=anchors, manifest=result.manifest).state == "invalid"

    def test_a_manifest_kept_apart_does_not_fit_endless_accents(
        self, claim: Maker, signer: Signer, anchors: str
    ) -> None:
        manifest = sign(text(LINES), claim(), signer).manifest
        hostile = text("a" + "\u0315\u0300" * 100_000)
        assert read(hostile, anchors=anchors, manifest=manifest).state == "invalid"

    def test_a_manifest_kept_apart_that_is_none(self, anchors: str) -> None:
        assert read(text(LINES), anchors=anchors, manifest=b"\0" * 99).state == "unreadable"

    def test_credentials_of_another_maker(self, anchors: str, make_foreign: Callable[[str], str]) -> None:
        found = read(text(make_foreign("A foreign text.")), anchors=anchors)
        assert (found.state, found.generator, found.release_id) == ("valid", "c2patxt", None)


@pytest.fixture
def make_foreign(signer: Signer) -> Callable[[str], str]:
    """Signs text under a certificate of its own, as another product would."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key, leaf, _ = issue_development()
    private = load_pem_private_key(key.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    foreign = c2patxt.Signer(private, tuple(x509.load_pem_x509_certificates(leaf.encode())))
    disclosure = c2patxt.Disclosure(media_type="text/plain", model_type="c2pa.types.model")
    return lambda content: c2patxt.embed(content, foreign, disclosure)
