"""An upstream that leads back to this very Guard."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from guard.api import create_app
from guard.app import App
from models.upstream import Upstream
from tests.unit.api.parts import Script, as_json, completion, say, serving


class Mirror(httpx2.AsyncBaseTransport):
    """Leads every request to an API of this process, and counts them."""

    def __init__(self) -> None:
        self.api: FastAPI | None = None
        self.count = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self.api is not None
        self.count += 1
        assert self.count < 50, "round and round"
        return await httpx2.ASGITransport(app=self.api).handle_async_request(request)


def ring(app: App, size: int) -> tuple[FastAPI, list[Mirror]]:
    """As many Guards as that, each the upstream of the one before it, and the first that of the last."""
    mirrors = [Mirror() for _ in range(size)]
    apis = [
        create_app(app, upstream=Upstream(f"http://g{n}.test/v1", transport=mirror), require_keys=False)
        for n, mirror in enumerate(mirrors)
    ]
    for mirror, api in zip(mirrors, apis[1:] + apis[:1], strict=True):
        mirror.api = api
    return apis[0], mirrors


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/chat/completions", {"json": say("Hello")}),
    ("POST", "/v1/images/edits", {"files": {"prompt": (None, "a boat")}}),
    ("POST", "/v1/embeddings", {"json": {"input": "a"}}),
    ("GET", "/v1/models", {}),
    ("GET", "/v1/videos/video_1", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("size", [1, 2])
def test_a_request_goes_round_once_and_is_told_why(
    app: App, size: int, method: str, path: str, body: dict[str, Any]
) -> None:
    api, mirrors = ring(app, size)
    with TestClient(api) as client:
        answer = client.request(method, path, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_circle")
    assert "leads back" in answer.json()["error"]["message"]
    assert sum(mirror.count for mirror in mirrors) == size


def test_a_long_way_round_ends_too(app: App) -> None:
    api, mirrors = ring(app, 12)
    with TestClient(api) as client:
        assert client.get("/v1/models").json()["error"]["code"] == "upstream_circle"
    assert sum(mirror.count for mirror in mirrors) < 12


def test_it_is_told_before_keys_are_asked_for(app: App, script: Script) -> None:
    with serving(app, script, require_keys=True) as client:
        door = client.app.state.door  # type: ignore[attr-defined]
        headers = {"via": f"1.0 fred, 1.1 {door.upstream.name}"}
        answer = client.get("/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (508, "upstream_circle")
    assert script.seen == []


def test_a_guard_behind_a_guard_is_fine(app: App, client: TestClient, script: Script) -> None:
    mirror = Mirror()
    mirror.api = client.app  # type: ignore[assignment]
    front = create_app(app, upstream=Upstream("http://g.test/v1", transport=mirror), require_keys=False)
    script.will(as_json(completion("Good.")))
    with TestClient(front) as outer:
        answer = outer.post("/v1/chat/completions", json=say("Hello"))
    assert answer.json()["choices"][0]["message"]["content"] == "Good."
    assert script.seen[0].headers["via"].count("guard-") == 2


def test_other_proxies_on_the_way_stay_between_caller_and_guard(client: TestClient, script: Script) -> None:
    script.will(as_json({"data": []}))
    assert client.get("/v1/models", headers={"via": "1.1 corp-proxy (secret)"}).status_code == 200
    assert "corp-proxy" not in script.seen[0].headers["via"]
