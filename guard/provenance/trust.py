"""Whom a reader of credentials trusts: lists of certificates, each with its purpose, name and date.

C2PA 2.4 §14.4 keeps apart the anchors of signers (§14.4.1), those of time-stamping authorities (§14.4.2) and
single signers one knows (§14.4.3). The library reports which list it found a signer on but would take any:
`guard.provenance.judging` draws the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from cryptography import x509

from guard.errors import ConfigurationError
from guard.provenance.trust_kinds import ListKind

__all__ = ["CLAIM_SIGNING_EKUS", "NOBODY", "ListKind", "Trust", "TrustList"]

CLAIM_SIGNING_EKUS = (
    "1.3.6.1.5.5.7.3.4",  # emailProtection
    "1.3.6.1.5.5.7.3.36",  # documentSigning
    "1.3.6.1.5.5.7.3.8",  # timeStamping
    "1.3.6.1.5.5.7.3.9",  # OCSPSigning
    "1.3.6.1.4.1.311.76.59.1.9",  # Microsoft C2PA signing
    "1.3.6.1.4.1.62558.2.1",  # C2PA claim signing
)
"""Key purposes a credential may carry. The library alone accepts only the first, and would call a picture
signed by Microsoft, or under the C2PA conformance programme, invalid instead of untrusted."""

_FOUND_IN = re.compile(r"found in \[(?:list-(\d+))?\] trust anchors")
"""How the library says which list a signer is on; nothing between the brackets for single signers."""


@dataclass(frozen=True, slots=True)
class TrustList:
    """Certificates (PEM) under one name; `dated` is the day its publisher gave it, or it was fetched."""

    name: str
    certificates: str
    kind: ListKind = ListKind.SIGNERS
    dated: date | None = None

    def __str__(self) -> str:
        return f"{self.name} of {self.dated}" if self.dated else self.name


_ORDER = (ListKind.SIGNERS, ListKind.ALLOWED, ListKind.INTERIM, ListKind.TIMESTAMPS)
_LIBRARY_KINDS = {ListKind.TIMESTAMPS: "tsa"}


@dataclass(frozen=True, slots=True)
class Trust:
    """The lists that count, and the key purposes (EKU) that a signer's certificate may carry.

    `hosts` are those that may be asked whether a certificate was revoked; without any, only what a signer
    attached about that counts.
    """

    lists: tuple[TrustList, ...] = ()
    ekus: tuple[str, ...] = CLAIM_SIGNING_EKUS
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, certificates: str, name: str = "the given certificates") -> Trust:
        """Trust in the authorities in `certificates` (PEM), which may be empty."""
        return cls().plus(TrustList(name, certificates))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Trust:
        """The trust that `dataclasses.asdict` told of, after a way through JSON."""
        lists = (
            TrustList(
                each["name"],
                each["certificates"],
                ListKind(each["kind"]),
                each["dated"] and date.fromisoformat(each["dated"]),
            )
            for each in record["lists"]
        )
        return cls(tuple(lists), tuple(record["ekus"]), tuple(record["hosts"]))

    def plus(self, *lists: TrustList) -> Trust:
        """This trust and that in `lists` too; lists without certificates are left out."""
        return replace(self, lists=(*self.lists, *(each for each in lists if each.certificates.strip())))

    def for_library(self) -> dict[str, object]:
        """The `trust` object of the C2PA library's settings.

        Raises `ConfigurationError` for a list with a damaged certificate: the library would skip it and call
        its signers unknown.
        """
        anchors = [_anchor(number, each) for number, each in enumerate(self._ordered())]
        return {"trust_config": "\n".join(self.ekus), "anchors": anchors}

    def of_signer(self, explanation: object) -> TrustList | None:
        """The list that vouches for a signer of whom the library says `explanation`; None where none does."""
        found = _FOUND_IN.search(explanation) if isinstance(explanation, str) else None
        if found is None:
            return None
        ordered = self._ordered()
        if found[1] is None:
            return next((each for each in ordered if each.kind is ListKind.ALLOWED), None)
        number = int(found[1])
        listed = ordered[number] if number < len(ordered) else None
        return None if listed is None or listed.kind is ListKind.TIMESTAMPS else listed

    def for_signers(self) -> list[TrustList]:
        """The lists that can vouch for a signer, the best first."""
        return [each for each in self._ordered() if each.kind is not ListKind.TIMESTAMPS]

    def _ordered(self) -> Sequence[TrustList]:
        """Better lists first."""
        return sorted(self.lists, key=lambda each: _ORDER.index(each.kind))


NOBODY = Trust()
"""Trust in no one: intact credentials are valid, none are trusted."""


def _anchor(number: int, each: TrustList) -> dict[str, object]:
    _check(each.certificates)
    single = each.kind is ListKind.ALLOWED
    return {
        "trust_uri": f"list-{number}",
        "trust_kind": _LIBRARY_KINDS.get(each.kind, "manifest"),
        "trust_anchors": "" if single else each.certificates,
        "allowed_list": each.certificates if single else None,
    }


@lru_cache(maxsize=16)
def _check(certificates: str) -> None:
    try:
        x509.load_pem_x509_certificates(certificates.encode())
    except ValueError as error:
        raise ConfigurationError(
            "The trust anchors cannot be used: one is not a certificate.", "Give certificates in PEM form."
        ) from error
