"""`guard models` and `guard detectors`."""

from __future__ import annotations

import pytest

import detectors
from detectors import Loaded
from guard.errors import DetectorError
from tests.unit.cli.conftest import Guard


def test_models(guard: Guard) -> None:
    ran = guard("models", "list")
    assert ran.code == 0
    assert ran.out.startswith("scene ")
    names = [record["name"] for record in guard("models", "list", "--json").records]
    assert names[0] == "scene"


def test_detectors(guard: Guard) -> None:
    ran = guard("detectors", "list")
    assert ran.code == 0
    assert "blocklist@" in ran.out
    record = guard("detectors", "list", "--json").records[0]
    assert (record["id"], record["modalities"]) == ("blocklist", ["text"])


def test_a_detector_that_does_not_start_is_named(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Loaded({}, {"nose": DetectorError("Detector 'nose' does not start.", "Mend it.")})
    monkeypatch.setattr(detectors, "load_all", lambda: broken)
    ran = guard("detectors", "list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "guard: Detector 'nose' does not start. Mend it.\n"
