"""Rules about the issuers, and about how the certificates hang together (RFC 5280 §6.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from guard.provenance.lint.rules import Flaw, crypto_flaws, extension, name_of, time_flaws

__all__ = ["chain_flaws"]


def chain_flaws(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[Flaw]:
    """What is wrong with the issuers of the first certificate, and with their order."""
    if len(set(chain)) != len(chain):
        yield Flaw("twice", "A certificate is in the chain twice.", "Leave one of them out.", fatal=False)
    for number, issuer in enumerate(chain[1:], 2):
        yield from time_flaws(issuer, number, now)
        yield from crypto_flaws(issuer, number)
        yield from (replace(flaw, certificate=number) for flaw in _authority(issuer, number - 2))
    for number, (child, parent) in enumerate(pairwise(chain), 1):
        yield from (replace(flaw, certificate=number) for flaw in _link(child, parent))
    if len(chain) > 1 and chain[-1].issuer == chain[-1].subject:
        yield Flaw(
            "root-included",
            "The chain ends with its root, which every file would carry without need.",
            "Leave it out; give it to readers as a trust anchor.",
            fatal=False,
            certificate=len(chain),
        )


def _authority(issuer: x509.Certificate, below: int) -> Iterator[Flaw]:
    """`below` is how many issuers stand between it and the leaf."""
    constraints = extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield Flaw(
            "issuer-no-ca", f"{name_of(issuer)} is no authority.", "Put the leaf first, then its issuers."
        )
    elif constraints.path_length is not None and constraints.path_length < below:
        yield Flaw(
            "path-too-long",
            f"{name_of(issuer)} allows {constraints.path_length} issuers below it, and has {below}.",
            "Have the signing certificate issued by another authority.",
        )
    usage = extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield Flaw("issuer-usage", f"{name_of(issuer)} may not issue certificates.", "Ask its operator.")


def _link(child: x509.Certificate, parent: x509.Certificate) -> Iterator[Flaw]:
    if child.issuer != parent.subject:
        yield Flaw(
            "broken-chain",
            f"Its issuer is {child.issuer.rfc4514_string()}, and the next one is {name_of(parent)}.",
            "Put the leaf first, and after each certificate the one that issued it.",
        )
        return
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        yield Flaw(
            "broken-chain",
            f"{name_of(parent)} has the name of its issuer, but did not sign it.",
            "Give the issuer's certificate with the key that signed: an authority may have several.",
        )
