"""A private key in Google Cloud KMS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import new
from typing import Any

from guard.errors import CredentialError, MissingExtraError, SigningOutageError
from guard.provenance.signer import raw_ecdsa

__all__ = ["GcpKey"]

_DIGESTS = {"es256": "sha256", "es384": "sha384", "ps256": "sha256"}
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GcpKey:
    """A key version by its resource name; the account is that of Google's own settings.

    The version fixes the algorithm: EC_SIGN_P256_SHA256, EC_SIGN_P384_SHA384, EC_SIGN_ED25519 or
    RSA_SIGN_PSS_…_SHA256.
    """

    name: str
    alg: str

    def __call__(self, data: bytes) -> bytes:
        """The signature of `data`. Raises `SigningOutageError` where the service does not give one."""
        errors = _errors()
        if self.alg == "es512":
            raise CredentialError("Google Cloud KMS has no P-521 keys.", "Use a key of type P-256 or P-384.")
        request: dict[str, Any] = {"name": self.name, "data": data}
        if digest := _DIGESTS.get(self.alg):
            request = {"name": self.name, "digest": {digest: new(digest, data).digest()}}
        try:
            # The client's own way is to try again for a minute, while a release waits.
            answer = _client().asymmetric_sign(request=request, retry=None, timeout=_SECONDS)
        except errors as error:
            raise SigningOutageError(
                f"Google Cloud KMS does not sign with {self.name} ({type(error).__name__}).",
                "Check the key version, its state, and that the account in use may use it to sign.",
            ) from error
        signature = bytes(answer.signature)
        return raw_ecdsa(signature, self.alg) if self.alg.startswith("es") else signature


@cache
def _client() -> Any:
    from google.cloud.kms import KeyManagementServiceClient

    return KeyManagementServiceClient()


def _errors() -> tuple[type[Exception], ...]:
    try:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import kms  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Signing with Google Cloud KMS", "kms") from error
    return GoogleAPIError, GoogleAuthError
