"""Who signs: a certificate chain, and something that signs with the key of its first certificate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from guard.errors import CredentialError
from guard.provenance.signers.pem import PemKey
from guard.provenance.timestamp import TimestampAuthority

__all__ = ["Signer", "SigningKey", "algorithm_of", "raw_ecdsa"]

SigningKey = Callable[[bytes], bytes]
"""Signs bytes (not their digest) and returns the signature as COSE has it (RFC 9053 §2): ECDSA as r‖s.

Raises `SigningOutageError` where the key is out of reach for now, `CredentialError` where it cannot be used.
"""

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_HASHES = {"es256": hashes.SHA256(), "es384": hashes.SHA384(), "es512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing certificate with its issuers (PEM, leaf first, root left out), and its key, wherever that is.

    `alg` is the C2PA name of the algorithm in lower case: ed25519, es256, es384, es512 or ps256. `timestamps`
    are asked in their order, until one answers, for when a signature was made.
    """

    certificates: str
    key: SigningKey = field(repr=False)
    alg: str
    expires: datetime
    timestamps: tuple[TimestampAuthority, ...] = ()

    @classmethod
    def of(
        cls, certificates: str, key: SigningKey, timestamps: tuple[TimestampAuthority, ...] = ()
    ) -> Signer:
        """The signer with this chain whose key is `key`, which may be any function that signs.

        Raises `CredentialError` if the chain cannot be read or C2PA does not allow its kind of key.
        """
        leaf = _load_chain(certificates)[0]
        return cls(certificates, key, algorithm_of(leaf), leaf.not_valid_after_utc, timestamps)

    @classmethod
    def from_pem(cls, certificates: str, private_key: str, passphrase: str | None = None) -> Signer:
        """A signer from PEM text; the key may be PKCS#8, encrypted or not, or a bare EC or RSA key.

        Raises `CredentialError` if either cannot be read or they do not belong together.
        """
        key = PemKey.load(private_key, passphrase)
        signer = cls.of(certificates, key)
        if signer.chain[0].public_key() != key.public_key:
            raise CredentialError(
                "The private key does not belong to the first certificate of the chain.",
                "Put the signing certificate first, then its issuers.",
            )
        return signer

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates, leaf first."""
        return _load_chain(self.certificates)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, in COSE's form, checked against the certificate.

        Keys that are out of reach may have been replaced there: whoever only reads the file later would learn
        no more than that its signature is wrong. Raises `CredentialError` and `SigningOutageError`.
        """
        signature = self.key(data)
        try:
            _verify(self.chain[0].public_key(), self.alg, signature, data)
        except (InvalidSignature, ValueError) as error:
            raise CredentialError(
                "The key signs, but its signature does not fit the signing certificate.",
                "Give the certificate that was issued for this very key: guard credential lint-cert",
            ) from error
        return signature

    def without_timestamps(self) -> Signer:
        """The same signer, asking nobody for the time."""
        return replace(self, timestamps=())

    def require_current(self, now: datetime | None = None) -> None:
        """Raise `CredentialError` once the signing certificate has expired."""
        if (now or datetime.now(UTC)) > self.expires:
            raise CredentialError(
                f"The signing certificate expired on {self.expires:%Y-%m-%d}.",
                "Install a new one: guard keys import. For development: guard keys rotate",
            )


def algorithm_of(certificate: x509.Certificate) -> str:
    """The C2PA algorithm for its key. Raises `CredentialError` where C2PA has none (2.4 §13.2.1)."""
    key: PublicKeyTypes | None = None
    with suppress(ValueError, UnsupportedAlgorithm):
        key = certificate.public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "ps256"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    raise CredentialError(
        "C2PA does not allow this kind of private key.",
        "Use Ed25519, P-256, P-384, P-521 or RSA of at least 2048 bits.",
    )


def raw_ecdsa(der: bytes, alg: str) -> bytes:
    """An ECDSA signature as r‖s, which COSE wants, from the DER form that most key services give."""
    size = _size(alg)
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))


def _size(alg: str) -> int:
    """Bytes of one coordinate."""
    return {"es256": 32, "es384": 48, "es512": 66}[alg]


def _verify(key: PublicKeyTypes, alg: str, signature: bytes, data: bytes) -> None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = _size(alg)
        if len(signature) != 2 * size:
            raise ValueError("not r and s")
        der = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
        key.verify(der, data, ec.ECDSA(_HASHES[alg]))
    elif isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
        key.verify(signature, data, pss, hashes.SHA256())
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, data)


@lru_cache(maxsize=16)
def _load_chain(certificates: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(certificates.encode()))
    except ValueError as error:
        raise CredentialError(
            "The certificate chain is not PEM.", "Give certificates, leaf first."
        ) from error
