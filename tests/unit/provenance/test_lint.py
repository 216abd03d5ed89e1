"""The linter agrees with what the C2PA library does, and says which flaw it is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import ObjectIdentifier

from guard.provenance.certificates import issue_development, to_pem
from guard.provenance.lint import lint
from guard.provenance.sdk import context
from guard.provenance.trust import Trust
from tests.unit.provenance.certifying import CLAIM_SIGNING, Authority, key_of, key_pem, named, usage
from tests.unit.provenance.media import make

AUTHORITY = Authority()
KEY = key_of("p256")
NOW = datetime.now(UTC)


@dataclass
class Case:
    """A chain and its key; `roots` trust it."""

    chain: str
    key: str
    roots: str = AUTHORITY.pem


def leaf(key: Any = KEY, **changes: Any) -> Case:
    return Case(to_pem(AUTHORITY.issue(key, **changes)), key_pem(key))


def self_signed() -> Case:
    own = Authority(name="signer", key=KEY, changes={"ca": False, "usage": usage("digital_signature")})
    own_leaf = own.issue(KEY, named("signer"))
    return Case(to_pem(own_leaf), key_pem(KEY))


def under(**changes: Any) -> Case:
    """A leaf below an issuer that has something wrong, below the root."""
    issuer = Authority(name="issuer", issuer=AUTHORITY, changes=changes)
    return Case(to_pem(issuer.issue(KEY)) + issuer.pem, key_pem(KEY))


def reversed_chain() -> Case:
    case = under()
    first, second = x509.load_pem_x509_certificates(case.chain.encode())
    return Case(to_pem(second) + to_pem(first), case.key)


def stranger_issuer(name: str) -> Case:
    stranger = Authority(name=name)
    return Case(to_pem(AUTHORITY.issue(KEY)) + stranger.pem, key_pem(KEY), stranger.pem)


def with_sha1() -> Case:
    """Made by hand: the tools no longer sign certificates so. Both names of the algorithm are as long."""
    authority = Authority(key=key_of("rsa"))
    certificate = authority.issue(KEY)
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    signed = certificate.tbs_certificate_bytes.replace(sha256, sha1)
    signature = authority.key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    der = certificate.public_bytes(Encoding.DER).replace(sha256, sha1)[: -len(signature)] + signature
    return Case(to_pem(x509.load_der_x509_certificate(der)), key_pem(KEY), authority.pem)


def of_version_1() -> Case:
    """Made by hand too: without extensions, and signed again."""
    certificate = asn1_x509.Certificate.load(AUTHORITY.issue(KEY).public_bytes(Encoding.DER))
    inside = certificate["tbs_certificate"].copy()
    inside["version"] = "v1"
    del inside["extensions"]
    signature = AUTHORITY.key.sign(inside.dump(force=True), ec.ECDSA(hashes.SHA256()))
    whole = asn1_x509.Certificate(
        {
            "tbs_certificate": inside,
            "signature_algorithm": certificate["signature_algorithm"],
            "signature_value": signature,
        }
    )
    return Case(to_pem(x509.load_der_x509_certificate(whole.dump())), key_pem(KEY))


def with_another(oid: str, instead: str) -> Case:
    """A certificate in which one object identifier stands for another; its signature fits no more."""
    key = key_of("ed25519")
    der = AUTHORITY.issue(key).public_bytes(Encoding.DER)
    der = der.replace(bytes.fromhex(oid), bytes.fromhex(instead))
    return Case(to_pem(x509.load_der_x509_certificate(der)), key_pem(key))


def issued_by(key: str, digest: Any = None) -> Case:
    authority = Authority(key=key_of(key))
    return Case(to_pem(authority.issue(KEY, digest=digest)), key_pem(KEY), authority.pem)


BAD: dict[str, tuple[Callable[[], Case], str]] = {
    "expired": (lambda: leaf(start=NOW - timedelta(9), end=NOW - timedelta(1)), "expired"),
    "not yet valid": (lambda: leaf(start=NOW + timedelta(1)), "not-yet-valid"),
    "self-signed": (self_signed, "self-signed"),
    "ca": (lambda: leaf(ca=True, usage=usage("key_cert_sign"), purposes=None), "ca-leaf"),
    "no key usage": (lambda: leaf(usage=None), "no-key-usage"),
    "other key usage": (lambda: leaf(usage=usage("key_encipherment")), "no-digital-signature"),
    "cert sign": (lambda: leaf(usage=usage("digital_signature", "key_cert_sign")), "cert-sign-leaf"),
    "no purpose": (lambda: leaf(purposes=None), "no-purpose"),
    "any purpose": (
        lambda: leaf(purposes=(CLAIM_SIGNING, Purpose.ANY_EXTENDED_KEY_USAGE)),
        "any-purpose",
    ),
    "server": (lambda: leaf(purposes=(Purpose.SERVER_AUTH,)), "wrong-purpose"),
    "code": (lambda: leaf(purposes=(Purpose.CODE_SIGNING,)), "wrong-purpose"),
    "time stamps too": (
        lambda: leaf(purposes=(Purpose.EMAIL_PROTECTION, Purpose.TIME_STAMPING)),
        "other-purpose",
    ),
    "ocsp too": (lambda: leaf(purposes=(Purpose.EMAIL_PROTECTION, Purpose.OCSP_SIGNING)), "other-purpose"),
    "no issuer id": (lambda: leaf(authority_id=False), "no-authority-key-id"),
    "unknown critical": (
        lambda: leaf(more=((x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\0"), True),)),
        "unknown-critical",
    ),
    "short rsa": (lambda: leaf(key_of("rsa1024")), "weak-rsa"),
    "curve": (lambda: leaf(key_of("k1")), "wrong-curve"),
    "dsa": (lambda: leaf(key_of("dsa")), "key-kind"),
    "sha1": (with_sha1, "weak-signature"),
    "version 1": (of_version_1, "not-v3"),
    "key of no kind": (lambda: with_another("06032b6570", "06032b6578"), "key-kind"),
    "other key": (lambda: Case(leaf().chain, key_pem(key_of("p256"))), "key-mismatch"),
    "order": (reversed_chain, "wrong-order"),
    "issuer expired": (lambda: under(start=NOW - timedelta(9), end=NOW - timedelta(1)), "expired"),
    "issuer no ca": (lambda: under(ca=False), "issuer-no-ca"),
    "issuer may not issue": (lambda: under(usage=usage("digital_signature")), "issuer-usage"),
    "other issuer": (lambda: stranger_issuer("stranger"), "broken-chain"),
    "namesake": (lambda: stranger_issuer("authority"), "broken-chain"),
    "no pem": (lambda: Case("nonsense", key_pem(KEY)), "not-pem"),
    "damaged": (lambda: Case(leaf().chain.replace("MII", "AAA", 1), key_pem(KEY)), "not-pem"),
    "no key": (lambda: Case(leaf().chain, "nonsense"), "key-unreadable"),
}

GOOD: dict[str, Callable[[], Case]] = {
    "p256": leaf,
    "p384": lambda: leaf(key_of("p384")),
    "p521": lambda: leaf(key_of("p521")),
    "rsa": lambda: leaf(key_of("rsa")),
    "ed25519": lambda: leaf(key_of("ed25519")),
    "below an issuer": under,
    "document signing": lambda: leaf(purposes=(ObjectIdentifier("1.3.6.1.5.5.7.3.36"),)),
    "server too": lambda: leaf(purposes=(Purpose.EMAIL_PROTECTION, Purpose.SERVER_AUTH)),
    "no organization": lambda: leaf(subject=named("signer", None)),
    "no own id": lambda: leaf(subject_id=False),
    "no constraints": lambda: leaf(ca=None),
    "issued with sha384": lambda: issued_by("p384", hashes.SHA384()),
    "root included": lambda: Case(leaf().chain + AUTHORITY.pem, key_pem(KEY)),
}


def library_trusts(case: Case) -> bool:
    """Whether the library signs with it, and reads back what it signed as trusted."""
    alg = {"RSA": "PS256", "Ed2": "ED25519"}
    try:
        public = x509.load_pem_x509_certificates(case.chain.encode())[0].public_key()
        kind = type(public).__name__[:3]
        names = {"secp384r1": "ES384", "secp521r1": "ES512"}
        name = alg.get(kind) or names.get(getattr(getattr(public, "curve", None), "name", ""), "ES256")
    except (ValueError, UnsupportedAlgorithm):
        name = "ES256"
    picture, out = make("image/png"), io.BytesIO()
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg[name], case.chain.encode(), case.key.encode(), None)
    manifest = {"assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": [CREATED]}}]}
    try:
        with (
            context(Trust.of(case.roots)) as settings,
            c2pa.Builder(manifest, settings) as builder,
            c2pa.Signer.from_info(info) as native,
        ):
            builder.sign(native, picture.mime, io.BytesIO(picture.data), out)
        with context(Trust.of(case.roots)) as settings:
            reader = c2pa.Reader(picture.mime, io.BytesIO(out.getvalue()), context=settings)
    except c2pa.C2paError:
        return False
    return reader.get_validation_state() == "Trusted"


CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_library_refuses_is_named(name: str) -> None:
    made, code = BAD[name]
    case = made()
    assert not library_trusts(case)
    fatal = [flaw for flaw in lint(case.chain, case.key) if flaw.fatal]
    assert code in {flaw.code for flaw in fatal}
    for flaw in fatal:
        assert flaw.message.endswith(".")
        assert flaw.remedy


@pytest.mark.parametrize("name", GOOD)
def test_what_the_library_trusts_is_let_pass(name: str) -> None:
    case = GOOD[name]()
    assert library_trusts(case)
    assert [flaw for flaw in lint(case.chain, case.key) if flaw.fatal] == []


def test_a_self_signed_certificate_is_trusted_only_by_who_lists_it() -> None:
    case = self_signed()
    assert library_trusts(Case(case.chain, case.key, case.chain))
    [flaw] = [flaw for flaw in lint(case.chain, case.key) if flaw.fatal]
    assert "only where this very certificate is listed" in flaw.message


class TestKeys:
    """What the library refuses of a key and Guard opens is a note; it is refused without the passphrase."""

    def test_a_key_in_its_own_form(self) -> None:
        case = Case(leaf().chain, key_pem(KEY, PrivateFormat.TraditionalOpenSSL))
        assert not library_trusts(case)
        assert ("key-not-pkcs8", False) in codes(case)
        assert not any(fatal for _, fatal in codes(case))

    def test_an_encrypted_key(self) -> None:
        case = Case(leaf().chain, key_pem(KEY, encryption=BestAvailableEncryption(b"sesame")))
        assert not library_trusts(case)
        assert ("key-unreadable", True) in codes(case)
        assert ("key-unreadable", True) in codes(case, "wrong")
        assert not any(fatal for _, fatal in codes(case, "sesame"))

    def test_without_a_key_only_the_chain_is_judged(self) -> None:
        assert not any(flaw.fatal for flaw in lint(leaf().chain))


class TestNotes:
    def test_the_development_certificate_lacks_only_what_an_authority_would_add(self) -> None:
        key, certificate, _ = issue_development()
        assert {flaw.code for flaw in lint(certificate, key)} == {"al1-policy", "al1-ocsp"}

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"end": NOW + timedelta(400)}, "al1-lifetime"),
            ({"purposes": (Purpose.EMAIL_PROTECTION,)}, "al1-claim-signing"),
            ({"purposes": (CLAIM_SIGNING,)}, "al1-purpose"),
            ({"usage": usage("digital_signature")}, "al1-non-repudiation"),
            ({"usage": None}, "al1-non-repudiation"),
            ({"subject": named("signer", None)}, "no-organization"),
            ({"subject_id": False}, "no-subject-key-id"),
        ],
    )
    def test_each_is_told_apart(self, changes: dict[str, Any], code: str) -> None:
        assert (code, False) in codes(leaf(**changes))

    def test_a_certificate_of_the_programme_gets_none(self) -> None:
        policy = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.2.3"), None)])
        place = x509.AccessDescription(
            x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")
        )
        more = ((policy, False), (x509.AuthorityInformationAccess([place]), False))
        assert codes(leaf(more=more)) == set()

    def test_a_chain_with_its_root_or_a_certificate_twice(self) -> None:
        case = leaf()
        assert ("root-included", False) in codes(Case(case.chain + AUTHORITY.pem, case.key))
        assert ("twice", False) in codes(Case(case.chain + AUTHORITY.pem * 2, case.key))

    def test_an_issuer_with_too_many_below(self) -> None:
        first = Authority(name="first", issuer=AUTHORITY, changes={"path_length": 0})
        second = Authority(name="second", issuer=first)
        chain = to_pem(second.issue(KEY)) + second.pem + first.pem
        assert ("path-too-long", True) in codes(Case(chain, key_pem(KEY)))

    def test_fatal_flaws_come_first_and_name_their_certificate(self) -> None:
        case = under(start=NOW - timedelta(9), end=NOW - timedelta(1))
        flaws = lint(case.chain, case.key)
        assert (flaws[0].code, flaws[0].certificate) == ("expired", 2)
        assert [flaw.fatal for flaw in flaws] == sorted((flaw.fatal for flaw in flaws), reverse=True)

    def test_the_time_may_be_given(self) -> None:
        assert ("expired", True) in {
            (flaw.code, flaw.fatal) for flaw in lint(leaf().chain, now=NOW + timedelta(99))
        }


def codes(case: Case, passphrase: str | None = None) -> set[tuple[str, bool]]:
    return {(flaw.code, flaw.fatal) for flaw in lint(case.chain, case.key, passphrase)}
