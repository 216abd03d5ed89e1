"""Liveness and readiness."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.settings import Settings
from tests.unit.api.parts import serving


def test_a_whole_server_is_ready(alone: TestClient) -> None:
    assert alone.get("/healthz").json() == {"status": "ok"}
    answer = alone.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_without_keys_it_lives_but_is_not_ready(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_app(Settings(home=tmp_path)) as app, serving(app, None) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "The signing key is missing, expired or not readable." in answer.json()["reasons"]
        assert str(tmp_path) not in answer.text
        assert str(tmp_path) in caplog.text
        app.keys.init_development()
        assert client.get("/readyz").status_code == 200


def test_keys_that_others_may_read_are_no_keys(app: App, alone: TestClient) -> None:
    assert alone.get("/readyz").status_code == 200
    (app.keys.folder / "signer.pem").chmod(0o644)
    assert alone.get("/readyz").status_code == 503


def test_a_policy_that_does_not_load_is_named(app: App, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("name: [")
    broken = replace(app, settings=app.settings.model_copy(update={"policy": tmp_path / "policy.yaml"}))
    with serving(broken, None) as client:
        assert client.get("/readyz").json()["reasons"] == ["The release path cannot be set up."]


def test_a_ledger_out_of_reach_is_named(
    app: App, alone: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with app.ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE releases RENAME TO lost")
    with caplog.at_level(logging.WARNING):
        answer = alone.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["The ledger cannot be read."])
    assert "no such table" in caplog.text
