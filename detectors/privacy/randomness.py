"""Whether what stands behind `token =` is a secret: does it look drawn at random, or written by somebody?"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

__all__ = ["entropy", "password", "random_value"]

Place = tuple[int, int]

_ASSIGNED = re.compile(
    r"""(?P<name>passw(?:or)?d|passphrase|pwd|authorization|[a-z]+)
        (?:[\s"'_.-]*key)?["']?\s{0,3}(?:=>|:=|[:=]|is)\s{0,3}
        (?:["'`]|["']?(?:bearer|basic|token)\s+)?(?P<value>[^\s"'`<>,;]{8,})\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_ADDRESS = re.compile(r"(?:://[^:]*:|=)(?P<value>[^=]*?=*)@?\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"\$|\{|\(|\[|\\|://|\A[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z|\A[%/*.~]")
_WRITTEN = re.compile(
    r"example|sample|dummy|placeholder|changeme|change[-_]me|redacted|your[-_]|my[-_]|insert|(?:abc)?123456|"
    r"\.\.\.|…|(.)\1{3,}|(?i:pass(?:word|wd)?|secret|token|key)\Z",
    re.IGNORECASE,
)
_CLASSES = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
_LEAST_BITS = 3.0
"""Bits a character: 32 hexadecimal digits have about 3.6, a line of English words joined up about 3.3, but
those have no digits in between."""


def random_value(written: str) -> Place | None:
    """Where the value stands in an assignment such as `api_key = "…"`, if it looks like a secret."""
    found = _ASSIGNED.search(written)
    if found is None:
        return None
    value = found["value"].rstrip(".)]}&|?!:")
    place = (found.start("value"), found.start("value") + len(value))
    if _is_written(value):
        return None
    human = found["name"].lower().startswith(("passw", "pwd"))
    return place if _random(value) or (human and _mixed(value)) else None


def password(written: str) -> Place | None:
    """Where the password stands in an address such as `mysql://user:…@`, unless it is an example."""
    found = _IN_ADDRESS.search(written)
    if found is None or _is_written(found["value"]):
        return None
    return found.span("value")


def entropy(value: str) -> float:
    """Shannon's entropy of the characters of a text, in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _is_written(value: str) -> bool:
    return bool(_UUID.fullmatch(value) or _CODE.search(value) or _WRITTEN.search(value))


def _random(value: str) -> bool:
    """Letters and digits in turn, as chance puts them: names that people write change over rarely."""
    if len(value) < 16 or entropy(value) < _LEAST_BITS:
        return False
    digits = sum(character.isdigit() for character in value)
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value))
    capitals = sum(a.islower() and b.isupper() for a, b in pairwise(value))
    return digits > 0 and (changes + capitals) * 8 >= len(value)


def _mixed(value: str) -> bool:
    """At least three of small letters, capitals, digits and signs, as passwords are asked to have."""
    return sum(any(map(kind, value)) for kind in _CLASSES) >= 3
