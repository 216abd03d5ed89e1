"""Signers of other kinds than the development keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from guard.provenance.certificates import to_pem
from guard.provenance.signer import Signer

__all__ = ["issue"]


def issue(kind: str, organisation: str = "Test") -> tuple[Signer, str]:
    """A signer of kind EC, RSA or self-signed, and the PEM of the authority that trusts it."""
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())
    authority_key = key if kind == "self-signed" else ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(authority_key, authority_key, "authority", organisation, ca=True)
    leaf = (
        authority
        if kind == "self-signed"
        else _certificate(key, authority_key, "signer", organisation, ca=False)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Signer.from_pem(to_pem(leaf), pem), to_pem(authority)


def _certificate(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    name: str,
    organisation: str,
    *,
    ca: bool,
) -> x509.Certificate:
    def named(common_name: str) -> x509.Name:
        parts = [(NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name)]
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])

    usage = dict.fromkeys(
        ["key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"], False
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca, content_commitment=False, key_cert_sign=ca, crl_sign=ca, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not ca:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
