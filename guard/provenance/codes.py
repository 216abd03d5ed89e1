"""C2PA status codes in plain words; the sentences are in `status_codes.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["UNTRUSTED", "explain", "is_success", "sentences"]

UNTRUSTED = "signingCredential.untrusted"
"""Listed among the failures by the specification, although a manifest that has it is Valid."""

_SUCCESS_ENDINGS = (".validated", ".match", ".trusted", ".insideValidity", ".notRevoked", ".accessible")
_ENDINGS = {
    ".mismatch": "Something was changed after it was signed, or belongs elsewhere",
    ".missing": "Something that has to be there is gone",
    ".malformed": "Something is not built as the specification requires",
    ".invalid": "Something does not hold",
    ".untrusted": "Someone who vouches for it is not on a trust list",
    ".inaccessible": "Something that is kept elsewhere was not fetched",
}


@cache
def sentences() -> Mapping[str, str]:
    """The sentence on each code that is known."""
    lines = (files("guard.provenance") / "status_codes.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def explain(code: str) -> str:
    """One sentence on `code`, for people who never read the specification; of codes that nobody has told us
    of, what their name gives away."""
    if code in sentences():
        return sentences()[code]
    if is_success(code):
        return f"A check that is not known here was passed ({code})."
    meaning = next((words for ending, words in _ENDINGS.items() if code.endswith(ending)), None)
    return f"{meaning} ({code})." if meaning else f"Validation reported {code}, which is not known here."


def is_success(code: str) -> bool:
    """Whether `code` reports a check that passed: manifests of old versions mix them with failures."""
    return code.endswith(_SUCCESS_ENDINGS)
