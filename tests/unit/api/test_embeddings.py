"""`/v1/embeddings`: passed on."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.unit.api.parts import BANNED, Script, as_json

EMBEDDINGS = "/v1/embeddings"


@pytest.mark.parametrize("vector", [[0.1, -1e-05, 3], "AACAPwAAAEA="])
def test_vectors_come_as_the_upstream_gives_them(
    client: TestClient, script: Script, vector: list[float] | str
) -> None:
    told = {"object": "list", "data": [{"embedding": vector, "index": 0, "odd": 1}], "usage": {"x": 2}}
    script.will(as_json(told, headers={"x-ratelimit-remaining-tokens": "5"}))
    body = {"model": "e", "input": ["a", BANNED, [1, 2]], "encoding_format": "base64", "odd": {"a": 1}}
    answer = client.post(EMBEDDINGS, json=body)
    assert answer.json() == told
    assert answer.headers["x-ratelimit-remaining-tokens"] == "5"
    assert script.bodies == [body]


def test_an_error_inside_a_200_is_one(client: TestClient, script: Script) -> None:
    script.will(as_json({"error": {"message": "too long", "code": 400}}))
    assert client.post(EMBEDDINGS, json={"input": "a"}).status_code == 400


def test_without_an_upstream_there_are_none(alone: TestClient) -> None:
    assert alone.post(EMBEDDINGS, json={"input": "a"}).status_code == 404
