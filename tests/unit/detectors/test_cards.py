"""Cards: signals, and the measurements that an evaluation left."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from detectors import Measurement
from detectors.blocklist import Blocklist
from detectors.cards import measurements, read_report
from guard.errors import DetectorError
from tests.unit.detectors.seers import card

ROW = {
    "name": "kodak",
    "kind": "source",
    "label": "real",
    "n": 24,
    "answered": 1.0,
    "flagged": 0.04,
    "auc": 0.9,
}


def test_all_signals_of_a_card() -> None:
    assert card(others=("insult",)).signals == {"tone", "insult"}
    assert card().signals == {"tone"}


def test_the_block_list_names_the_signals_of_its_groups() -> None:
    assert {"blocklist", "secrets", "secrets/keys"} <= Blocklist().card.signals


def test_measurements_come_from_a_report() -> None:
    assert measurements({"measured": [ROW]}) == (Measurement(**ROW),)  # type: ignore[arg-type]
    assert measurements({}) == ()


def test_a_report_lies_in_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "reported"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "weights" / "x.json").write_text(json.dumps({"measured": [ROW]}))
    monkeypatch.syspath_prepend(tmp_path)
    assert read_report("reported", "weights/x.json") == {"measured": [ROW]}
    (package / "report.json").write_text("{")
    for name in ("report.json", "absent.json"):
        with pytest.raises(DetectorError, match=f"{name} of reported cannot be read"):
            read_report("reported", name)
    del sys.modules["reported"]
