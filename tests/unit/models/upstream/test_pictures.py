"""Pictures in the upstream's answers: kept where they are bytes, fetched only from where that is safe."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest

from guard.errors import UpstreamError
from models.upstream import Upstream
from tests.unit.models.upstream.asking import KEY, ask
from tests.upstream import Answer, as_json, serving

PNG = b"\x89PNG\r\n\x1a\n not quite"
ENCODED = base64.b64encode(PNG).decode()


async def images(upstream: Upstream) -> dict[str, Any]:
    answer = await upstream.post("images/generations", {"model": "m", "prompt": "p"})
    return await upstream.filled(answer.body)


def test_pictures_in_the_answer_stay_and_their_urls_go() -> None:
    told = {
        "created": 1,
        "data": [{"b64_json": ENCODED, "url": "https://x/y", "revised_prompt": "r"}],
        "usage": {"t": 2},
    }
    with serving(as_json(told)) as server:
        answer = ask(server.url, images)
    assert answer == {**told, "data": [{"b64_json": ENCODED, "revised_prompt": "r"}]}
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_a_picture_at_the_apis_own_origin_is_fetched_with_the_key(kind: str) -> None:
    told = as_json({"data": [{"url": "/files/1.png?sig=x", "n": 1}]})
    with serving(told, Answer(PNG, kind=kind)) as server:
        assert ask(server.url, images) == {"data": [{"b64_json": ENCODED, "n": 1}]}
    assert server.seen[1].path == "/files/1.png?sig=x"
    assert server.seen[1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/x.png",
        "//evil.example/x.png",
        "http://cdn.example/x.png",
        "https://cdn.example:8443/x.png",
        "https://user:pw@cdn.example/x.png",
        "https://cdn.example.evil.example/x.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://evil.example/?secret=hunter2",
    ],
)
def test_a_picture_anywhere_else_is_not_fetched(url: str) -> None:
    with serving(as_json({"data": [{"url": url}]})) as server, pytest.raises(UpstreamError) as caught:
        ask(server.url, images, image_hosts={"cdn.example"})
    assert "may not fetch" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(server.seen) == 1


def test_credentials_in_a_url_of_the_own_origin_are_refused() -> None:
    with serving(as_json({})) as server:
        server.answers[0] = as_json({"data": [{"url": f"http://u:p@127.0.0.1:{server.port}/x.png"}]})
        with pytest.raises(UpstreamError, match="may not fetch"):
            ask(server.url, images)


class Hosts(httpx2.AsyncBaseTransport):
    """A network of one API and one picture store, which the test cannot have under their real names."""

    def __init__(self, picture: httpx2.Response) -> None:
        self.picture = picture
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if request.url.host == "api.example":
            return httpx2.Response(200, json={"data": [{"url": "https://CDN.example/x.png?sig=s"}]})
        return self.picture


def test_a_picture_on_an_allowed_host_is_fetched_without_the_key() -> None:
    network = Hosts(httpx2.Response(200, content=PNG, headers={"content-type": "image/png"}))
    answer = ask("https://api.example/v1", images, transport=network, image_hosts={"Cdn.Example"})
    assert answer == {"data": [{"b64_json": ENCODED}]}
    assert "authorization" in network.asked[0].headers
    assert "authorization" not in network.asked[1].headers


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (httpx2.Response(302, headers={"location": "http://169.254.169.254/"}), "answered 302"),
        (httpx2.Response(200, content=b"<html>", headers={"content-type": "text/html"}), "instead of image/"),
        (httpx2.Response(200, content=b"x" * 2000, headers={"content-type": "image/png"}), "larger than"),
        (httpx2.Response(404), "answered 404"),
    ],
)
def test_what_an_allowed_host_may_not_do(picture: httpx2.Response, message: str) -> None:
    network = Hosts(picture)
    with pytest.raises(UpstreamError, match=message):
        ask("https://api.example/v1", images, transport=network, image_hosts={"cdn.example"}, max_bytes=1000)
    assert len(network.asked) == 2


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"data": None},
        {"data": ["x"]},
        {"data": [{}]},
        {"data": [{"url": 7}]},
        {"data": [{"url": "http://x:port/"}]},
    ],
)
def test_an_answer_without_pictures(told: dict[str, Any]) -> None:
    with serving(as_json(told)) as server, pytest.raises(UpstreamError, match="picture"):
        ask(server.url, images)
