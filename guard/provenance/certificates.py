"""A development certificate authority and the signing certificate it issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

__all__ = ["DEVELOPMENT", "issue_development", "to_pem"]

DEVELOPMENT = "Guard development (not for production)"
"""Organisation on development certificates: verifiers show it as the issuer, so nobody can mistake it."""

_CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
_LIFETIME = timedelta(days=365)  # the conformance programme allows 366 at most
_CLOCK_SKEW = timedelta(minutes=10)


def issue_development(now: datetime | None = None) -> tuple[str, str, str]:
    """A fresh (private key, signing certificate, authority certificate), each as PEM text.

    Ed25519 throughout, after the claim-signing profile of C2PA 2.4 §14.5.1 and the conformance
    programme's certificate profile. The authority's own key is forgotten when this returns: it has nothing
    more to issue, and a key that exists nowhere cannot be stolen to mint signers that Guard would trust.
    """
    start = (now or datetime.now(UTC)) - _CLOCK_SKEW
    authority_key, leaf_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    issuer = _name("Guard development authority")
    authority = (
        _builder(issuer, issuer, authority_key, authority_key, start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(authority_key, None)
    )
    purposes = [_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    leaf = (
        _builder(_name("Guard development signer"), issuer, leaf_key, authority_key, start)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(authority_key, None)
    )
    key = leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.decode(), to_pem(leaf), to_pem(authority)


def to_pem(certificate: x509.Certificate) -> str:
    """The certificate as PEM text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    # The organisation is what verifiers display, and some refuse a certificate that has none.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: Ed25519PrivateKey,
    issuer_key: Ed25519PrivateKey,
    start: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=not sign_certificates,  # "non-repudiation", as the conformance profile asks
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
