"""Installed detectors, the broken ones among them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import detectors
from detectors import registry
from detectors.blocklist import Blocklist
from guard.errors import DetectorError

PLUGIN = """
from detectors import DetectorCard
from guard.media import Modality

class Good:
    card = DetectorCard("good", "1", "good", frozenset({Modality.TEXT}), "d", "MIT")
    def inspect(self, artifact, context):
        return []

class Needs:
    def __init__(self, path):
        pass

class Mute:
    card = "no card"
    def inspect(self, artifact, context):
        return []

class Deaf:
    card = Good.card
    inspect = None

def boom():
    raise RuntimeError("weights are missing")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Puts a distribution with entry points on the path, as an installer would."""
    (tmp_path / "plugin_for_tests.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(distribution: str, **points: str) -> None:
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", encoding="utf-8"
        )
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text(
            "\n".join([f"[{registry.GROUP}]", *lines, ""]), encoding="utf-8"
        )

    yield add
    sys.modules.pop("plugin_for_tests", None)


def test_ours_is_installed() -> None:
    assert "blocklist" in registry.names()
    assert isinstance(detectors.load("blocklist"), Blocklist)
    loaded = detectors.load_all()
    assert "blocklist" in loaded.detectors
    assert "blocklist" not in loaded.broken


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DetectorError, match="no detector 'nosuch'") as caught:
        detectors.load("nosuch")
    assert "blocklist" in caught.value.remedy


def test_broken_plugins_hide_no_others(install) -> None:  # type: ignore[no-untyped-def]
    install(
        "plug",
        good="plugin_for_tests:Good",
        absent="plugin_for_tests:Absent",
        module="no_such_module_for_tests:X",
        needs="plugin_for_tests:Needs",
        mute="plugin_for_tests:Mute",
        deaf="plugin_for_tests:Deaf",
        boom="plugin_for_tests:boom",
    )
    loaded = detectors.load_all()
    assert {"blocklist", "good"} <= loaded.detectors.keys()
    assert loaded.broken.keys() == {"absent", "module", "needs", "mute", "deaf", "boom"}
    assert "RuntimeError: weights are missing" in loaded.broken["boom"].message
    assert "no DetectorCard" in loaded.broken["mute"].message
    assert all(isinstance(e, DetectorError) and e.remedy for e in loaded.broken.values())
    with pytest.raises(DetectorError, match="ModuleNotFoundError"):
        detectors.load("module")


def test_a_name_claimed_twice_is_refused(install) -> None:  # type: ignore[no-untyped-def]
    install("plug", twice="plugin_for_tests:Good", same="plugin_for_tests:Good")
    install("plag", twice="plugin_for_tests:boom", same="plugin_for_tests:Good")
    with pytest.raises(DetectorError, match="claimed by plugin_for_tests:Good and plugin_for_tests:boom"):
        detectors.load("twice")
    assert detectors.load("same").card.id == "good"
    assert "twice" in detectors.load_all().broken
