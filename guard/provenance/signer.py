"""Who signs: a certificate chain and the private key that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from guard.errors import CredentialError

__all__ = ["Signer"]

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing certificate with its issuers (PEM, leaf first, root left out) and its key (PKCS#8 PEM).

    `alg` is the C2PA name of the algorithm in lower case: ed25519, es256, es384, es512 or ps256.
    """

    certificates: str
    private_key: str = field(repr=False)
    alg: str
    expires: datetime

    @classmethod
    def from_pem(cls, certificates: str, private_key: str) -> Signer:
        """A signer from PEM text; the key may be PKCS#8 or a bare EC or RSA key.

        Raises `CredentialError` if either cannot be read or they do not belong together.
        """
        chain, key = _load_chain(certificates), _load_key(private_key)
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if chain[0].public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
            raise CredentialError(
                "The private key does not belong to the first certificate of the chain.",
                "Put the signing certificate first, then its issuers.",
            )
        pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return cls(certificates, pkcs8, _algorithm(key), chain[0].not_valid_after_utc)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates, leaf first."""
        return tuple(_load_chain(self.certificates))

    def require_current(self, now: datetime | None = None) -> None:
        """Raise `CredentialError` once the signing certificate has expired."""
        if (now or datetime.now(UTC)) > self.expires:
            raise CredentialError(
                f"The signing certificate expired on {self.expires:%Y-%m-%d}.",
                "Install a new one; for development: guard keys init --force",
            )


def _load_chain(certificates: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(certificates.encode())
    except ValueError as error:
        raise CredentialError(
            "The certificate chain is not PEM.", "Give certificates, leaf first."
        ) from error


def _load_key(private_key: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(private_key.encode(), password=None)
    except TypeError as error:
        raise CredentialError("The private key is encrypted.", "Decrypt it with: openssl pkcs8") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CredentialError("The private key is not PEM.", "Give a PKCS#8 key in PEM form.") from error


def _algorithm(key: PrivateKeyTypes) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    raise CredentialError(
        "C2PA does not allow this kind of private key.",
        "Use Ed25519, P-256, P-384, P-521 or RSA of at least 2048 bits.",
    )
