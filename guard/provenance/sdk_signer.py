"""A signer as the C2PA library takes it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import c2pa

from guard.errors import CredentialError, GuardError
from guard.provenance.signer import Signer
from guard.provenance.signers.pem import PemKey
from guard.provenance.timestamp import TimestampAuthority, ask_in_turn

__all__ = ["sdk_signer"]

_MOST_BYTES = 64 << 10


@contextmanager
def sdk_signer(signer: Signer) -> Iterator[c2pa.Signer]:
    """`signer` for one call of `c2pa.Builder.sign`.

    The library swallows what goes wrong in a key or with a time stamp, and reports a wrong signature or an
    address it could not reach. What really happened is raised instead, in place of any error of the library
    that leaves the block: `SigningOutageError`, `TimestampError`, `CredentialError`.
    """
    causes: list[GuardError] = []
    relay = _relay(signer.timestamps, causes) if signer.timestamps else nullcontext()
    try:
        with relay as address, _native(signer, address, causes) as native:
            yield native
    except c2pa.C2paError as error:
        if causes:
            raise causes[-1] from causes[-1].__cause__ or error
        raise


def _native(signer: Signer, address: str | None, causes: list[GuardError]) -> c2pa.Signer:
    algorithm = c2pa.C2paSigningAlg[signer.alg.upper()]
    if isinstance(signer.key, PemKey):  # In the library's hands a key makes files 9 KB smaller.
        key = signer.key.private_key.encode()
        url = address.encode() if address else None
        info = c2pa.C2paSignerInfo(algorithm, signer.certificates.encode(), key, url)
        return c2pa.Signer.from_info(info)

    def sign(data: bytes) -> bytes:
        try:
            return signer.sign(data)
        except GuardError as error:
            causes.append(error)
            return b""  # which the library takes for a failure, without an entry in its log
        except Exception as error:
            causes.append(CredentialError(f"The key failed to sign: {type(error).__name__}."))
            causes[-1].__cause__ = error
            return b""

    return c2pa.Signer.from_callback(sign, algorithm, signer.certificates, address)


@contextmanager
def _relay(authorities: tuple[TimestampAuthority, ...], causes: list[GuardError]) -> Iterator[str]:
    """An address on this machine that answers time-stamp requests in the authorities' name.

    The library fetches time stamps by itself, from one address, without a limit of time or size. So it is
    sent here, to a server that lives as long as one signature and whose path nobody else knows, and the
    authorities are asked as `ask_in_turn` does it.
    """
    path = "/" + secrets.token_urlsafe(16)

    class Relay(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if self.path != path or not 0 < size <= _MOST_BYTES:
                self.send_error(404)
                return
            try:
                response = ask_in_turn(authorities, self.rfile.read(size))
            except GuardError as error:
                causes.append(error)
                self.send_error(502)
                return
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

        def log_message(self, *_: object) -> None:
            pass

    _keep_loopback_direct()
    with HTTPServer(("127.0.0.1", 0), Relay) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            thread.join()


def _keep_loopback_direct() -> None:
    """The library would ask a proxy, where one is set, for an address on this very machine."""
    direct = os.environ.get("NO_PROXY", os.environ.get("no_proxy", ""))
    if "127.0.0.1" not in direct.split(","):
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{direct},127.0.0.1".lstrip(",")
