"""Every error Guard raises on purpose.

    GuardError
    ├── InputError                the caller's bytes or arguments cannot be used
    │   ├── UnsupportedMediaError     not a type Guard handles, or not the type it claims to be
    │   ├── MalformedMediaError       empty, truncated, corrupt, or two formats in one file
    │   └── LimitExceededError        larger, longer or more expansive than the settings allow
    ├── ConfigurationError        settings, keys or an extra are missing or wrong
    │   ├── MissingExtraError         a feature's packages are not installed
    │   ├── KeyStoreError             the key store is absent, unreadable or too open
    │   └── PolicyError               a policy file does not load; carries line and column
    ├── GenerationError           a model did not produce an artifact
    │   ├── ModelNotFoundError        no model goes by that name
    │   └── UpstreamError             the upstream API failed; carries its status and code
    ├── DetectorError             a detector could not give an answer
    ├── MarkError                 a watermark could not be embedded or read back
    ├── CredentialError           a C2PA manifest could not be made or parsed
    │   └── SigningOutageError        a key, or what it takes to sign with it, is out of reach for now
    │       └── TimestampError            no time-stamping authority gave a time stamp
    ├── LedgerError               the registry could not be read or written
    └── BlockedError              a policy forbids the release; carries the rule's id

Each error says in ``message`` what happened and in ``remedy`` what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BlockedError",
    "ConfigurationError",
    "CredentialError",
    "DetectorError",
    "GenerationError",
    "GuardError",
    "InputError",
    "KeyStoreError",
    "LedgerError",
    "LimitExceededError",
    "MalformedMediaError",
    "MarkError",
    "MissingExtraError",
    "ModelNotFoundError",
    "PolicyError",
    "SigningOutageError",
    "TimestampError",
    "UnsupportedMediaError",
    "UpstreamError",
]


class GuardError(Exception):
    """Base of all errors that Guard raises on purpose."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InputError(GuardError):
    """The caller's bytes or arguments cannot be used."""


class UnsupportedMediaError(InputError):
    """The bytes are of no type that Guard handles, or not of the type they claim."""


class MalformedMediaError(InputError):
    """The bytes are empty, truncated, corrupt, or hold two formats at once."""


class LimitExceededError(InputError):
    """The bytes are larger, longer or more expansive than the settings allow."""


class ConfigurationError(GuardError):
    """Settings, keys or an installed extra are missing or wrong."""


class MissingExtraError(ConfigurationError):
    """A feature's packages are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            f"Install them with: pip install 'guard-provenance[{extra}]'",
        )


class KeyStoreError(ConfigurationError):
    """The key store is absent, unreadable or open to other users."""


class PolicyError(ConfigurationError):
    """A policy file does not load."""

    def __init__(self, message: str, *, line: int, column: int, source: str = "policy") -> None:
        super().__init__(f"{source}:{line}:{column}: {message}")
        self.line = line
        self.column = column


class GenerationError(GuardError):
    """A model did not produce an artifact."""


class ModelNotFoundError(GenerationError):
    """No model goes by that name."""


class UpstreamError(GenerationError):
    """The upstream API failed; ``status`` is its HTTP status, 0 where none came, ``retry_after`` the seconds
    that it asked to wait, ``headers`` those of its answer, names in lower case."""

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        status: int = 0,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.headers: Mapping[str, str] = {}


class DetectorError(GuardError):
    """A detector could not give an answer."""


class MarkError(GuardError):
    """A watermark could not be embedded or read back."""


class CredentialError(GuardError):
    """A C2PA manifest could not be made or parsed."""


class SigningOutageError(CredentialError):
    """A signing key, or what it takes to sign with it, is out of reach for now: later it may work."""


class TimestampError(SigningOutageError):
    """No time-stamping authority gave a time stamp."""


class LedgerError(GuardError):
    """The registry could not be read or written."""


class BlockedError(GuardError):
    """A policy forbids the release."""

    def __init__(self, rule: str, reason: str, release_id: str | None = None) -> None:
        super().__init__(f"Blocked by rule '{rule}': {reason}")
        self.rule = rule
        self.reason = reason
        self.release_id = release_id
