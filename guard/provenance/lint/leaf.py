"""Rules about the signing certificate itself (C2PA 2.4 §14.5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from guard.provenance.lint.rules import Flaw, crypto_flaws, extension, time_flaws
from guard.provenance.trust import CLAIM_SIGNING_EKUS

__all__ = ["leaf_flaws"]

_ALONE = {ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping", ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning"}
_KNOWN_CRITICAL = {
    "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.32", "2.5.29.35", "2.5.29.37",
}  # fmt: skip
_NAMES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    **_ALONE,
}


def leaf_flaws(leaf: x509.Certificate, now: datetime) -> list[Flaw]:
    """What is wrong with the signing certificate."""
    found = [
        *time_flaws(leaf, 1, now),
        *crypto_flaws(leaf, 1),
        *_identity(leaf),
        *_usage(leaf),
        *_purposes(leaf),
        *_others(leaf),
    ]
    return [replace(flaw, certificate=1) for flaw in found]


def _identity(leaf: x509.Certificate) -> Iterator[Flaw]:
    if leaf.version is not x509.Version.v3:
        yield Flaw("not-v3", "It is of an old version without extensions.", "Have an X.509 v3 one issued.")
    if leaf.issuer == leaf.subject:
        yield Flaw(
            "self-signed",
            "It is self-signed: it is trusted only where this very certificate is listed.",
            "Have it issued by an authority; for development: guard keys init",
        )
    constraints = extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield Flaw(
            "ca-leaf",
            "It is the certificate of an authority, and those do not sign claims.",
            "Put the signing certificate first, or have one issued with CA:FALSE.",
        )
    if not leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        yield Flaw(
            "no-organization",
            "Its subject names no organization, which verifiers show as the signer; some refuse it.",
            "Have it issued with O=…",
            fatal=False,
        )


def _usage(leaf: x509.Certificate) -> Iterator[Flaw]:
    usage = extension(leaf, x509.KeyUsage)
    if usage is None:
        yield Flaw("no-key-usage", "It has no key usage.", "Have it issued with digitalSignature.")
        return
    if not usage.digital_signature:
        yield Flaw(
            "no-digital-signature",
            "Its key usage does not allow signatures.",
            "Have it issued with digitalSignature.",
        )
    constraints = extension(leaf, x509.BasicConstraints)
    if usage.key_cert_sign and not (constraints and constraints.ca):
        yield Flaw(
            "cert-sign-leaf",
            "Its key usage lets it issue certificates, though it is no authority.",
            "Have it issued without keyCertSign.",
        )


def _purposes(leaf: x509.Certificate) -> Iterator[Flaw]:
    remedy = "Have it issued with C2PA claim signing (1.3.6.1.4.1.62558.2.1) and emailProtection."
    purposes = extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None:
        yield Flaw("no-purpose", "It names no purpose (extended key usage).", remedy)
        return
    oids = {purpose.dotted_string for purpose in purposes}
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string in oids:
        yield Flaw(
            "any-purpose", "It allows every purpose (anyExtendedKeyUsage), which C2PA refuses.", remedy
        )
    if not oids & set(CLAIM_SIGNING_EKUS):
        named = ", ".join(_NAMES.get(purpose, purpose.dotted_string) for purpose in purposes)
        yield Flaw("wrong-purpose", f"Its purposes do not include signing claims: {named}.", remedy)
    for purpose, name in _ALONE.items():
        if purpose.dotted_string in oids:
            yield Flaw("other-purpose", f"It is for {name}, which excludes signing claims.", remedy)


def _others(leaf: x509.Certificate) -> Iterator[Flaw]:
    if extension(leaf, x509.AuthorityKeyIdentifier) is None:
        yield Flaw(
            "no-authority-key-id",
            "It does not identify its issuer's key.",
            "Have it issued with an authority key identifier.",
        )
    if extension(leaf, x509.SubjectKeyIdentifier) is None:
        yield Flaw(
            "no-subject-key-id",
            "It does not identify its own key; some verifiers refuse that.",
            "Have it issued with a subject key identifier.",
            fatal=False,
        )
    for each in leaf.extensions:
        if each.critical and each.oid.dotted_string not in _KNOWN_CRITICAL:
            yield Flaw(
                "unknown-critical",
                f"It has a critical extension that C2PA does not know: {each.oid.dotted_string}.",
                "Have it issued without, or with the extension not critical.",
            )
