"""Fresh copies of the official trust lists, fetched when someone asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from guard.errors import ConfigurationError
from guard.provenance.fetch import Fetcher
from guard.provenance.trust_store import OFFICIAL, StoredList, TrustStore, certificates_in

__all__ = ["refresh"]


def refresh(
    store: TrustStore, addresses: Mapping[str, str], get: Callable[[str], bytes] | None = None
) -> list[StoredList]:
    """Fetch the official lists and keep them, all or none; `addresses` names other places for them by list.

    Raises `CredentialError` where one cannot be fetched, `ConfigurationError` where it is no list of
    authorities: then the former ones stay.
    """
    former = {each.name: each for each in store.lists()}
    fetched = [_fetched(former[name], addresses.get(name) or former[name].source, get) for name in OFFICIAL]
    for each in fetched:
        store.add(each)
    return fetched


def _fetched(former: StoredList, address: str, get: Callable[[str], bytes] | None) -> StoredList:
    fetch = get or Fetcher((urlsplit(address).hostname or "",)).get
    try:
        certificates = certificates_in(fetch(address))
        _require_authorities(certificates)
    except ValueError as error:
        raise ConfigurationError(
            f"What {address} holds is not a trust list: {error}.", "Check the address; the former list stays."
        ) from error
    today = datetime.now(UTC).date()
    return StoredList(former.name, former.title, former.kind, today, address, certificates)


def _require_authorities(certificates: str) -> None:
    """Raise `ValueError` for a certificate that may not vouch for others: its owner could not sign for
    them."""
    for certificate in x509.load_pem_x509_certificates(certificates.encode()):
        try:
            authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            authority = False
        if not authority:
            raise ValueError("one of its certificates is not an authority's")
