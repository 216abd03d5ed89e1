"""Says why a certificate would be refused for signing claims.

The C2PA library answers every flaw of a certificate with one sentence. The rules are those of C2PA 2.4
§14.5.1 as the library applies them; what only the certificate profile of the conformance
programme asks for, at assurance level 1, is no more than a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from guard.errors import CredentialError
from guard.provenance.lint.chain import chain_flaws
from guard.provenance.lint.leaf import leaf_flaws
from guard.provenance.lint.profile import profile_warnings
from guard.provenance.lint.rules import Flaw
from guard.provenance.signers.pem import PemKey

__all__ = ["Flaw", "lint"]

_BEGIN = "-----BEGIN CERTIFICATE-----"


def lint(
    certificates: str, key: str | None = None, passphrase: str | None = None, now: datetime | None = None
) -> list[Flaw]:
    """What is wrong with a chain (PEM, leaf first), and with the private key (PEM) that goes with it.

    Those that make a signature impossible or untrusted are `fatal`, and come first.
    """
    chain = _chain(certificates)
    if isinstance(chain, Flaw):
        return [chain]
    flaws = [*leaf_flaws(chain[0], now or datetime.now(UTC)), *chain_flaws(chain, now or datetime.now(UTC))]
    if key is not None:
        flaws += _key_flaws(chain, key, passphrase)
    flaws += profile_warnings(chain[0])
    return sorted(flaws, key=lambda flaw: not flaw.fatal)


def _chain(text: str) -> list[x509.Certificate] | Flaw:
    if _BEGIN not in text:
        return Flaw(
            "not-pem",
            "There is no certificate in PEM form.",
            "Convert it: openssl x509 -inform der -in FILE -out FILE.pem",
        )
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        return Flaw(
            "not-pem", f"A certificate cannot be read: {error}.", "Ask its authority for an undamaged copy."
        )


def _key_flaws(chain: list[x509.Certificate], text: str, passphrase: str | None) -> Iterator[Flaw]:
    if "BEGIN EC PRIVATE KEY" in text or "BEGIN RSA PRIVATE KEY" in text:
        yield Flaw(
            "key-not-pkcs8",
            "The private key is in its kind's own form, which the C2PA library refuses; Guard converts it.",
            "For other tools: openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pk8",
            fatal=False,
        )
    if "ENCRYPTED" in text:
        yield Flaw(
            "key-encrypted",
            "The private key is encrypted, which is right at rest; other C2PA tools refuse it.",
            "Guard opens it with GUARD_SIGNER_PASSPHRASE or GUARD_SIGNER_PASSPHRASE_FILE.",
            fatal=False,
        )
    try:
        public = PemKey.load(text, passphrase).public_key
    except CredentialError as error:
        yield Flaw("key-unreadable", error.message, error.remedy)
        return
    owners = [number for number, each in enumerate(chain) if _has_key(each, public)]
    if not owners:
        yield Flaw(
            "key-mismatch",
            "The private key belongs to none of the certificates.",
            "Give the key from which the certificate was requested.",
        )
    elif owners[0] != 0:
        yield Flaw(
            "wrong-order",
            f"The private key belongs to certificate {owners[0] + 1}, not to the first.",
            "Put the signing certificate first, then its issuers.",
        )


def _has_key(certificate: x509.Certificate, public: object) -> bool:
    try:
        return certificate.public_key() == public
    except (ValueError, UnsupportedAlgorithm):
        return False
