"""`/log/…`: what anybody with a key to verify may ask of the transparency log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from guard.api.answers import receipt_header
from guard.app import App
from guard.ledger.api_keys import ApiKeys, Scope
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.merkle import check_consistency, leaf_hash
from guard.ledger.log.note import VerifierKey
from tests.unit.api.parts import serving
from tests.unit.ledger.test_store import entry

COUNT = 300


@pytest.fixture
def logged(app: App) -> Iterator[TestClient]:
    app.ledger.record([entry(n) for n in range(1, COUNT + 1)])
    with serving(app, None) as client:
        yield client


def keys_of(client: TestClient) -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in client.get("/log/key").text.splitlines()]


def test_the_checkpoint_is_signed_by_the_key(logged: TestClient) -> None:
    answer = logged.get("/log/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    assert Checkpoint.opened(answer.text, keys_of(logged)).size == COUNT


def test_a_release_is_proved(logged: TestClient, app: App) -> None:
    receipt = logged.get(f"/log/proof/{entry(7).id}").json()
    assert Inclusion.from_json(receipt).check(keys_of(logged)).size == COUNT
    assert json.loads(receipt["leaf"])["sha256"] == entry(7).sha256
    kept = app.ledger.receipt(entry(7).id)
    assert kept is not None
    (header,) = receipt_header(kept).values()
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == receipt
    assert len(header) < 4096


@pytest.mark.parametrize("known", ["f" * 16, "F" * 16, "7"])
def test_what_is_not_on_record_is_not_proved(logged: TestClient, known: str) -> None:
    assert logged.get(f"/log/proof/{known}").status_code == 404


def test_the_log_continues_what_it_was(logged: TestClient, app: App) -> None:
    old = Checkpoint.opened(logged.get("/log/checkpoint").text, keys_of(logged))
    app.ledger.record([entry(1000)])
    proof = logged.get("/log/consistency", params={"from": old.size}).json()
    new = Checkpoint.opened(proof["checkpoint"], keys_of(logged))
    hashes = [bytes.fromhex(each) for each in proof["consistency_proof"]]
    check_consistency(old.size, new.size, hashes, old.root, new.root)
    between = logged.get("/log/consistency", params={"from": 5, "to": old.size}).json()
    assert (between["from"], between["to"], between["checkpoint"]) == (5, old.size, None)


@pytest.mark.parametrize("query", ["", "from=x", "from=-1", "from=1&to=x", "from=9&to=8", "from=1&to=9999"])
def test_sizes_have_to_be_sizes(logged: TestClient, query: str) -> None:
    answer = logged.get(f"/log/consistency?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"


def test_tiles_are_where_the_specification_says(logged: TestClient) -> None:
    whole = logged.get("/log/tile/0/000")
    part = logged.get(f"/log/tile/0/001.p/{COUNT - 256}")
    assert (len(whole.content), len(part.content)) == (256 * 32, (COUNT - 256) * 32)
    assert len(logged.get("/log/tile/1/000.p/1").content) == 32
    assert "immutable" in whole.headers["cache-control"]
    bundle = logged.get("/log/tile/entries/000").content
    hashes = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        hashes.append(leaf_hash(bundle[2 : 2 + length]))
        bundle = bundle[2 + length :]
    assert b"".join(hashes) == whole.content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("0/002", 400),
        ("0/001", 400),
        ("1/000", 400),
        ("entries/001", 400),
        ("0/x001/000", 400),
        ("9/000", 404),
        ("0/000.p/0", 404),
        ("0/000.p/256", 404),
        ("0/1", 404),
        ("x/000", 404),
        ("0/000/../../key", 404),
    ],
)
def test_other_tiles_are_not_there(logged: TestClient, path: str, status: int) -> None:
    assert logged.get(f"/log/tile/{path}").status_code == status


class TestForgetting:
    @pytest.fixture
    def client(self, app: App) -> Iterator[TestClient]:
        app.ledger.record([entry(n, caller="alice") for n in (1, 2)] + [entry(3, caller="bob")])
        with serving(app, None, require_keys=True) as client:
            yield client

    @pytest.fixture
    def eraser(self, app: App) -> dict[str, str]:
        _, secret = ApiKeys(app.ledger.engine).create("privacy desk", frozenset({Scope.ERASE}))
        return {"authorization": f"Bearer {secret}"}

    def test_a_release_and_a_caller_are_forgotten(
        self, client: TestClient, app: App, eraser: dict[str, str]
    ) -> None:
        assert client.delete(f"/v1/releases/{entry(1).id}", headers=eraser).json() == {"forgotten": 1}
        assert client.delete("/v1/releases?caller=alice&content=true", headers=eraser).json() == {
            "forgotten": 1
        }
        left = [app.ledger.by_id(entry(n).id) for n in (1, 2, 3)]
        assert [(each.caller, each.manifest) for each in left if each] == [
            (None, b"manifest"),
            (None, None),
            ("bob", b"manifest"),
        ]

    @pytest.mark.parametrize("path", ["", "?caller=", "?caller=alice&content=perhaps", f"/{'f' * 16}"])
    def test_whom_has_to_be_said(self, client: TestClient, eraser: dict[str, str], path: str) -> None:
        assert client.delete(f"/v1/releases{path}", headers=eraser).status_code == 400

    def test_other_keys_may_not(self, client: TestClient, app: App) -> None:
        _, secret = ApiKeys(app.ledger.engine).create("reader", frozenset({Scope.GENERATE, Scope.VERIFY}))
        headers = {"authorization": f"Bearer {secret}"}
        assert client.delete("/v1/releases?caller=alice", headers=headers).status_code == 403
        assert client.delete("/v1/releases?caller=alice").status_code == 401
        assert client.get("/log/checkpoint", headers=headers).status_code == 200
        assert client.get("/log/checkpoint").status_code == 401
        found = app.ledger.by_id(entry(1).id)
        assert found is not None
        assert found.caller == "alice"
