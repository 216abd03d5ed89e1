"""What the resolver says of itself."""

from __future__ import annotations

from datetime import datetime

import pytest
from starlette.testclient import TestClient

from guard.app import App


def test_our_own_algorithms_are_listed(resolver: TestClient) -> None:
    answer = resolver.get("/services/supportedAlgorithms").json()
    assert {"guard.tile.1", "guard.dipole.1"} <= {each["alg"] for each in answer["watermarks"]}
    assert {"guard.picture.1", "guard.sound.1"} <= {each["alg"] for each in answer["fingerprints"]}


def test_the_way_from_the_well_known_address_to_the_service(resolver: TestClient) -> None:
    found = resolver.get("/.well-known/c2pa-soft-binding-resolution").json()
    assert found["c2paSpecificationVersion"] == "2.4.0"
    can = resolver.get(found["capabilitiesEndpoint"]).json()
    assert "queryByContent" in can["supportedCapabilities"]
    status = resolver.get(found["statusEndpoint"]).json()
    assert status["status"] == "ok"
    assert datetime.fromisoformat(status["timestamp"]).tzinfo is not None
    assert resolver.get(f"{found['apiEndpoint']}/services/supportedAlgorithms").status_code == 200


def test_a_ledger_out_of_reach_is_down(
    app: App, resolver: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.ledger.close()
    database = app.settings.home / "ledger.db"
    database.unlink()
    database.mkdir()
    assert resolver.get("/services/status").json()["status"] == "down"
