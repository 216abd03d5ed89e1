"""A signer is trusted for a chain that leads to a list of signers, and never for less."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from guard.media import Artifact, Modality
from guard.provenance import judging
from guard.provenance.certificates import to_pem
from guard.provenance.chains import chain_of
from guard.provenance.codes import UNTRUSTED
from guard.provenance.crjson import crjson
from guard.provenance.judging import MISUSED, TRUSTED, Judge, _for_claims
from guard.provenance.manifest import manifest_definition
from guard.provenance.read import read
from guard.provenance.sdk import context
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, ListKind, Trust, TrustList
from tests.unit.provenance.media import image
from tests.unit.provenance.test_read import Maker

Key = ec.EllipticCurvePrivateKey
STAMPS = ExtendedKeyUsageOID.TIME_STAMPING
MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


def certificate(
    name: str,
    key: Key,
    issuer: str,
    by: Key,
    purpose: ObjectIdentifier | None = None,
    days: int = 30,
    extra: x509.ExtensionType | None = None,
) -> x509.Certificate:
    """One of an authority, or for a purpose; `days` from now it ends."""

    def named(common: str) -> x509.Name:
        parts = [(NameOID.ORGANIZATION_NAME, "Test"), (NameOID.COMMON_NAME, common)]
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])

    others = ["key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"]
    ca, now = purpose is None, datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_cert_sign=ca,
        crl_sign=ca,
        **dict.fromkeys(others, False),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if purpose is not None:
        critical = purpose == STAMPS
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=critical)
    if extra is not None:
        builder = builder.add_extension(extra, critical=False)
    return builder.sign(by, hashes.SHA256())


def signed(claim: Any, key: Key, *chain: x509.Certificate, compressed: bool = False) -> Artifact:
    """A picture signed with this chain, as a tool would that asks no questions."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, "".join(map(to_pem, chain)).encode(), pem, None)
    output = io.BytesIO()
    settings = {
        "verify": {"verify_after_sign": False},
        "core": {"prefer_compress_manifests": compressed},
        "builder": {"thumbnail": {"enabled": False}},
    }
    with (
        c2pa.Context.from_dict(settings) as made,
        c2pa.Builder(manifest_definition(claim), made) as builder,
        c2pa.Signer.from_info(info) as signer,
    ):
        builder.sign(signer, "image/jpeg", io.BytesIO(image().data), output)
    return Artifact(Modality.IMAGE, "image/jpeg", output.getvalue())


@pytest.fixture(scope="module")
def keys() -> list[Key]:
    return [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]


def _by(keys: list[Key]) -> tuple[Any, ...]:
    return keys[1], "root", keys[0], MAIL


def kinds(**certificates: x509.Certificate) -> Trust:
    return Trust().plus(*(TrustList(kind, to_pem(one), ListKind(kind)) for kind, one in certificates.items()))


class TestPurpose:
    @pytest.mark.parametrize("purpose", [STAMPS, ExtendedKeyUsageOID.OCSP_SIGNING])
    def test_a_certificate_for_something_else_signs_no_claim(
        self, purpose: ObjectIdentifier, keys: list[Key], claim: Maker
    ) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        artifact = signed(claim(), keys[1], certificate("leaf", keys[1], "root", keys[0], purpose))
        trust = Trust.of(to_pem(root))
        with (
            context(trust) as settings,
            c2pa.Reader("image/jpeg", io.BytesIO(artifact.data), context=settings) as reader,
        ):
            assert reader.get_validation_state() == "Trusted"  # which is why Guard looks again
        found = read(artifact, trust=trust)
        assert (found.state, found.trusted_by) == ("invalid", None)
        assert "signingCredential.invalid" in found.codes
        results = crjson(artifact, trust=trust)["manifests"][0]["validationResults"]
        assert "signingCredential.invalid" in [each["code"] for each in results["failure"]]


class TestLists:
    def test_the_best_list_is_named_every_time(self, keys: list[Key], claim: Maker) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        artifact = signed(claim(), keys[1], certificate("leaf", keys[1], "root", keys[0], MAIL))
        for lists, best in (
            ({"timestamps": root, "interim": root, "signers": root}, "signers"),
            ({"timestamps": root, "interim": root}, "interim"),
            ({"timestamps": root}, None),
        ):
            assert {read(artifact, trust=kinds(**lists)).trusted_by for _ in range(8)} == {best}

    def test_a_chain_is_followed_over_what_came_with_it(self, keys: list[Key], claim: Maker) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        middle = certificate("middle", keys[2], "root", keys[0])
        artifact = signed(claim(), keys[1], certificate("leaf", keys[1], "middle", keys[2], MAIL), middle)
        assert read(artifact, trust=kinds(signers=root)).state == "trusted"
        assert read(artifact, trust=kinds(signers=middle)).state == "trusted"
        assert read(artifact, trust=kinds(interim=root, signers=middle)).trusted_by == "signers"

    def test_a_trusted_certificate_in_the_chain_that_vouches_for_nothing(
        self, keys: list[Key], claim: Maker
    ) -> None:
        ours = certificate("root", keys[0], "root", keys[0])
        theirs = certificate("root", keys[2], "root", keys[2])
        artifact = signed(claim(), keys[1], certificate("leaf", keys[1], "root", keys[2], MAIL), ours)
        assert read(artifact, trust=kinds(signers=ours)).state != "trusted"
        assert read(artifact, trust=kinds(signers=ours, timestamps=theirs)).state != "trusted"

    def test_compressed_manifests_are_judged_by_the_library(self, keys: list[Key], claim: Maker) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        leaf = certificate("leaf", keys[1], "root", keys[0], MAIL)
        artifact = signed(claim(), keys[1], leaf, compressed=True)
        assert read(artifact, trust=kinds(signers=root)).trusted_by == "signers"
        assert read(artifact, trust=kinds(timestamps=root)).state == "valid"


def test_an_expired_certificate_is_not_trusted(keys: list[Key], claim: Maker) -> None:
    leaf = certificate("leaf", keys[1], "root", keys[0], MAIL, days=-1)
    with pytest.raises(c2pa.C2paError):
        signed(claim(), keys[1], leaf)


class TestWhatIsRemembered:
    def test_another_trust_gets_another_answer_for_the_same_chain(
        self, keys: list[Key], claim: Maker
    ) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        artifact = signed(claim(), keys[1], certificate("leaf", keys[1], "root", keys[0], MAIL))
        for _ in range(2):
            assert read(artifact, trust=kinds(signers=root)).state == "trusted"
            assert read(artifact, trust=kinds(timestamps=root)).state == "valid"
            assert read(artifact, trust=kinds(interim=root)).interim

    def test_a_chain_of_unusual_length_is_judged_and_forgotten(
        self, keys: list[Key], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = certificate("root", keys[0], "root", keys[0])
        chain = [each.public_bytes(Encoding.DER) for each in (certificate("leaf", *_by(keys)), root)]
        trust = kinds(signers=root)
        monkeypatch.setattr(judging, "_USUAL", 10)
        monkeypatch.setattr(judging, "chain_of", lambda *_: tuple(chain))
        before = judging._judged.cache_info().currsize
        claimed: dict[str, Any] = {"success": [{"code": TRUSTED}]}
        assert Judge(trust, b"store").list_of("urn:c2pa:1", claimed) == trust.lists[0]
        assert judging._judged.cache_info().currsize == before

    @pytest.mark.parametrize(("chain", "code"), [((b"junk",), UNTRUSTED), ((), MISUSED)])
    def test_what_is_no_chain_is_not_trusted(self, chain: tuple[bytes, ...], code: str) -> None:
        assert judging._judged(NOBODY, chain) == (None, code)


class TestWithoutAChain:
    def test_a_store_that_the_library_does_not_give_out(self) -> None:
        class Mute:
            def resource_to_stream(self, *_: object) -> None:
                raise c2pa.C2paError("no")

        mute: Any = Mute()
        assert Judge.of(NOBODY, mute, f'{{"code": "{TRUSTED}"}}', "urn:c2pa:1").store == b"none"
        assert Judge.of(NOBODY, mute, "{}", "urn:c2pa:1").store == b""  # nobody is trusted: not even asked

    def test_a_certificate_without_a_purpose(self, keys: list[Key]) -> None:
        assert not _for_claims(certificate("root", keys[0], "root", keys[0]))

    @pytest.mark.parametrize(
        "store", [b"none", b"\0\0\0\x08jumb", b"\0" * 40, b"\0\0\0\x10jumb\0\0\0\x08jumd"]
    )
    def test_nobody_is_trusted(self, store: bytes) -> None:
        statuses = {
            "success": [
                {"code": "signingCredential.trusted", "explanation": "found in [list-0] trust anchors"}
            ]
        }
        judge = Judge(Trust.of("x"), store)
        assert judge.list_of("urn:c2pa:1", statuses) is None
        assert statuses["success"] == []
        assert statuses["failure"][0]["code"] == "signingCredential.untrusted"

    @pytest.mark.parametrize("statuses", [{}, {"success": None}, {"success": [7, {"code": 9}]}])
    def test_what_was_not_claimed_is_not_judged(self, statuses: dict[str, Any]) -> None:
        before = dict(statuses)
        assert Judge(NOBODY).list_of("urn:c2pa:1", statuses) is None
        assert statuses == before


def test_the_chain_of_a_release(claim: Maker, signer: Signer) -> None:
    made = sign(image(), claim(), signer)
    label = read(made.artifact, trust=NOBODY).manifest_label
    assert chain_of(made.manifest, str(label)) == (signer.chain[0].public_bytes(Encoding.DER),)
    with pytest.raises(ValueError, match="no chain"):
        chain_of(made.manifest, "urn:c2pa:other")
