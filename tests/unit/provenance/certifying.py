"""Certificates with one thing wrong: what a test wants different is given by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from guard.provenance.certificates import to_pem

__all__ = ["CLAIM_SIGNING", "Authority", "key_of", "key_pem", "usage"]

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
_DAY = timedelta(days=1)


def key_of(kind: str) -> Any:
    """A private key of that kind."""
    return {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "k1": lambda: ec.generate_private_key(ec.SECP256K1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
        "dsa": lambda: dsa.generate_private_key(2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()


def key_pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, encryption: Any = None) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def usage(*allowed: str) -> x509.KeyUsage:
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"]
    names += ["key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: name in allowed for name in names})


def named(common_name: str, organization: str | None = "Test") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


@dataclass
class Authority:
    """An authority that issues what it is asked for, however bad."""

    name: str = "authority"
    key: Any = field(default_factory=lambda: key_of("p256"))
    issuer: Authority | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = {"ca": True, "usage": usage("key_cert_sign", "crl_sign"), "purposes": None} | self.changes
        self.certificate = (self.issuer or self).issue(self.key, named(self.name), **wanted)

    @property
    def pem(self) -> str:
        return to_pem(self.certificate)

    def issue(
        self,
        key: Any,
        subject: x509.Name | None = None,
        *,
        ca: bool | None = False,
        path_length: int | None = None,
        usage: x509.KeyUsage | None = usage("digital_signature", "content_commitment"),  # noqa: B008
        purposes: tuple[ObjectIdentifier, ...] | None = (CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        authority_id: bool = True,
        subject_id: bool = True,
        start: datetime | None = None,
        end: datetime | None = None,
        digest: Any = None,
        more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject or named("signer"))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start or now - _DAY)
            .not_valid_after(end or now + 30 * _DAY)
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        if usage is not None:
            builder = builder.add_extension(usage, critical=True)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if subject_id:
            own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
            builder = builder.add_extension(own, critical=False)
        if authority_id:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            builder = builder.add_extension(issuer, critical=False)
        for each, critical in more:
            builder = builder.add_extension(each, critical=critical)
        unhashed = isinstance(self.key, ed25519.Ed25519PrivateKey)
        return builder.sign(self.key, None if unhashed else digest or hashes.SHA256())
