"""Media inside JSON: base64, alone or in a data URL (RFC 2397)."""

from __future__ import annotations

import base64
import re

from guard.errors import InputError
from guard.media import Artifact, Limits

__all__ = ["from_base64", "from_data_url"]

_HEAD = re.compile(r"data:([a-z0-9.+/-]*)(?:;[a-z0-9.+=/-]+)*;base64,", re.ASCII | re.IGNORECASE)


def from_data_url(url: str, limits: Limits) -> Artifact:
    """The artifact in a data URL. Raises `InputError` for any other URL, since Guard fetches nothing that a
    caller names, and for bytes that are not what the URL says."""
    head = _HEAD.match(url)
    if head is None:
        raise InputError("The URL of a picture is no data URL with base64.", "Guard does not fetch URLs.")
    return from_base64(url[head.end() :], limits, claimed=head.group(1).lower() or None)


def from_base64(text: str, limits: Limits, *, claimed: str | None = None) -> Artifact:
    """The artifact in base64. Raises `InputError` for what is none, and for bytes that are not `claimed`."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise InputError("A file in the body is not in base64.", "Encode it (RFC 4648, section 4).") from None
    return Artifact.from_bytes(data, limits=limits, claimed=claimed)
