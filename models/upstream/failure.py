"""What went wrong upstream, in one form, whatever form the server wrote it in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from guard.errors import UpstreamError

__all__ = ["error_in", "failure", "wrong_type"]

_LONGEST = 500
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_REMEDIES = {
    401: "Check the upstream's API key.",
    403: "Check what the upstream's API key may do.",
    404: "Check the upstream's base URL and the model's name.",
    413: "Send a smaller request.",
    429: "Wait before asking again, or raise the upstream's quota.",
    508: "Check the upstream's base URL.",
}


class _Cause(NamedTuple):
    message: str
    code: str | None = None
    status: int = 0


def failure(status: int, body: bytes, *, secret: str = "") -> UpstreamError:
    """The error in an answer with a status that is no success.

    Reads OpenAI's `{"error": {…}}`, FastAPI's `{"detail": …}`, HTML pages and plain text. `secret` is blanked
    wherever the server repeats it. The error's `status` is 0 unless the server's was 4xx or 5xx.
    """
    cause = _cause(body)
    refused = status if status >= 400 else 0
    return _error(cause._replace(status=refused), f"The upstream answered {status}", secret)


def error_in(event: object, *, secret: str = "") -> UpstreamError | None:
    """The error that a JSON value carries in place of an answer; None where it carries an answer."""
    if not isinstance(event, Mapping) or not (event.get("error") or event.get("object") == "error"):
        return None
    if isinstance(event.get("id"), str) and isinstance(event.get("status"), str):
        return None  # a job or response that failed is an answer, and tells why in its own `error`
    cause = _from_json(event) or _Cause("no reason given")
    return _error(cause, "The upstream broke off with an error", secret)


def wrong_type(kind: str, accept: str, body: bytes, *, secret: str = "") -> UpstreamError:
    """The error of an answer that came with success but as `kind` instead of `accept`."""
    what = f"The upstream answered with {_tidy(kind) or 'no content type'} instead of {accept}"
    return _error(_cause(body), what, secret)


def _error(cause: _Cause, what: str, secret: str) -> UpstreamError:
    # Blanked before anything is cut short, which could leave half a key standing.
    message, code = (
        text.replace(secret, "[key]") if secret else text for text in (cause.message, cause.code or "")
    )
    remedy = _REMEDIES.get(cause.status, "Try again later." if cause.status >= 500 else "")
    return UpstreamError(f"{what}: {_tidy(message)}", remedy, status=cause.status, code=_tidy(code) or None)


def _cause(body: bytes) -> _Cause:
    try:
        found = _from_json(json.loads(body))
    except (ValueError, RecursionError):
        found = None
    return found or _Cause(_from_text(body.decode("utf-8", errors="replace")))


def _from_json(value: object) -> _Cause | None:
    if not isinstance(value, Mapping):
        return None
    error = value.get("error")
    if isinstance(error, Mapping):
        return _from_fields(error)
    if isinstance(error, str) and error:
        return _Cause(error)
    if value.get("detail"):
        return _Cause(_from_detail(value["detail"]))
    return _from_fields(value) if value.get("message") else None


def _from_fields(fields: Mapping[str, Any]) -> _Cause:
    code = fields.get("code")
    # vLLM puts the HTTP status where OpenAI puts a word.
    status = code if isinstance(code, int) and 400 <= code <= 599 else 0
    return _Cause(
        str(fields.get("message") or "no reason given"), None if code is None else str(code), status
    )


def _from_detail(detail: object) -> str:
    """FastAPI's detail: a sentence, or one entry for each field that failed its validation."""
    if not isinstance(detail, list):
        return str(detail)
    return "; ".join(_from_entry(entry) for entry in detail)


def _from_entry(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    place = entry.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else "request"
    return f"{where}: {entry.get('msg')}"


def _from_text(text: str) -> str:
    if text.lstrip().startswith("<"):
        title = _TITLE.search(text[:4096])
        return f"an HTML page titled '{_tidy(html.unescape(title[1]))}'" if title else "an HTML page"
    return text.strip() or "no reason given"


def _tidy(text: str) -> str:
    """One printable line of bounded length: the text is a stranger's and ends up in logs and terminals."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
