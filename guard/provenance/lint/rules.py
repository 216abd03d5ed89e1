"""What the rules about certificates share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

__all__ = ["Flaw", "crypto_flaws", "extension", "name_of", "time_flaws"]

_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_FEWEST_BITS = 2048
_WEAK = {"md5", "sha1", "sha224"}

Extension = TypeVar("Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason: a stable `code`, a sentence, what to do. If `fatal`, nothing trusted can be signed.

    `certificate` counts from 1, the leaf; 0 where it is about the file or the key.
    """

    code: str
    message: str
    remedy: str
    fatal: bool = True
    certificate: int = 0


def extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    """The extension of that kind, None where there is none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def name_of(certificate: x509.Certificate) -> str:
    """Whose it is, as sentences quote it."""
    return certificate.subject.rfc4514_string() or "(no name)"


def time_flaws(certificate: x509.Certificate, number: int, now: datetime) -> list[Flaw]:
    """Whether the certificate's time is over or has not come."""
    if now > certificate.not_valid_after_utc:
        until = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        return [Flaw("expired", f"It expired on {until}.", "Have it renewed.", certificate=number)]
    if now < certificate.not_valid_before_utc:
        start = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        remedy = "Wait until then, or set this machine's clock."
        return [Flaw("not-yet-valid", f"It is valid only from {start}.", remedy, certificate=number)]
    return []


def crypto_flaws(certificate: x509.Certificate, number: int) -> list[Flaw]:
    """Whether key and signature are of kinds that C2PA 2.4 §13.2 and §14.5.1.1 allow."""
    problem = _key_problem(certificate)
    flaws = [] if problem is None else [problem]
    if _digest(certificate) in _WEAK:
        flaws.append(
            Flaw(
                "weak-signature",
                f"Its issuer signed it with {_digest(certificate)}, which may be forged.",
                "Have it issued with SHA-256, SHA-384 or SHA-512.",
            )
        )
    return [Flaw(f.code, f.message, f.remedy, f.fatal, number) for f in flaws]


def _key_problem(certificate: x509.Certificate) -> Flaw | None:
    remedy = "Use Ed25519, P-256, P-384, P-521, or RSA of 2048 bits or more."
    try:
        key: CertificatePublicKeyTypes = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return Flaw("key-kind", "Its key is of a kind that cannot be read.", remedy)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        short = key.key_size < _FEWEST_BITS
        return Flaw("weak-rsa", f"Its RSA key has only {key.key_size} bits.", remedy) if short else None
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _CURVES:
            return None
        return Flaw("wrong-curve", f"Its key is on the curve {key.curve.name}, which C2PA lacks.", remedy)
    return Flaw("key-kind", "Its key is of a kind that C2PA does not allow.", remedy)


def _digest(certificate: x509.Certificate) -> str:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return certificate.signature_algorithm_oid.dotted_string
    return digest.name if digest else ""
