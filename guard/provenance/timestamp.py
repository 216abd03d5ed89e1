"""Time stamps (RFC 3161): what proves later that a signature is older than the end of its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guard.errors import ConfigurationError, TimestampError
from guard.provenance.sdk import clean

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx2

__all__ = ["TimestampAuthority", "ask_in_turn", "stamp"]

_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
_SECONDS = 5.0
_REST = 10.0  # seconds
_RESTING: dict[str, tuple[float, str]] = {}
"""Until when an authority is left alone, by its address, and why."""
_MOST_BYTES = 64 << 10
_GRANTED = (0, 1)  # granted, granted with modifications (RFC 3161 §2.4.2)


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """A time-stamping authority at an http or https address; `seconds` is how long it may take to answer."""

    url: str
    seconds: float = _SECONDS

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigurationError(
                f"'{self.url}' is no address of a time-stamping authority.", "Give an http or https address."
            )

    def ask(self, request: bytes) -> bytes:
        """The response to a DER request, checked to be about it. Raises `TimestampError`.

        Nothing but this address is asked: redirects are not followed.
        """
        import httpx2

        try:
            response = self._post(request)
        except httpx2.HTTPError as error:
            raise TimestampError(f"{self.url} gave no time stamp: {type(error).__name__}.") from error
        problem = _problem(request, response)
        if problem:
            raise TimestampError(f"{self.url} gave no time stamp: {problem}.")
        return response

    def _post(self, request: bytes) -> bytes:
        import httpx2

        headers = {"content-type": _QUERY, "accept": _REPLY}
        with (
            httpx2.Client(verify=_tls(), timeout=self.seconds, follow_redirects=False) as client,
            client.stream("POST", self.url, content=request, headers=headers) as response,
        ):
            if response.status_code != httpx2.codes.OK:
                raise TimestampError(f"{self.url} gave no time stamp: HTTP {response.status_code}.")
            return _limited(response, self.url, self.seconds)


def ask_in_turn(authorities: Sequence[TimestampAuthority], request: bytes) -> bytes:
    """The response of the first authority that gives a good one.

    One that gave none is left alone for ten seconds: while it is down, not every release has to wait for its
    time to be up. Raises `TimestampError` naming why each did not.
    """
    reasons: list[str] = []
    for authority in authorities:
        until, reason = _RESTING.get(authority.url, (0.0, ""))
        if monotonic() < until:
            reasons.append(reason)
            continue
        try:
            return authority.ask(request)
        except TimestampError as error:
            _RESTING[authority.url] = (monotonic() + _REST, error.message)
            reasons.append(error.message)
    raise TimestampError(" ".join(reasons), "Check GUARD_TIMESTAMPS, and that the server may reach them.")


def stamp(authorities: Sequence[TimestampAuthority], data: bytes) -> bytes:
    """A time stamp token (DER, CMS) over the SHA-256 of `data`. Raises `TimestampError`."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    response = ask_in_turn(authorities, request.as_bytes())
    return bytes(decode_timestamp_response(response).time_stamp_token())


@cache
def _tls() -> SSLContext:
    """Made once: reading the certificates of all authorities takes longer than to ask one for the time."""
    from ssl import create_default_context

    return create_default_context()


def _limited(response: httpx2.Response, url: str, seconds: float) -> bytes:
    """The body, unless it is too long or drips in for longer than all of it may take."""
    body, deadline = b"", monotonic() + seconds
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES or monotonic() > deadline:
            raise TimestampError(f"{url} gave no time stamp: its answer is too long or too slow.")
    return body


def _problem(request: bytes, response: bytes) -> str:
    """Why the response is no time stamp for the request, "" where it is one (RFC 3161 §2.4.2)."""
    from rfc3161_client import decode_timestamp_response

    try:
        reply = decode_timestamp_response(response)
        if reply.status not in _GRANTED:
            said = clean(" ".join(reply.status_string)) or "without a reason"
            return f"it refused with status {reply.status}, {said}"
        info = reply.tst_info
        imprint, nonce = info.message_imprint.message, info.nonce
    except ValueError:
        return "its answer cannot be read"
    # What was asked for stands in the request as it is: the digest, and the nonce as a DER integer.
    about = bytes(imprint) in request
    echoed = nonce is None or nonce.to_bytes(nonce.bit_length() // 8 + 1) in request
    return "" if about and echoed else "its answer is about something else"
