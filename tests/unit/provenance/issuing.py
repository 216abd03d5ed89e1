"""Signers of other kinds than the development keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from guard.provenance.certificates import to_pem
from guard.provenance.signer import Signer

__all__ = ["issue"]

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def issue(kind: str, organisation: str = "Test") -> tuple[Signer, str]:
    """A signer of kind EC, EC-384, EC-521, Ed25519, RSA or self-signed, and the PEM of the authority that
    trusts it."""
    key = _key(kind)
    authority_key = key if kind == "self-signed" else ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(authority_key, authority_key, "authority", organisation, ca=True)
    leaf = (
        authority
        if kind == "self-signed"
        else _certificate(key, authority_key, "signer", organisation, ca=False)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Signer.from_pem(to_pem(leaf), pem), to_pem(authority)


def _key(kind: str) -> _Key:
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    curves = {"EC-384": ec.SECP384R1(), "EC-521": ec.SECP521R1()}
    return ec.generate_private_key(curves.get(kind, ec.SECP256R1()))


def _certificate(
    key: _Key,
    issuer_key: _Key,
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
    plain = isinstance(issuer_key, ed25519.Ed25519PrivateKey)
    return builder.sign(issuer_key, None if plain else hashes.SHA256())
