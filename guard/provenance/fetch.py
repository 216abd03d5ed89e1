"""Fetches what a credential or a trust list is kept at, from hosts that were allowed by name, and from no
other.

An address in a file is its maker's choice: it may name a machine behind our firewall, redirect there, or
resolve to it on the second look. So the host must be on the list, every address it resolves to must be
public, the connection goes to one of the addresses that were looked at, and redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from guard.errors import CredentialError

__all__ = ["Fetcher", "is_public"]

_PORTS = {"http": 80, "https": 443}
_CHUNK = 1 << 16
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet, also when dressed up as IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(parsed.packed[-4:]) if parsed in _NAT64 else None
        inner = parsed.ipv4_mapped or parsed.sixtofour or translated or (parsed.teredo and parsed.teredo[1])
        if inner:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast


@dataclass(frozen=True)
class Fetcher:
    """Fetches from `hosts`: names in small letters, `*.` in front for all below. `schemes` are those allowed,
    `seconds` the time for one whole exchange, `most_bytes` the longest answer; `public` tells which IP
    addresses may be asked."""

    hosts: tuple[str, ...]
    schemes: tuple[str, ...] = ("https",)
    seconds: float = 10.0
    most_bytes: int = 16 << 20
    public: Callable[[str], bool] = is_public

    def allows(self, url: str) -> bool:
        """Whether `url` may be asked at all; nothing is looked up."""
        try:
            self._parsed(url)
        except CredentialError:
            return False
        return True

    def get(self, url: str, *, body: bytes | None = None, kind: str = "") -> bytes:
        """What is at `url`, or its answer to `body`, of MIME type `kind`.

        Raises `CredentialError` where the address is not allowed, or no good answer came in time.
        """
        parts = self._parsed(url)
        deadline = time.monotonic() + self.seconds
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": kind} if kind else {}
        try:
            with closing(self._connected(parts, deadline)) as connection:
                connection.request("POST" if body else "GET", path or "/", body, headers)
                return self._answer(connection, parts, deadline)
        except (OSError, http.client.HTTPException) as error:
            raise _failed(parts, type(error).__name__) from error

    def _parsed(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError as error:
            raise CredentialError("An address in the credentials is malformed.") from error
        plain = parts.username is None and parts.scheme in self.schemes
        if not plain or port not in (None, _PORTS[parts.scheme]) or not self._listed(host):
            raise CredentialError(
                f"{host or 'An address without a host'} may not be asked.",
                "Allow its host in GUARD_CREDENTIAL_HOSTS.",
            )
        return parts

    def _listed(self, host: str) -> bool:
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.hosts)

    def _connected(self, parts: SplitResult, deadline: float) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(map(self.public, addresses)):
            raise _failed(parts, "it does not lead to the open Internet")
        plain = socket.create_connection((addresses[0], port), timeout=_left(deadline))
        connection = http.client.HTTPConnection(host, port)
        connection.sock = plain
        if parts.scheme == "https":
            try:
                connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise
        return connection

    def _answer(self, connection: http.client.HTTPConnection, parts: SplitResult, deadline: float) -> bytes:
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise _failed(parts, f"it answered with status {answer.status}")
        read = bytearray()
        while chunk := answer.read1(_CHUNK):
            read += chunk
            if len(read) > self.most_bytes:
                raise _failed(parts, "its answer is too long")
            if connection.sock is not None:  # None once the server has said that it will close
                connection.sock.settimeout(_left(deadline))
            _left(deadline)
        return bytes(read)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _failed(parts: SplitResult, why: str) -> CredentialError:
    return CredentialError(f"{parts.hostname} could not be asked: {why}.", "Try again later.")
