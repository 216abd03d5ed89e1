"""A private key in a PEM file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from guard.errors import CredentialError

__all__ = ["PemKey"]

_HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class PemKey:
    """A private key in memory, as PKCS#8 PEM text without encryption."""

    private_key: str = field(repr=False)

    @classmethod
    def load(cls, pem: str, passphrase: str | None = None) -> PemKey:
        """The key in `pem`, deciphered. Raises `CredentialError` where it cannot be read."""
        key = _load(pem, passphrase)
        return cls(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())

    @property
    def public_key(self) -> PublicKeyTypes:
        """The public half."""
        return _opened(self.private_key).public_key()

    def __call__(self, data: bytes) -> bytes:
        """The signature of `data`, ECDSA as r‖s."""
        key = _opened(self.private_key)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            size = (key.key_size + 7) // 8
            numbers = decode_dss_signature(key.sign(data, ec.ECDSA(_HASHES[key.key_size])))
            return b"".join(number.to_bytes(size, "big") for number in numbers)
        if isinstance(key, rsa.RSAPrivateKey):
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
            return key.sign(data, pss, hashes.SHA256())
        assert isinstance(key, ed25519.Ed25519PrivateKey)
        return key.sign(data)


@lru_cache(maxsize=8)
def _opened(pem: str) -> PrivateKeyTypes:
    """Read once: the checks of an RSA key take 80 ms, a signature 1."""
    return _load(pem, None)


def _load(pem: str, passphrase: str | None) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem.encode(), None if passphrase is None else passphrase.encode())
    except TypeError as error:
        if passphrase is not None:  # A passphrase for a key that is not encrypted is no reason to stop.
            return _load(pem, None)
        raise CredentialError(
            "The private key is encrypted.",
            "Set GUARD_SIGNER_PASSPHRASE, or GUARD_SIGNER_PASSPHRASE_FILE to a file that holds it.",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if passphrase is not None and "ENCRYPTED" in pem:
            raise CredentialError(
                "The passphrase does not open the private key.", "Check GUARD_SIGNER_PASSPHRASE."
            ) from error
        raise CredentialError("The private key is not PEM.", "Give a PKCS#8 key in PEM form.") from error
