"""What a trust list may be for; on its own, so that the command line can name it at no cost."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ListKind"]


class ListKind(StrEnum):
    """What the certificates of a list may vouch for."""

    SIGNERS = "signers"
    """Authorities of signers, and of the time stamps that come with them."""
    TIMESTAMPS = "timestamps"
    """Authorities of time stamps alone."""
    INTERIM = "interim"
    """Authorities of signers on a list that is being given up: their signers are shown apart, as valid."""
    ALLOWED = "allowed"
    """Single signers, without their authorities."""
