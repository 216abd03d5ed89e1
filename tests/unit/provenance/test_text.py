"""Credentials in text: invisible, tied to every word, lost on retyping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import c2patxt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance import text as module
from guard.provenance.certificates import issue_development
from guard.provenance.manifest import IPTC, Claim
from guard.provenance.read import carries_credentials, read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.timestamp import TimestampAuthority
from guard.provenance.trust import NOBODY, ListKind, Trust, TrustList
from tests.unit.provenance.media import TEXTS, make, text
from tests.unit.provenance.stamping import serving

Maker = Callable[..., Claim]
LINES = "The hill is green.\nThe sky — blue; the sign says 丘 and ☀.\n"


@pytest.fixture
def signed(claim: Maker, signer: Signer) -> Artifact:
    return sign(text(LINES), claim(), signer).artifact


def _with(artifact: Artifact, content: str) -> Artifact:
    return Artifact(artifact.modality, artifact.mime, content.encode())


class TestSigning:
    def test_comes_back_trusted_with_what_was_claimed(
        self, signer: Signer, trust: Trust, claim: Maker
    ) -> None:
        stated = claim()
        found = read(sign(text(LINES), stated, signer).artifact, trust=trust)
        assert found.state == "trusted"
        assert found.issuer == "Guard development (not for production)"
        assert found.release_id == "00ff00ff00ff00ff"
        assert found.created == stated.when
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
    def test_odd_texts(self, content: str, claim: Maker, signer: Signer, trust: Trust) -> None:
        assert read(sign(text(content), claim(), signer).artifact, trust=trust).state == "trusted"

    @pytest.mark.parametrize(
        "data", ["Cafe\u0301".encode(), "Caf\u00e9".encode("utf-16"), "\ufeffCafé".encode()]
    )
    def test_rewriting_is_done_and_said(
        self, data: bytes, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        result = sign(Artifact(Modality.TEXT, "text/plain", data), claim(), signer)
        assert c2patxt.strip(result.artifact.data.decode()) == "Café"
        assert "Unicode NFC" in result.notes[0]
        assert read(result.artifact, trust=trust).state == "trusted"

    def test_endless_accents_are_refused(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="could not be signed"):
            sign(text("a" + "\u0315\u0300" * 100_000), claim(), signer)

    @pytest.mark.parametrize("mime", TEXTS)
    @pytest.mark.parametrize("kind", ["EC", "EC-384", "EC-521", "Ed25519", "RSA"])
    def test_every_kind_of_key_signs_every_kind_of_text(
        self, mime: str, kind: str, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
    ) -> None:
        signer, authority = make_signer(kind)
        bound = claim(
            soft_binding=("org.guard.words", "00ff"), digital_source_type=IPTC + "compositeSynthetic"
        )
        signed = sign(make(mime), bound, signer)
        found = read(signed.artifact, trust=Trust.of(authority))
        assert (found.state, found.manifest_label) == ("trusted", signed.label)
        assert found.soft_bindings == (("org.guard.words", "00ff"),)
        assert found.digital_source_types == (IPTC + "compositeSynthetic",)
        assert signed.notes == ()

    def test_each_length_comes_out(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        """A manifest states how many bytes it takes in the text, and that number is a part of it."""
        for size in range(0, 120, 5):
            signed = sign(text("x" * size), claim(title="t" * size), signer)
            assert read(signed.artifact, trust=trust).state == "trusted"

    def test_a_key_that_is_far_away_is_asked_once(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        asked: list[int] = []

        def far(data: bytes) -> bytes:
            asked.append(len(data))
            return signer.key(data)

        signed = sign(text(LINES), claim(), Signer.of(signer.certificates, far))
        assert read(signed.artifact, trust=trust).state == "trusted"
        assert len(asked) == 1
        assert len(signed.manifest) < 4_500

    def test_credentials_that_grow_while_they_are_signed(
        self, claim: Maker, signer: Signer, trust: Trust, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As with a time stamp, whose size nobody knows beforehand: then it is signed once more."""
        small = sign(make("audio/ogg"), claim(), signer).manifest
        monkeypatch.setattr(module, "dry_run", lambda *_: small)
        signed = sign(text(LINES), claim(title="t" * 2_000), signer)
        assert read(signed.artifact, trust=trust).state == "trusted"
        monkeypatch.setattr(module, "_TRIES", 1)
        with pytest.raises(CredentialError, match="another size each time"):
            sign(text(LINES), claim(title="t" * 2_000), signer)

    def test_a_certificate_that_may_not_sign_claims(
        self, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
    ) -> None:
        signer, _ = make_signer("self-signed")
        with pytest.raises(CredentialError, match="could not be signed") as refused:
            sign(text(LINES), claim(), signer)
        assert "guard keys show" in refused.value.remedy

    def test_text_that_is_signed_already_is_not_signed_over(
        self, signed: Artifact, claim: Maker, signer: Signer
    ) -> None:
        assert carries_credentials(signed)
        for arguments in ({"artifact": signed}, {"artifact": text(LINES), "ingredient": signed}):
            with pytest.raises(CredentialError, match="already carries credentials"):
                sign(claim=claim(), signer=signer, **arguments)


class TestReading:
    def test_no_credentials(self, trust: Trust) -> None:
        for content in ("", "hello", "\ufeffhello", "☀\ufe0f"):
            assert read(text(content), trust=trust).state == "absent"
        assert read(Artifact(Modality.TEXT, "text/plain", b"\xff\xfeh"), trust=trust).state == "absent"

    def test_no_anchors_means_valid_with_the_signer_s_name(self, signed: Artifact) -> None:
        found = read(signed, trust=NOBODY)
        assert (found.state, found.issuer) == ("valid", "Guard development (not for production)")
        assert "signingCredential.untrusted" in found.codes

    @pytest.mark.parametrize(
        ("old", "new"),
        [("green", "brown"), ("green", "red"), ("The hill", "A hill"), ("\n", " "), ("—", "-")],
    )
    def test_one_edited_word_shows(self, signed: Artifact, trust: Trust, old: str, new: str) -> None:
        found = read(_with(signed, signed.data.decode().replace(old, new, 1)), trust=trust)
        assert found.state == "invalid"
        assert found.codes[0].startswith("assertion.dataHash.")
        assert found.release_id == "00ff00ff00ff00ff"

    def test_words_added_behind_the_manifest_show(self, signed: Artifact, trust: Trust) -> None:
        assert read(_with(signed, signed.data.decode() + " Not."), trust=trust).state == "invalid"

    def test_two_manifests_in_one_text(self, signed: Artifact, trust: Trust) -> None:
        found = read(_with(signed, signed.data.decode() * 2), trust=trust)
        assert (found.state, found.codes) == ("unreadable", ("manifest.text.multipleWrappers",))

    def test_a_manifest_moved_to_another_text(self, signed: Artifact, trust: Trust) -> None:
        wrapper = signed.data.decode().removeprefix(LINES)
        assert read(_with(signed, "Another text.\n" + wrapper), trust=trust).state == "invalid"

    def test_a_signer_who_has_expired_since(self) -> None:
        then = datetime(2024, 1, 1, tzinfo=UTC)
        key, leaf, authority = issue_development(now=then)
        private = load_pem_private_key(key.encode(), password=None)
        assert isinstance(private, Ed25519PrivateKey)
        old = c2patxt.Signer(private, tuple(x509.load_pem_x509_certificates(leaf.encode())))
        disclosure = c2patxt.Disclosure(media_type="text/plain", model_type="c2pa.types.model")
        context = c2patxt.EmbedContext(when=then + timedelta(days=1))
        content = c2patxt.embed(LINES, old, disclosure, context=context)
        found = read(text(content), trust=Trust.of(authority))
        assert found.state == "invalid"
        assert {"claimSignature.outsideValidity", "signingCredential.expired"} & set(found.codes)
        assert "assertion.dataHash.mismatch" not in found.codes

    def test_a_damaged_carrier(self, signed: Artifact, trust: Trust) -> None:
        found = read(_with(signed, signed.data.decode()[:-50]), trust=trust)
        assert (found.state, found.codes) == ("unreadable", ("manifest.text.corruptedWrapper",))

    def test_every_bent_selector_is_noticed(self, signed: Artifact, trust: Trust) -> None:
        content = signed.data.decode()
        for place in range(len(LINES) + 20, len(content), 97):
            bent = content[:place] + chr(0xE0100 + (ord(content[place]) + 1) % 16) + content[place + 1 :]
            found = read(_with(signed, bent), trust=trust)
            assert found.state in {"invalid", "unreadable", "trusted"}, place
            # The signature's padding is not signed: a change there leaves all that is said intact.
            if found.state == "trusted":
                assert found.release_id == "00ff00ff00ff00ff"

    def test_a_manifest_kept_apart_finds_its_stripped_text(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        result = sign(text("Cafe\u0301 " + LINES), claim(), signer)
        for content in ("Café " + LINES, "Cafe\u0301 " + LINES):
            assert read(text(content), trust=trust, manifest=result.manifest).state == "trusted"
        assert read(text("Tea " + LINES), trust=trust, manifest=result.manifest).state == "invalid"

    def test_a_manifest_kept_apart_does_not_fit_endless_accents(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        manifest = sign(text(LINES), claim(), signer).manifest
        hostile = text("a" + "\u0315\u0300" * 100_000)
        assert read(hostile, trust=trust, manifest=manifest).state == "invalid"

    def test_a_manifest_kept_apart_that_is_none(self, trust: Trust) -> None:
        assert read(text(LINES), trust=trust, manifest=b"\0" * 99).state == "unreadable"

    def test_credentials_of_another_maker(self, trust: Trust, make_foreign: Callable[[str], str]) -> None:
        found = read(text(make_foreign("A foreign text.")), trust=trust)
        assert (found.state, found.generator, found.release_id) == ("valid", "c2patxt", None)


@pytest.fixture
def make_foreign(signer: Signer) -> Callable[[str], str]:
    """Signs text under a certificate of its own, as another product would."""
    key, leaf, _ = issue_development()
    private = load_pem_private_key(key.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    foreign = c2patxt.Signer(private, tuple(x509.load_pem_x509_certificates(leaf.encode())))
    disclosure = c2patxt.Disclosure(media_type="text/plain", model_type="c2pa.types.model")
    return lambda content: c2patxt.embed(content, foreign, disclosure)


@pytest.mark.parametrize("mime", ["text/plain", "text/markdown"])
def test_a_time_stamp_is_mostly_asked_for_once_a_text(
    mime: str, claim: Maker, signer: Signer, anchors: str
) -> None:
    with serving() as responder:
        stamping = replace(signer, timestamps=(TimestampAuthority(responder.url),))
        trust = Trust.of(anchors).plus(TrustList("stamps", responder.root, ListKind.TIMESTAMPS))
        for number in range(6):
            made = sign(make(mime, seed=number), claim(), stamping)
            assert read(made.artifact, trust=trust).state == "trusted"
        assert responder.asked <= 10  # twice at first, then once, unless one came out much longer
