"""A time-stamping authority (RFC 3161) on this machine, which can go wrong in the ways that real ones do."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ExtendedKeyUsage
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.unit.provenance.certifying import Authority, key_of, usage

cms = pytest.importorskip("asn1crypto.cms", reason="asn1crypto, which comes with the extra [hsm], is missing")
from asn1crypto import core, tsp  # noqa: E402
from asn1crypto import x509 as asn1_x509  # noqa: E402

__all__ = ["Responder", "serving"]


class Responder:
    """The authority: its `root` (PEM) is what readers trust. `behave` turns requests into (status, body)."""

    def __init__(self) -> None:
        self.authority = Authority(name="time authority")
        self.key = key_of("p256")
        self.certificate = self.authority.issue(
            self.key,
            usage=usage("digital_signature", "content_commitment"),
            purposes=None,
            more=((ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),),  # critical: RFC 3161 §2.3
        )
        self.root = self.authority.pem
        self.asked = 0
        self.behave: Callable[[bytes], tuple[int, bytes]] = self.grant
        self.url = ""

    def grant(self, request: bytes, **changes: Any) -> tuple[int, bytes]:
        """A time stamp for the request, with fields of it changed."""
        asked = tsp.TimeStampReq.load(request)
        fields = {
            "version": "v1",
            "policy": "1.2.3.4",
            "message_imprint": asked["message_imprint"],
            "serial_number": int.from_bytes(os.urandom(8)),
            "gen_time": datetime.now(UTC).replace(microsecond=0),
        }
        if asked["nonce"].native is not None:
            fields["nonce"] = asked["nonce"].native
        token = self._signed(tsp.TSTInfo(fields | changes).dump())
        return 200, tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()

    def reject(self, _: bytes) -> tuple[int, bytes]:
        words = b"not today"
        status = b"\x02\x01\x02\x30" + bytes([len(words) + 2]) + b"\x0c" + bytes([len(words)]) + words
        return 200, b"\x30" + bytes([len(status) + 2]) + b"\x30" + bytes([len(status)]) + status

    def stale(self, request: bytes) -> tuple[int, bytes]:
        """A time stamp of something else, as a replayed answer would be."""
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(b"").digest()}
        return self.grant(request, message_imprint=imprint)

    def slow(self, request: bytes) -> tuple[int, bytes]:
        time.sleep(0.6)
        return self.grant(request)

    def _signed(self, content: bytes) -> Any:
        own = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        root = asn1_x509.Certificate.load(self.authority.certificate.public_bytes(Encoding.DER))
        which = tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(own.dump()).digest()}]})
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
                {"type": "signing_certificate_v2", "values": [which]},
            ]
        )
        serial = {"issuer": own.issuer, "serial_number": own.serial_number}
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": serial}),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        data = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
            "certificates": [own, root],
            "signer_infos": [signer],
        }
        return cms.ContentInfo({"content_type": "signed_data", "content": data})


@contextmanager
def serving() -> Iterator[Responder]:
    """A responder at its `url` for as long as the block runs."""
    responder = Responder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            responder.asked += 1
            request = self.rfile.read(int(self.headers["content-length"]))
            status, body = responder.behave(request)
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", body.decode())
                self.send_header("content-type", "application/timestamp-reply")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except BrokenPipeError:  # whoever asked has had enough
                pass

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        responder.url = f"http://127.0.0.1:{server.server_port}/tsa"
        yield responder
        server.shutdown()
