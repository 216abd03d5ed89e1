"""The API as a whole."""

from __future__ import annotations

import asyncio
import inspect

import httpx2
import pytest
from starlette.testclient import TestClient

from guard.api import create_app
from guard.app import App
from models.upstream import Upstream


def test_keys_are_asked_for_unless_said_otherwise() -> None:
    assert inspect.signature(create_app).parameters["require_keys"].default is True


def test_the_upstream_is_closed_at_the_end(app: App) -> None:
    upstream = Upstream(
        "http://upstream.test/v1", transport=httpx2.MockTransport(lambda _: httpx2.Response(200))
    )
    with TestClient(create_app(app, upstream=upstream)) as client:
        assert client.get("/healthz").status_code == 200
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(upstream.get("models"))


def test_it_starts_and_stops_without_an_upstream(app: App) -> None:
    with TestClient(create_app(app)) as client:
        assert client.get("/healthz").status_code == 200
