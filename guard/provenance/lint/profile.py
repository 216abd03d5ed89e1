"""What the C2PA conformance programme asks of certificates beyond the standard (certificate profiles 0.2,
assurance level 1). A certificate without these works, but no listed authority would issue it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from guard.provenance.lint.rules import Flaw, extension

__all__ = ["profile_warnings"]

_CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
_DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
_LONGEST = timedelta(days=366)
_REMEDY = "The C2PA conformance programme asks for it: see its certificate profile, level 1."


def profile_warnings(leaf: x509.Certificate) -> Iterator[Flaw]:
    """What keeps the certificate from the programme's profile."""
    for code, message in _missing(leaf):
        yield Flaw(code, message, _REMEDY, fatal=False, certificate=1)


def _missing(leaf: x509.Certificate) -> Iterator[tuple[str, str]]:
    if leaf.not_valid_after_utc - leaf.not_valid_before_utc > _LONGEST:
        yield "al1-lifetime", "It is valid for longer than 366 days."
    purposes = {purpose.dotted_string for purpose in extension(leaf, x509.ExtendedKeyUsage) or ()}
    if _CLAIM_SIGNING not in purposes:
        yield "al1-claim-signing", f"Its purposes lack C2PA claim signing ({_CLAIM_SIGNING})."
    if not purposes & {ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string, _DOCUMENT_SIGNING}:
        yield "al1-purpose", "Its purposes have neither emailProtection nor documentSigning."
    usage = extension(leaf, x509.KeyUsage)
    if usage is None or not usage.content_commitment:
        yield "al1-non-repudiation", "Its key usage lacks nonRepudiation."
    if extension(leaf, x509.CertificatePolicies) is None:
        yield "al1-policy", "It names no certificate policy."
    access = extension(leaf, x509.AuthorityInformationAccess) or ()
    if not any(each.access_method == AuthorityInformationAccessOID.OCSP for each in access):
        yield "al1-ocsp", "It names no place to ask whether it was revoked (OCSP)."
