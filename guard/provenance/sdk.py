"""The one place that configures the C2PA library."""

from __future__ import annotations

import os
import re
import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache, lru_cache

import c2pa

from guard.provenance.trust import NOBODY, Trust

__all__ = ["clean", "context", "readable", "reason", "signable"]

_LONGEST_TEXT = 300
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufe00-\ufe0f]+")


def context(trust: Trust = NOBODY, *, checked: bool = True) -> AbstractContextManager[c2pa.Context]:
    """A library context that trusts whom `trust` says, and asks no host but those it names, about
    revocation alone.

    It stays open for the next call in this thread: to make one takes the library 0.1 ms, and five times that
    with the official lists. A context dies across `fork` and is not shared safely between threads, and a
    server does both. Unless `checked`, signatures may be any bytes: for trying how large a manifest gets.
    Raises `ConfigurationError` for unusable lists.

    Compressed manifests stay off: they save 1.6 KB of a JPEG and cost 40 ms of its 2 ms signing time.
    """
    return nullcontext(_made(trust, checked, os.getpid(), threading.get_ident()))


@lru_cache(maxsize=16)
def _made(trust: Trust, checked: bool, _process: int, _thread: int) -> c2pa.Context:
    settings = {
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": bool(trust.hosts),
            "verify_after_sign": checked,
        },
        "core": {"allowed_network_hosts": list(trust.hosts), "allow_redirects": False},
        "builder": {"thumbnail": {"enabled": False}},
        "trust": trust.for_library(),
    }
    return c2pa.Context.from_dict(settings)


@cache
def signable() -> frozenset[str]:
    """MIME types in which a manifest can be embedded."""
    return frozenset(kind for kind in c2pa.Builder.get_supported_mime_types() if "/" in kind)


@cache
def readable() -> frozenset[str]:
    """MIME types in which a manifest can be found."""
    return frozenset(kind for kind in c2pa.Reader.get_supported_mime_types() if "/" in kind)


def clean(value: object) -> str | None:
    """`value` as one short line that is safe to print, or None where it is no text.

    Strings in a manifest are whatever its signer chose, terminal escapes and direction marks included.
    """
    if not isinstance(value, str):
        return None
    line = " ".join(_UNPRINTABLE.sub(" ", value).split())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def reason(error: BaseException) -> str:
    """What the library said, without the name it repeats in front and without a final stop."""
    text = clean(str(error)) or type(error).__name__
    return re.sub(r"^(C2paError: |\w+: )(?=\S)", "", text).rstrip(". ")
