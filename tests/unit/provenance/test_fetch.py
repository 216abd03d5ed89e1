"""Only allowed hosts are asked, only where the open Internet is, and only for so long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from guard.errors import CredentialError
from guard.provenance.fetch import Fetcher, is_public


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/secret")
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b"x")
                time.sleep(0.1)
        elif self.path == "/long":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(100_000))
        else:
            self.send_response(200 if self.path.startswith("/good") else 404)
            self.end_headers()
            self.wfile.write(b"content")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Content-Type"].encode() + b":" + body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A site on this machine that answers for allowed.example; what it was asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here])

        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            made = socket.socket()
            made.settimeout(timeout)
            made.connect((address[0], server.server_port))
            return made

        monkeypatch.setattr(socket, "create_connection", connect)
        yield server.asked  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def fetcher(**changes: object) -> Fetcher:
    defaults: dict[str, object] = {"schemes": ("http",), "public": lambda _: True, "seconds": 1.0}
    return Fetcher(("allowed.example",), **(defaults | changes))  # type: ignore[arg-type]


class TestAllowed:
    def test_what_an_allowed_host_holds(self, site: list[str]) -> None:
        assert fetcher().get("http://allowed.example/good?a=b") == b"content"
        assert site == ["/good?a=b"]

    def test_what_it_answers(self, site: list[str]) -> None:
        assert fetcher().get("http://ALLOWED.example/", body=b"?", kind="a/b") == b"a/b:?"

    @pytest.mark.parametrize(
        ("path", "why"),
        [("bad", "status 404"), ("moved", "status 302"), ("long", "too long"), ("slow", "TimeoutError")],
    )
    def test_no_good_answer(self, site: list[str], path: str, why: str) -> None:
        with pytest.raises(CredentialError, match=why):
            fetcher(most_bytes=1000).get(f"http://allowed.example/{path}")
        assert site == [f"/{path}"]

    def test_a_host_on_the_list_that_leads_inside_is_not_asked(self, site: list[str]) -> None:
        with pytest.raises(CredentialError, match="open Internet"):
            fetcher(public=is_public).get("http://allowed.example/good")
        assert site == []

    def test_one_inner_address_among_outer_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = [(2, 1, 6, "", (each, 80)) for each in ("93.184.216.34", "10.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        with pytest.raises(CredentialError, match="open Internet"):
            fetcher(public=is_public).get("http://allowed.example/")

    def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[str] = []
        asked: list[object] = []

        def look(host: str, *_: object, **__: object) -> list[object]:
            looked.append(host)
            return [(2, 1, 6, "", ("93.184.216.34", 80))]

        def connect(address: object, timeout: float) -> None:
            asked.append(address)
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", look)
        monkeypatch.setattr(socket, "create_connection", connect)
        with pytest.raises(CredentialError):
            fetcher(public=is_public).get("http://allowed.example/")
        assert (looked, asked) == (["allowed.example"], [("93.184.216.34", 80)])

    def test_encrypted_ones_are_checked(self, site: list[str]) -> None:
        with pytest.raises(CredentialError, match=r"SSL|Error"):
            fetcher(schemes=("https",)).get("https://allowed.example/good")
        assert site == []


REFUSED = [
    "http://other.example/",
    "https://allowed.example/",
    "http://allowed.example:8080/",
    "http://user@allowed.example/",
    "http://allowed.example.evil.example/",
    "http://evilallowed.example/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[bad/",
    "http://allowed.example:99999/",
    "file:///etc/passwd",
    "ftp://allowed.example/",
    "http:///",
    "",
    "no address",
]


@pytest.mark.parametrize("url", REFUSED)
def test_other_addresses_are_refused_before_anything_is_looked_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert not fetcher().allows(url)
    with pytest.raises(CredentialError):
        fetcher().get(url)


def test_a_star_stands_for_all_below() -> None:
    allowed = Fetcher(("*.example.org",))
    assert allowed.allows("https://a.example.org/x")
    assert allowed.allows("https://a.b.example.org/x")
    assert not allowed.allows("https://example.org/x")
    assert not allowed.allows("https://anexample.org/x")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
    ],
)
def test_what_the_open_internet_is(address: str, public: bool) -> None:
    assert is_public(address) is public
