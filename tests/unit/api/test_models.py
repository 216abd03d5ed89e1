"""The list of models."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.media import Modality
from models.registry import load
from tests.unit.api.parts import Script, as_json, serving

PAINTER = {
    "id": "painter",
    "object": "model",
    "created": 0,
    "owned_by": "studio",
    "modalities": ["image"],
}
TINY = {"id": "org/tiny", "object": "model", "created": 5, "owned_by": "them", "max_model_len": 4096}


def test_built_in_models_stand_beside_the_upstreams(client: TestClient, script: Script) -> None:
    script.will(as_json({"object": "list", "data": [TINY, {**PAINTER, "owned_by": "them"}]}))
    assert client.get("/v1/models").json() == {"object": "list", "data": [PAINTER, TINY]}


def test_one_name_may_stand_for_two_models(app: App) -> None:
    both = {kind: load("scene", modality=kind) for kind in (Modality.IMAGE, Modality.AUDIO)}
    with serving(app, None, generators=both) as client:
        [scene] = client.get("/v1/models").json()["data"]
    assert (scene["id"], scene["modalities"]) == ("scene", ["image", "audio"])


def test_one_model_by_name_slashes_and_all(client: TestClient, script: Script) -> None:
    script.will(as_json({"object": "list", "data": [TINY]}))
    assert client.get("/v1/models/org/tiny").json() == TINY
    assert client.get("/v1/models/painter").json() == PAINTER


def test_an_unknown_model_is_not_found(alone: TestClient) -> None:
    answer = alone.get("/v1/models/gpt-9")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "'gpt-9'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("data", [None, {"id": "tiny"}, ["tiny"], [TINY, None]])
def test_a_list_that_is_none_is_the_upstreams_fault(client: TestClient, script: Script, data: object) -> None:
    script.will(as_json({"object": "list", "data": data}))
    answer = client.get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
    assert "x-should-retry" not in answer.headers  # reading a list twice costs nothing
