"""Whether a certificate was revoked is asked of allowed hosts alone, and the answer counts."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from guard.media import Artifact
from guard.provenance.certificates import to_pem
from guard.provenance.read import read
from guard.provenance.trust import Trust
from tests.unit.provenance.test_judging import MAIL, Key, certificate, signed
from tests.unit.provenance.test_read import Maker

GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


@dataclass
class Authority:
    """An authority that answers about the one certificate it issued, at an address of this machine."""

    status: ocsp.OCSPCertStatus = GOOD
    asked: list[str] = field(default_factory=list)
    keys: list[Key] = field(
        default_factory=lambda: [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    )
    port: int = 0

    def __post_init__(self) -> None:
        self.root = certificate("root", self.keys[0], "root", self.keys[0])
        purpose = ExtendedKeyUsageOID.OCSP_SIGNING
        self.responder = certificate("responder", self.keys[2], "root", self.keys[0], purpose)
        self.leaf: x509.Certificate | None = None

    def issue(self) -> x509.Certificate:
        where = x509.UniformResourceIdentifier(f"http://127.0.0.1:{self.port}/")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        extra = x509.AuthorityInformationAccess([access])
        self.leaf = certificate("leaf", self.keys[1], "root", self.keys[0], MAIL, extra=extra)
        return self.leaf

    def answer(self) -> bytes:
        assert self.leaf is not None
        now, revoked = datetime.now(UTC), self.status is REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.leaf,
            issuer=self.root,
            algorithm=hashes.SHA1(),
            cert_status=self.status,
            this_update=now - timedelta(minutes=1),
            next_update=now + timedelta(days=1),
            revocation_time=now - timedelta(days=2) if revoked else None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.responder)
        response = builder.certificates([self.responder]).sign(self.keys[2], hashes.SHA256())
        return response.public_bytes(Encoding.DER)


@pytest.fixture
def authority() -> Iterator[Authority]:
    made = Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = base64.b64decode(urllib.parse.unquote(self.path.lstrip("/")) + "==")
            made.asked.append(hex(ocsp.load_der_ocsp_request(request).serial_number))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(made.answer())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def look(authority: Authority, claim: Maker) -> Callable[..., tuple[str, tuple[str, ...]]]:
    """Reads a picture that the authority's signer signed, with leave to ask these hosts."""
    artifact: Artifact = signed(claim(), authority.keys[1], authority.issue(), authority.root)

    def read_it(*hosts: str) -> tuple[str, tuple[str, ...]]:
        found = read(artifact, trust=replace(Trust.of(to_pem(authority.root)), hosts=hosts))
        return found.state.value, found.codes

    return read_it


Look = Callable[..., tuple[str, tuple[str, ...]]]


def test_nobody_is_asked_without_leave(authority: Authority, look: Look) -> None:
    authority.status = REVOKED
    assert look() == ("trusted", ("signingCredential.ocsp.skipped",))
    for other in ("other.example", "127.0.0.1", "*.0.0.1"):
        assert look(other) == ("trusted", ("signingCredential.ocsp.inaccessible",))
    assert authority.asked == []


def test_an_authority_that_may_be_asked_is(authority: Authority, look: Look) -> None:
    assert look(f"127.0.0.1:{authority.port}") == ("trusted", ())
    assert authority.leaf is not None
    assert authority.asked == [hex(authority.leaf.serial_number)]


def test_a_revoked_certificate_is_not_trusted(authority: Authority, look: Look) -> None:
    authority.status = REVOKED
    assert look(f"127.0.0.1:{authority.port}") == ("invalid", ("signingCredential.ocsp.revoked",))


def test_an_answer_by_a_stranger_counts_for_nothing(authority: Authority, look: Look) -> None:
    authority.status = REVOKED
    stranger = Authority()
    authority.responder, authority.keys[2] = stranger.responder, stranger.keys[2]
    state, codes = look(f"127.0.0.1:{authority.port}")
    assert (state, "signingCredential.ocsp.revoked" in codes) == ("trusted", False)


def stapled(artifact: Artifact, answer: bytes) -> Artifact:
    """The picture with an answer beside the signature, in place of so much padding (C2PA 2.4 §14.5.2); the
    header that holds it is not signed."""
    data = artifact.data
    pad = data.rindex(b"\x63pad\x59")  # a byte string whose length has two bytes
    size = int.from_bytes(data[pad + 5 : pad + 7], "big")
    held = b"\x65rVals\xa1\x68ocspVals\x81\x59" + len(answer).to_bytes(2, "big") + answer
    left = size - len(held)
    room = held + b"\x63pad\x59" + left.to_bytes(2, "big") + bytes(left)
    bent = bytearray(data[:pad] + room + data[pad + 7 + size :])
    assert len(bent) == len(data)
    assert bent[pad - 1] == 0xA1
    bent[pad - 1] += 1  # one more entry in the map
    return Artifact(artifact.modality, artifact.mime, bytes(bent))


def test_an_answer_that_came_with_the_signature_counts_without_asking(
    authority: Authority, claim: Maker
) -> None:
    artifact = signed(claim(), authority.keys[1], authority.issue(), authority.root)
    trust = Trust.of(to_pem(authority.root))
    for status, state in ((GOOD, "trusted"), (REVOKED, "invalid")):
        authority.status = status
        found = read(stapled(artifact, authority.answer()), trust=trust)
        assert found.state == state
        assert ("signingCredential.ocsp.revoked" in found.codes) is (status is REVOKED)
    assert authority.asked == []
