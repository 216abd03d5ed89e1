"""Tries a signer out before anything depends on it."""

from __future__ import annotations

from datetime import UTC, datetime

from guard.errors import CredentialError
from guard.media import Artifact
from guard.provenance.claim import Claim
from guard.provenance.lint import lint
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust

__all__ = ["try_out"]

# The smallest PNG: one grey pixel.
_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6368000000820081da45083b0000000049454e44ae426082"
)


def try_out(signer: Signer, trust: Trust) -> None:
    """Sign a picture of one pixel and read it back.

    Raises `CredentialError` with the certificate's first flaw, where it has one, or where the picture cannot
    be signed or does not read back as trusted.
    """
    flaw = next(iter(lint(signer.certificates)), None)
    if flaw is not None and flaw.fatal:
        raise CredentialError(f"Certificate {flaw.certificate}: {flaw.message}", flaw.remedy)
    claim = Claim(title="Trial", release_id="0" * 16, created_at=datetime.now(UTC), model_name="none")
    signed = sign(Artifact.from_bytes(_PICTURE), claim, signer.without_timestamps())
    credential = read(signed.artifact, trust=trust)
    if credential.state != "trusted":
        raise CredentialError(
            f"What this signer signs reads back as {credential.state}: {', '.join(credential.codes)}.",
            "Give the root of its chain with --anchors, and see: guard credential lint-cert",
        )
