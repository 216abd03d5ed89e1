"""`guard detectors`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import detectors
from detectors import Loaded, Measurement
from guard.errors import DetectorError
from tests.unit.cli.conftest import Guard
from tests.unit.detectors.seers import Seer, found

SEER = Seer(
    lambda artifact: [found(0.9 if "bad" in artifact.text else 0.1, "toxicity", likelihood_ratio=2.0)],
    signal="toxicity",
    others=("insult",),
    data="posts",
    calibration="Platt",
    calibration_set="40 posts",
    abstains="never",
    false_alarms=0.04,
    sources=(
        Measurement("forum", "source", "toxic", 1_200, 0.9, 0.813, 0.91),
        Measurement("dialect", "control", "clean", 80, 1.0, None),
    ),
)


@pytest.fixture
def seer(monkeypatch: pytest.MonkeyPatch) -> Seer:
    """One more detector is installed."""

    def load(name: str) -> Seer:
        if name != "seer":
            raise DetectorError(f"There is no detector '{name}'.", "Installed: seer.")
        return SEER

    monkeypatch.setattr(detectors, "load", load)
    monkeypatch.setattr(detectors, "load_all", lambda: Loaded({"seer": SEER}, {}))
    return SEER


def test_list(guard: Guard) -> None:
    ran = guard("detectors", "list")
    assert ran.code == 0
    assert "blocklist@" in ran.out
    records = {record["name"]: record for record in guard("detectors", "list", "--json").records}
    assert (records["blocklist"]["id"], records["blocklist"]["modalities"]) == ("blocklist", ["text"])


def test_a_detector_that_does_not_start_is_named(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Loaded({}, {"nose": DetectorError("Detector 'nose' does not start.", "Mend it.")})
    monkeypatch.setattr(detectors, "load_all", lambda: broken)
    ran = guard("detectors", "list")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "guard: Detector 'nose' does not start. Mend it.\n"


def test_show_renders_the_card(guard: Guard, seer: Seer) -> None:
    ran = guard("detectors", "show", "seer")
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    for line in (
        "seer@1",
        "signal toxicity",
        "further signals insult",
        "trained on posts",
        "calibrated on 40 posts",
        "false alarms 4 % of innocent items of sources it was not trained on",
        "time limit 60 s an answer",
    ):
        assert line in lines
    assert any("forum" in line and "1,200" in line and "90 %" in line and "81 %" in line for line in lines)
    assert any("control: dialect" in line for line in lines)


def test_show_leaves_out_what_is_not_known(guard: Guard) -> None:
    ran = guard("detectors", "show", "blocklist")
    assert ran.code == 0
    assert "false alarms" not in ran.out
    assert "time limit" not in ran.out
    assert "measured on" not in ran.out


def test_show_as_json(guard: Guard, seer: Seer) -> None:
    record = guard("detectors", "show", "seer", "--json").record
    assert (record["name"], record["false_alarms"]) == ("seer", 0.04)
    assert record["sources"][0]["flagged"] == 0.813


@pytest.mark.parametrize("command", [["show", "nose"], ["evaluate", "nose", "--data", ".", "--out", "x"]])
def test_an_unknown_name(guard: Guard, seer: Seer, command: list[str]) -> None:
    ran = guard("detectors", *command)
    assert ran.code == 2
    assert "There is no detector 'nose'" in ran.err


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label, word in (("clean", "kind"), ("toxic", "bad")):
        folder = tmp_path / "set" / label
        folder.mkdir(parents=True)
        texts = [json.dumps({"text": f"a {word} text, number {number}"}) for number in range(20)]
        (folder / "posts.jsonl").write_text("\n".join(texts))
    return tmp_path / "set"


def test_evaluate_writes_a_report(guard: Guard, seer: Seer, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = guard("detectors", "evaluate", "seer", "--data", data, "--out", out)
    assert "AUC 1.000" in ran.out
    assert f"Report: {out / 'report.html'}" in ran.out
    assert (out / "report.html").stat().st_size > 10_000
    report = json.loads((out / "report.json").read_text())
    # "kind" is a letter longer than "bad": the set is void, and the command says so.
    assert report["conditions"][0]["void"]["void"]
    assert ran.code == 1


def test_evaluate_as_json(guard: Guard, seer: Seer, data: Path, tmp_path: Path) -> None:
    ran = guard("detectors", "evaluate", "seer", "--data", data, "--out", tmp_path / "out", "--json")
    assert (ran.record["macro_auc"], ran.record["sound"]) == (1.0, False)


def test_evaluate_on_nothing(guard: Guard, seer: Seer, tmp_path: Path) -> None:
    ran = guard("detectors", "evaluate", "seer", "--data", tmp_path / "none", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "is not a folder" in ran.err
    assert not (tmp_path / "out").exists()
