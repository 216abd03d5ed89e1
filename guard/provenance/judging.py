"""Trust in a signer, judged more strictly than the library does.

The library says that a signer is trusted where its certificate leads to any certificate it was given, and
names one list that has such a one, any of several: for the authorities of time stamps as for those of
signers. It also takes a certificate made for time stamps or news of revocation for a claim signer's. C2PA 2.4
does neither (§14.4, §14.5.1). So the chain is followed again here, to the best list that vouches for it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from guard.provenance.chains import chain_of
from guard.provenance.codes import UNTRUSTED
from guard.provenance.shapes import mapping, sequence
from guard.provenance.trust import ListKind, Trust, TrustList

__all__ = ["MISUSED", "TRUSTED", "Judge", "store_of"]

TRUSTED = "signingCredential.trusted"
MISUSED = "signingCredential.invalid"
_NOT_CLAIMS = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING}
_USUAL = 16 << 10
"""Bytes of a chain; what was found of longer ones is not kept."""
_REASONS = {
    UNTRUSTED: "the certificate leads to no authority of signers",
    MISUSED: "the certificate is for time stamps or news of revocation",
}


def store_of(reader: c2pa.Reader, label: object) -> bytes:
    """The manifest store that the reader holds, `label` being that of a manifest in it; empty where the
    library does not give it out."""
    store = io.BytesIO()
    try:
        # Asked for what it does not keep apart, the library gives the whole store that this is in.
        reader.resource_to_stream(f"self#jumbf=/c2pa/{label}/c2pa.signature", store)
    except c2pa.C2paError:
        return b""
    return store.getvalue()


@dataclass(frozen=True)
class Judge:
    """Judges the signers of the manifests in `store`, which is empty where it is not at hand: then the
    library's remarks are all there is."""

    trust: Trust
    store: bytes = b""

    @classmethod
    def of(cls, trust: Trust, reader: c2pa.Reader, said: str, label: object) -> Judge:
        """With the store that the reader holds, if it `said` that anybody is trusted: else there is nothing
        to judge. `label` is that of a manifest in it."""
        if TRUSTED not in said:
            return cls(trust)
        # Of what is none, nothing can be checked, so nobody is trusted.
        return cls(trust, store_of(reader, label) or b"none")

    def list_of(self, label: object, statuses: dict[str, Any]) -> TrustList | None:
        """The list that vouches for the signer of the manifest `label`, of whom `statuses` tell.

        Where none does although the library says so, the check that passed is put among those that failed.
        """
        passed = list(map(mapping, sequence(statuses.get("success"))))
        claimed = [entry for entry in passed if entry.get("code") == TRUSTED]
        if not claimed:
            return None
        on, code = self._found(label, claimed[0])
        if on is None:
            statuses["success"] = [entry for entry in passed if entry not in claimed]
            failed = [entry | {"code": code, "explanation": _REASONS[code]} for entry in claimed]
            statuses["failure"] = [*sequence(statuses.get("failure")), *failed]
        return on

    def _found(self, label: object, claimed: Mapping[str, Any]) -> tuple[TrustList | None, str]:
        try:
            chain = chain_of(self.store, str(label)) if self.store else None
        except ValueError:
            return None, UNTRUSTED
        if chain is None:
            return self.trust.of_signer(claimed.get("explanation")), UNTRUSTED
        known = _judged if sum(map(len, chain)) <= _USUAL else _judged.__wrapped__
        return known(self.trust, chain)


@lru_cache(maxsize=128)
def _judged(trust: Trust, chain: tuple[bytes, ...]) -> tuple[TrustList | None, str]:
    """The list that vouches for the first of these certificates (DER), and what is wrong where none does.

    Nothing in it depends on the time, and most files come from few signers.
    """
    try:
        certificates = [x509.load_der_x509_certificate(each) for each in chain]
    except ValueError:
        return None, UNTRUSTED
    if not certificates or not _for_claims(certificates[0]):
        return None, MISUSED
    return next((each for each in trust.for_signers() if _vouches(each, certificates)), None), UNTRUSTED


def _for_claims(leaf: x509.Certificate) -> bool:
    try:
        purposes = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return bool(purposes - _NOT_CLAIMS)


def _vouches(each: TrustList, chain: Sequence[x509.Certificate]) -> bool:
    """Whether the chain, followed from its leaf, meets the list; the library has checked everything else."""
    known = _known(each.certificates)
    if each.kind is ListKind.ALLOWED:
        return chain[0] in known.get(chain[0].subject, ())
    at, left = chain[0], list(chain[1:])
    while True:
        if at in known.get(at.subject, ()) or any(_issued(at, anchor) for anchor in known.get(at.issuer, ())):
            return True
        above = next((one for one in left if one.subject == at.issuer and _issued(at, one)), None)
        if above is None:
            return False
        left.remove(above)
        at = above


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
        return by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (InvalidSignature, TypeError, ValueError, x509.ExtensionNotFound):
        return False


@lru_cache(maxsize=32)
def _known(certificates: str) -> Mapping[x509.Name, Sequence[x509.Certificate]]:
    """The certificates of a list by their subjects."""
    known: dict[x509.Name, list[x509.Certificate]] = {}
    for each in x509.load_pem_x509_certificates(certificates.encode()):
        known.setdefault(each.subject, []).append(each)
    return known
