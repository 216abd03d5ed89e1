"""A private key in Azure Key Vault."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import new
from typing import Any

from guard.errors import CredentialError, MissingExtraError, SigningOutageError

__all__ = ["AzureKey"]

_DIGESTS = {"es256": "sha256", "es384": "sha384", "es512": "sha512", "ps256": "sha256"}
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class AzureKey:
    """A key by its vault and name, in its newest version unless one is given; the account is that of Azure's
    own settings. Key Vault has no Ed25519."""

    vault: str
    name: str
    alg: str
    version: str | None = None

    def __call__(self, data: bytes) -> bytes:
        """The signature of `data`. Raises `SigningOutageError` where the service does not give one."""
        errors = _errors()
        if self.alg not in _DIGESTS:
            raise CredentialError("Azure Key Vault has no Ed25519 keys.", "Use a key of type P-256.")
        digest = new(_DIGESTS[self.alg], data).digest()
        try:
            answer = _client(self.vault, self.name, self.version).sign(self.alg.upper(), digest)
        except errors as error:
            raise SigningOutageError(
                f"Azure Key Vault does not sign with {self.name} of {self.vault} ({type(error).__name__}).",
                "Check the key, its state, and that the account in use may use it to sign.",
            ) from error
        return bytes(answer.signature)


@lru_cache(maxsize=8)
def _client(vault: str, name: str, version: str | None) -> Any:
    from azure.keyvault.keys.crypto import CryptographyClient

    key_id = "/".join(part for part in (vault, "keys", name, version) if part)
    limits = {"connection_timeout": _SECONDS, "read_timeout": _SECONDS, "retry_total": 1}
    return CryptographyClient(key_id, _credential(), **limits)


def _credential() -> Any:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _errors() -> tuple[type[Exception], ...]:
    try:
        import azure.identity
        import azure.keyvault.keys.crypto  # noqa: F401
        from azure.core.exceptions import AzureError
    except ImportError as error:
        raise MissingExtraError("Signing with Azure Key Vault", "kms") from error
    return (AzureError,)
