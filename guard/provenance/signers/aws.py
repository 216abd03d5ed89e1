"""A private key in the AWS Key Management Service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import new
from typing import Any

from guard.errors import CredentialError, MissingExtraError, SigningOutageError
from guard.provenance.signer import raw_ecdsa

__all__ = ["AwsKey"]

_ALGORITHMS = {
    "ed25519": "ED25519_SHA_512",
    "es256": "ECDSA_SHA_256",
    "es384": "ECDSA_SHA_384",
    "es512": "ECDSA_SHA_512",
    "ps256": "RSASSA_PSS_SHA_256",
}
_DIGESTS = {"es256": "sha256", "es384": "sha384", "es512": "sha512", "ps256": "sha256"}
_MOST_RAW = 4096  # bytes of a message that the service hashes by itself
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class AwsKey:
    """The key with this id, alias or ARN; account and region are those of AWS's own settings."""

    key_id: str
    alg: str
    endpoint: str | None = None

    def __call__(self, data: bytes) -> bytes:
        """The signature of `data`. Raises `SigningOutageError` where the service does not give one."""
        errors = _errors()
        message, kind = self._message(data)
        try:
            answer = _client(_region(self.key_id), self.endpoint).sign(
                KeyId=self.key_id, Message=message, MessageType=kind, SigningAlgorithm=_ALGORITHMS[self.alg]
            )
        except errors as error:
            raise self._outage(error) from error
        signature = bytes(answer["Signature"])
        return raw_ecdsa(signature, self.alg) if self.alg.startswith("es") else signature

    def _message(self, data: bytes) -> tuple[bytes, str]:
        """What is sent to be signed, and what that is: the data, or their digest where they are too long."""
        if len(data) <= _MOST_RAW:
            return data, "RAW"
        if self.alg not in _DIGESTS:
            raise CredentialError(
                f"AWS KMS signs at most {_MOST_RAW} bytes with Ed25519.", "Use a key of type P-256."
            )
        return new(_DIGESTS[self.alg], data).digest(), "DIGEST"

    def _outage(self, error: Exception) -> SigningOutageError:
        response: dict[str, Any] = getattr(error, "response", {})
        code = response.get("Error", {}).get("Code", type(error).__name__)
        return SigningOutageError(
            f"AWS KMS does not sign with {self.key_id} ({code}).",
            "Check the key, its state, and that the account in use may call kms:Sign.",
        )


def _region(key_id: str) -> str | None:
    """The region that an ARN names: arn:aws:kms:REGION:ACCOUNT:key/ID."""
    parts = key_id.split(":")
    return parts[3] if len(parts) > 3 else None


@lru_cache(maxsize=8)
def _client(region: str | None, endpoint: str | None) -> Any:
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    return boto3.client("kms", region_name=region, endpoint_url=endpoint, config=limits)


def _errors() -> tuple[type[Exception], ...]:
    try:
        import boto3  # noqa: F401
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise MissingExtraError("Signing with AWS KMS", "kms") from error
    return BotoCoreError, ClientError
