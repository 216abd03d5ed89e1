"""A real HTTP server on a free port that answers what a test tells it and remembers what it was asked.

The scripted upstream of all tests that want a network between: errors, slow and broken streams, malformed
JSON, disconnects, huge bodies, redirects, wrong content types.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

__all__ = ["Answer", "Part", "Seen", "Server", "as_events", "as_json", "as_stream", "serving"]


@dataclass
class Answer:
    """One answer. `cut` closes the connection before the chunks are declared finished, or before a body has
    reached the `missing` bytes more that were announced; `pause` seconds pass before each chunk; `raw` goes
    out in place of any HTTP at all."""

    body: bytes | Iterable[bytes] = b"{}"
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    missing: int = 0
    pause: float = 0.0
    raw: bytes = b""


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, headers=headers)


def as_stream(*chunks: bytes, cut: bool = False, pause: float = 0.0) -> Answer:
    return Answer(chunks, kind="text/event-stream; charset=utf-8", cut=cut, pause=pause)


def as_events(*events: Mapping[str, Any], cut: bool = False) -> Answer:
    """A stream of events that each name their type, as OpenAI's other streams than the chat's do."""
    return as_stream(
        *(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events), cut=cut
    )


class Part(NamedTuple):
    """A part of a form."""

    name: str
    filename: str | None
    media_type: str
    data: bytes


@dataclass
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> list[Part]:
        """The parts of a `multipart/form-data` body, in order."""
        kind = self.headers["content-type"]
        whole: Any = BytesParser(policy=HTTP).parsebytes(f"content-type: {kind}\r\n\r\n".encode() + self.body)
        assert whole.get_content_type() == "multipart/form-data"
        return [
            Part(
                str(part.get_param("name", header="content-disposition")),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in whole.iter_parts()
        ]


@dataclass
class Server:
    port: int
    answers: list[Answer]
    seen: list[Seen]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.script.seen.append(Seen(self.command, self.path, headers, self.rfile.read(length)))
        answers = self.script.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.raw:
            self.wfile.write(answer.raw)
            self.close_connection = True
        else:
            self._send(answer)

    do_POST = do_DELETE = do_GET

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.kind:
            self.send_header("content-type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        if isinstance(answer.body, bytes):
            self._send_whole(answer, answer.body)
        else:
            self._send_chunks(answer, answer.body)
        self.close_connection = answer.cut or answer.missing > 0

    def _send_whole(self, answer: Answer, body: bytes) -> None:
        self.send_header("content-length", str(len(body) + answer.missing))
        self.end_headers()
        time.sleep(answer.pause)
        self.wfile.write(body)

    def _send_chunks(self, answer: Answer, chunks: Iterable[bytes]) -> None:
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            time.sleep(answer.pause)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        if not answer.cut:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client hangs up, as some tests want it to
            super().handle()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 breaks connections that come in a crowd


@contextmanager
def serving(*answers: Answer, port: int = 0) -> Iterator[Server]:
    """Answer requests with `answers` in turn; the last one goes on for ever."""
    script = Server(port, list(answers), [])
    httpd = _Listener(("127.0.0.1", port), type("Handler", (_Handler,), {"script": script}))
    script.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
