"""A running Guard in front of a scripted upstream, and what the tests around it share."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
import uvicorn

from guard.api import create_app
from guard.app import App
from guard.ledger.api_keys import ApiKeys, Scope
from guard.ledger.tables import releases
from guard.media import Artifact
from models.registry import load
from models.upstream import Upstream
from tests.pictures import png

__all__ = ["BANNED", "PATIENCE", "Site", "decoded", "guarding", "picture", "wait_until"]

BANNED = "forbidden-demo-term"
PATIENCE = 10.0
"""Seconds after which something that should have happened has not."""


@dataclass
class Site:
    """A running Guard, and a key for it."""

    url: str
    key: str
    app: App
    clients: ExitStack = field(default_factory=ExitStack)
    earlier: int = 0

    def client(self, **options: Any) -> openai.OpenAI:
        client = openai.OpenAI(**{"base_url": f"{self.url}/v1", "api_key": self.key} | options)
        return self.clients.enter_context(client)

    def records(self) -> list[str]:
        """What became of everything since the test began."""
        with self.app.ledger.engine.connect() as connection:
            rows = connection.execute(releases.select()).mappings().all()
        return [row["status"] for row in rows][self.earlier :]


@contextmanager
def guarding(app: App, upstream: str, timeout: float = PATIENCE) -> Iterator[Site]:
    """Guard in front of the API at `upstream`, on a free port of loopback."""
    client = Upstream(upstream, timeout=httpx2.Timeout(timeout))
    api = create_app(app, upstream=client, generators=[load("scene")])
    _, secret = ApiKeys(app.ledger.engine).create("tests", frozenset(Scope))
    # With its protocol named: only then does asyncio send small answers at once.
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # from now on callers wait for the server to start instead of being refused
        server = uvicorn.Server(uvicorn.Config(api, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            site = Site(f"http://127.0.0.1:{listening.getsockname()[1]}", secret, app)
            with site.clients:
                yield site
        finally:
            server.should_exit = True
            thread.join()


def picture(seed: int = 0) -> dict[str, str]:
    return {"b64_json": base64.b64encode(png(seed, 256, 256).data).decode()}


def decoded(item: Any) -> Artifact:
    return Artifact.from_bytes(base64.b64decode(item.b64_json))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
