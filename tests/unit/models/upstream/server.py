"""A real HTTP server on a free port that answers what a test tells it and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One answer. `cut` closes the connection before the chunks are declared finished."""

    body: bytes | Sequence[bytes] = b"{}"
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, headers=headers)


def as_stream(*chunks: bytes, cut: bool = False) -> Answer:
    return Answer(chunks, kind="text/event-stream; charset=utf-8", cut=cut)


@dataclass
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    port: int
    answers: list[Answer]
    seen: list[Seen]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def serving(*answers: Answer, port: int = 0) -> Iterator[Server]:
    """Answer requests with `answers` in turn; the last one goes on for ever."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.seen.append(Seen(self.command, self.path, headers, self.rfile.read(length)))
            answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            self._send(answer)

        do_POST = do_GET

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            if answer.kind:
                self.send_header("content-type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            whole = isinstance(answer.body, bytes)
            chunks = [answer.body] if isinstance(answer.body, bytes) else answer.body
            self.send_header(
                *(("content-length", str(len(answer.body))) if whole else ("transfer-encoding", "chunked"))
            )
            self.end_headers()
            for chunk in chunks:
                self.wfile.write(chunk if whole else b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            if not whole and not answer.cut:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = answer.cut

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client hangs up, as some tests want it to
                super().handle()

    httpd = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    httpd.daemon_threads = True
    server = Server(httpd.server_address[1], list(answers), [])
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
