"""What reading a file's credentials concluded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self, TypedDict

__all__ = ["Credential", "CredentialState", "Ingredient"]


class CredentialState(StrEnum):
    """C2PA's three validation states, and two for files that yield no manifest to validate."""

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class Ingredient(TypedDict):
    """A file that went into this one; `codes` are the failures of its own credentials, `ingredients` the
    files that went into it."""

    title: str | None
    relationship: str | None
    state: str
    codes: list[str]
    issuer: str | None
    ingredients: list[Ingredient]


@dataclass(frozen=True, slots=True)
class Credential:
    """A file's Content Credentials and what validation said of them.

    `codes` holds C2PA status codes, failures first, then remarks. Everything between `issuer` and
    `manifest_label` is as the manifest states it, shortened and made printable; unless `state` is trusted or
    valid, anyone may have written it. `digital_source_types` covers the file and the parents it was made
    from. `created` is the claimed time of creation, RFC 3339. `trusted_by` names the list that the signer is
    on, and `interim` says that it is one being given up: then `state` is no better than valid. `remote` is
    the address that a file without credentials of its own gives for them, as it stands there. `warnings` are
    about parts of the file that the signature does not cover.
    """

    state: CredentialState
    codes: tuple[str, ...] = ()
    explanation: tuple[str, ...] = ()
    issuer: str | None = None
    generator: str | None = None
    created: str | None = None
    release_id: str | None = None
    soft_bindings: tuple[tuple[str, str], ...] = ()
    digital_source_types: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    manifest_label: str | None = None
    trusted_by: str | None = None
    interim: bool = False
    remote: str | None = None
    warnings: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The credential that `as_record` told of, also after a way through JSON."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
        }
        fields["state"] = CredentialState(record["state"])
        fields["soft_bindings"] = tuple((alg, value) for alg, value in record["soft_bindings"])
        return cls(**fields)
