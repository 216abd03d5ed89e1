"""What reading a file's credentials concluded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

__all__ = ["Credential", "CredentialState", "Ingredient"]


class CredentialState(StrEnum):
    """C2PA's three validation states, and two for files that yield no manifest to validate."""

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class Ingredient(TypedDict):
    """A file that went into this one; `codes` are the failures of its own credentials."""

    title: str | None
    relationship: str | None
    state: str
    codes: list[str]


@dataclass(frozen=True, slots=True)
class Credential:
    """A file's Content Credentials and what validation said of them.

    `codes` holds C2PA status codes, failures first, then remarks. Everything between `issuer` and
    `manifest_label` is as the manifest states it, shortened and made printable; unless `state` is trusted or
    valid, anyone may have written it. `digital_source_types` covers the file and the parents it was made
    from. `created` is the claimed time of creation, RFC 3339.
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
