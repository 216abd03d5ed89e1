"""Who may do what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.api_keys import ApiKeys, Scope
from tests.unit.api.parts import Script, as_json, completion, say, serving

ROUTES = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/images/generations"),
    ("POST", "/v1/verify"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/tiny"),
]


@pytest.fixture
def keys(app: App) -> ApiKeys:
    return ApiKeys(app.ledger.engine)


@pytest.fixture
def closed(app: App, script: Script) -> Iterator[TestClient]:
    with serving(app, script, require_keys=True) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic Z2s6Z2s="},
        {"authorization": "Bearer"},
        {"authorization": "Bearer gk_0000000000000000_wrong"},
        {"authorization": "Bearer sk-of-someone-else"},
        {"authorization": b"Bearer gk_\xff\xfe_\xfd".decode("latin-1").encode("latin-1")},
        {"api-key": "gk_0000000000000000_wrong"},
    ],
)
def test_no_valid_key_no_answer(
    closed: TestClient, script: Script, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = closed.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert script.seen == []


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if "models" not in r[1]])
def test_a_key_does_only_what_it_is_for(
    closed: TestClient, keys: ApiKeys, script: Script, method: str, path: str
) -> None:
    wrong = Scope.GENERATE if path == "/v1/verify" else Scope.VERIFY
    _, secret = keys.create("narrow", frozenset({wrong}))
    answer = closed.request(method, path, headers=bearer(secret))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "insufficient_scope"
    assert script.seen == []


def test_a_revoked_key_opens_nothing(closed: TestClient, keys: ApiKeys) -> None:
    key, secret = keys.create("old", frozenset(Scope))
    keys.revoke(key.id)
    assert closed.get("/v1/models", headers=bearer(secret)).status_code == 401


def test_a_key_answers_for_its_releases(app: App, closed: TestClient, keys: ApiKeys, script: Script) -> None:
    key, secret = keys.create("platform", frozenset({Scope.GENERATE}))
    script.will(as_json(completion("Good morning.")))
    answer = closed.post(
        "/v1/chat/completions", json=say("Hello"), headers={"authorization": f"bearer  {secret} "}
    )
    assert answer.status_code == 200
    entry = app.ledger.by_id(answer.json()["guard"]["releases"][0]["release_id"])
    assert entry is not None
    assert entry.caller == key.id


def test_a_key_of_ours_never_travels_upstream(closed: TestClient, keys: ApiKeys, script: Script) -> None:
    _, secret = keys.create("platform", frozenset({Scope.GENERATE}))
    script.will(as_json(completion("Good morning.")))
    closed.post("/v1/chat/completions", json=say("Hello"), headers=bearer(secret))
    (request,) = script.seen
    assert secret not in str(request.headers) + request.content.decode()


def test_any_key_may_list_models(closed: TestClient, keys: ApiKeys, script: Script) -> None:
    _, secret = keys.create("reader", frozenset({Scope.VERIFY}))
    script.will(as_json({"object": "list", "data": []}))
    assert closed.get("/v1/models", headers=bearer(secret)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_nobodys_secret(closed: TestClient, path: str) -> None:
    assert closed.get(path).status_code == 200


def test_a_wrong_key_is_told_before_the_body_is_read(closed: TestClient) -> None:
    answer = closed.post("/v1/verify", content=b"", headers={"content-length": str(10**12)})
    assert answer.status_code == 401
