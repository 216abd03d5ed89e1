"""Signers from PEM: every allowed algorithm, and a reason for every refusal."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from guard.errors import CredentialError
from guard.provenance.certificates import issue_development, to_pem
from guard.provenance.signer import Signer
from guard.provenance.signers.pem import PemKey
from guard.provenance.timestamp import TimestampAuthority
from tests.unit.provenance.certifying import key_of


def _pem(key: object, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()  # type: ignore[attr-defined]


def _certify(key: object) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return to_pem(builder.sign(key, digest))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_tells_the_algorithm_from_the_key(key: object, alg: str) -> None:
    assert Signer.from_pem(_certify(key), _pem(key)).alg == alg


def test_a_bare_key_becomes_pkcs8() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    bare = _pem(key, PrivateFormat.TraditionalOpenSSL)
    assert "BEGIN EC PRIVATE KEY" in bare
    signer = Signer.from_pem(_certify(key), bare)
    assert isinstance(signer.key, PemKey)
    assert signer.key.private_key.startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),
        dsa.generate_private_key(2048),
    ],
)
def test_refuses_keys_that_c2pa_does_not_allow(key: object) -> None:
    with pytest.raises(CredentialError, match="does not allow") as caught:
        Signer.from_pem(_certify(key), _pem(key))
    assert "Ed25519" in caught.value.remedy


def test_refuses_a_certificate_whose_key_is_of_no_known_kind() -> None:
    der = x509.load_pem_x509_certificate(issue_development()[1].encode()).public_bytes(Encoding.DER)
    # Ed25519's object identifier made another: in the key and in both names of the signature's algorithm.
    other = x509.load_der_x509_certificate(der.replace(b"\x2b\x65\x70", b"\x2b\x65\x78"))
    with pytest.raises(CredentialError, match="does not allow"):
        Signer.of(to_pem(other), bytes)


def test_refuses_a_key_of_another_certificate() -> None:
    _, leaf, _ = issue_development()
    key, _, _ = issue_development()
    with pytest.raises(CredentialError, match="does not belong"):
        Signer.from_pem(leaf, key)


def test_refuses_a_chain_that_does_not_begin_with_the_leaf() -> None:
    key, leaf, authority = issue_development()
    with pytest.raises(CredentialError, match="does not belong") as caught:
        Signer.from_pem(authority + leaf, key)
    assert "first" in caught.value.remedy
    assert len(Signer.from_pem(leaf + authority, key).chain) == 2


def test_refuses_what_is_not_pem() -> None:
    key, leaf, _ = issue_development()
    with pytest.raises(CredentialError, match="chain is not PEM"):
        Signer.from_pem("nonsense", key)
    with pytest.raises(CredentialError, match="key is not PEM"):
        Signer.from_pem(leaf, "nonsense")


def test_opens_an_encrypted_key_with_its_passphrase_only() -> None:
    key, leaf, _ = issue_development()
    loaded = load_pem_private_key(key.encode(), password=None)
    encrypted = loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(CredentialError, match="encrypted") as caught:
        Signer.from_pem(leaf, encrypted.decode())
    assert "GUARD_SIGNER_PASSPHRASE" in caught.value.remedy
    with pytest.raises(CredentialError, match="passphrase does not open"):
        Signer.from_pem(leaf, encrypted.decode(), "y")
    assert Signer.from_pem(leaf, encrypted.decode(), "x") == Signer.from_pem(leaf, key, "needless")


def test_an_expired_certificate_is_refused_with_its_date() -> None:
    key, leaf, _ = issue_development(now=datetime(2024, 1, 1, tzinfo=UTC))
    signer = Signer.from_pem(leaf, key)
    with pytest.raises(CredentialError, match="expired on 2024-12-3"):
        signer.require_current()
    signer.require_current(datetime(2024, 6, 1, tzinfo=UTC))


def test_shows_no_key_and_travels_to_workers() -> None:
    key, leaf, _ = issue_development()
    signer = Signer.from_pem(leaf, key)
    assert key.splitlines()[1] not in repr(signer) + str(signer)
    assert pickle.loads(pickle.dumps(signer)) == signer


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "p521", "rsa"])
class TestSigning:
    def test_signs_in_the_form_of_cose(self, kind: str) -> None:
        key = key_of(kind)
        signer = Signer.from_pem(_certify(key), _pem(key))
        sizes = {"ed25519": 64, "p256": 64, "p384": 96, "p521": 132, "rsa": 256}
        assert len(signer.sign(b"a claim")) == sizes[kind]

    def test_a_key_elsewhere_signs_as_well(self, kind: str) -> None:
        key = key_of(kind)
        inside = PemKey.load(_pem(key))
        signer = Signer.of(_certify(key), inside.__call__)
        assert signer.alg == Signer.from_pem(_certify(key), _pem(key)).alg
        assert signer.sign(b"a claim")

    def test_the_signature_of_another_key_is_not_let_pass(self, kind: str) -> None:
        signer = Signer.of(_certify(key_of(kind)), PemKey.load(_pem(key_of(kind))))
        with pytest.raises(CredentialError, match="does not fit the signing certificate") as caught:
            signer.sign(b"a claim")
        assert "lint-cert" in caught.value.remedy


def test_a_signature_of_the_wrong_form_is_not_let_pass() -> None:
    key = key_of("p256")
    signer = Signer.of(_certify(key), lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())))
    with pytest.raises(CredentialError, match="does not fit"):
        signer.sign(b"a claim")


def test_asks_nobody_for_the_time_when_told_so() -> None:
    key, leaf, _ = issue_development()
    authorities = (TimestampAuthority("http://tsa.example"),)
    signer = Signer.of(leaf, PemKey.load(key), authorities)
    assert signer.timestamps == authorities
    assert signer.without_timestamps().timestamps == ()
    assert signer.without_timestamps() == Signer.from_pem(leaf, key)
