"""Time-stamps (RFC 3161) of checkpoints: what others know of the log, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from guard.errors import InputError, LedgerError
from guard.ledger.log.checkpoint import Checkpoint

__all__ = ["check_anchor"]

_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo with status 0


def check_anchor(checkpoint: Checkpoint, token: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """When an authority under one of `roots` saw the checkpoint, by its time-stamp token (DER).

    Raises `LedgerError` where the token is of something else or nobody under the roots made it, `InputError`
    where it cannot be read.
    """
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    try:
        response = decode_timestamp_response(_der(_GRANTED + token))
    except ValueError as error:
        raise InputError("The time-stamp cannot be read.", "It is a token in DER (RFC 3161).") from error
    try:
        verifier = VerifierBuilder(roots=list(roots)).build()
        verifier.verify_message(response, str(checkpoint).encode())
    except (VerificationError, ValueError) as error:
        what = f"The time-stamp of the checkpoint of {checkpoint.size} leaves does not hold"
        raise LedgerError(f"{what}: {str(error).rstrip('.')}.", "Check the authority's root.") from error
    return response.tst_info.gen_time


def _der(content: bytes) -> bytes:
    """A SEQUENCE around `content`."""
    length = len(content)
    if length < 0x80:
        return bytes([0x30, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 | len(size)]) + size + content
