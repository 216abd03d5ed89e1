"""`guard inspect`: findings, abstentions, reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import guard.app
from detectors import Loaded, Span
from detectors.explain import Explanation
from guard.errors import DetectorError
from guard.media import Modality
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard
from tests.unit.detectors.seers import Reasoner, Seer, found, nothing
from tests.voices import artifact as voice

TEXT = "You are bad, \x1b[31mvery\x1b[0m bad."
WORDS = Explanation(
    "seer", "tone", tokens=((Span(0, 3, "You"), 0.0), (Span(8, 11, "bad"), 0.8), (Span(4, 7, "are"), -0.4))
)
HEAT = Explanation("seer", "synthetic", heat=np.array([[1, -1]], np.float32))
TIMES = Explanation("seer", "synthetic", times=((0.0, 0.5, 0.3), (0.5, 1.0, -0.1)))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Seer]:
    """The detectors of this installation, for a test to fill."""
    seers: list[Seer] = []
    monkeypatch.setattr(guard.app, "load_all", lambda: Loaded({s.card.id: s for s in seers}, {}))
    return seers


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(TEXT)
    return path


def test_a_score_comes_with_its_likelihood_ratio(guard: Guard, installed: list[Seer], note: Path) -> None:
    installed.append(Seer(lambda _: [found(0.9, likelihood_ratio=9.0, message="two places")]))
    ran = guard("inspect", note)
    assert ran.code == 1
    assert "tone    0.90  seer  likelihood ratio 9  two places" in ran.out
    record = guard("inspect", "--json", note).record["findings"][0]
    assert (record["likelihood_ratio"], record["inconclusive"], record["error_rate"]) == (9.0, None, None)


def test_an_abstention_is_fine_and_says_why(guard: Guard, installed: list[Seer], note: Path) -> None:
    installed.append(Seer(lambda _: [nothing()]))
    ran = guard("inspect", note)
    assert ran.code == 0
    assert "–  seer  inconclusive: There is too little of it." in ran.out
    record = guard("inspect", "--json", note).record
    assert record["findings"][0]["inconclusive"] == "There is too little of it."
    assert "explanations" not in record


def test_every_detector_looks_whatever_the_policy_reads(
    guard: Guard, installed: list[Seer], note: Path
) -> None:
    installed += [Seer(lambda _: [found(0.1)], name=name, signal=name) for name in ("a", "synthetic")]
    assert len(guard("inspect", "--json", note).record["findings"]) == 2


class TestExplain:
    def test_words(self, guard: Guard, installed: list[Seer], note: Path) -> None:
        installed.append(Reasoner(lambda _: [found(0.9)], WORDS))
        ran = guard("inspect", "--explain", note)
        assert "why seer says so of tone:" in ran.out
        assert "+0.80  bad\n    -0.40  are\n" in ran.out
        assert "\x1b" not in ran.out
        record = guard("inspect", "--explain", "--json", note).record
        assert record["explanations"] == [WORDS.as_json()]
        assert list(note.parent.iterdir()) == [note]

    def test_of_a_long_text_the_beginning_is_shown(
        self, guard: Guard, installed: list[Seer], tmp_path: Path
    ) -> None:
        path = tmp_path / "long.txt"
        path.write_text("bad " * 2_000)
        installed.append(Reasoner(lambda _: [found(0.9)], WORDS))
        ran = guard("inspect", "--explain", path)
        assert "…" in ran.out
        assert len(ran.out) < 3_000

    def test_a_heat_map_is_drawn_beside_the_file(
        self, guard: Guard, installed: list[Seer], tmp_path: Path
    ) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(encoded(natural(0, 90, 120)))
        kinds = frozenset({Modality.IMAGE})
        installed.append(Reasoner(lambda _: [found(0.9, "synthetic")], HEAT, modalities=kinds))
        ran = guard("inspect", "--explain", path)
        drawn = tmp_path / "a.png.seer.png"
        assert f"drawn in {drawn}" in ran.out
        assert drawn.read_bytes().startswith(b"\x89PNG")

    def test_or_where_it_is_wanted(self, guard: Guard, installed: list[Seer], tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        path.write_bytes(voice("audio/wav", 1.0).data)
        (tmp_path / "out").mkdir()
        kinds = frozenset({Modality.AUDIO})
        installed.append(Reasoner(lambda _: [found(0.9, "synthetic")], TIMES, modalities=kinds))
        record = guard("inspect", "--explain", "--out", tmp_path / "out", "--json", path).record
        assert record["explanations"][0]["picture"] == str(tmp_path / "out" / "a.wav.seer.png")
        assert (tmp_path / "out" / "a.wav.seer.png").exists()

    def test_a_place_that_cannot_be_written(
        self, guard: Guard, installed: list[Seer], tmp_path: Path
    ) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(encoded(natural(0, 40, 40)))
        kinds = frozenset({Modality.IMAGE})
        installed.append(Reasoner(lambda _: [found(0.9)], HEAT, modalities=kinds))
        ran = guard("inspect", "--explain", "--out", tmp_path / "absent", path)
        assert ran.code == 2
        assert "cannot be written" in ran.err

    @pytest.mark.parametrize("why", [None, DetectorError("No weights.")])
    def test_without_reasons(
        self, guard: Guard, installed: list[Seer], note: Path, why: DetectorError | None
    ) -> None:
        installed += [Reasoner(lambda _: [found(0.1)], why), Seer(lambda _: [found(0.1)], name="mute")]
        ran = guard("inspect", "--explain", note)
        assert ("seer could not explain itself: No weights." in ran.out) is (why is not None)
        assert "mute could not" not in ran.out
        assert ran.code == 0
        record = guard("inspect", "--explain", "--json", note).record
        assert len(record["explanations"]) == (why is not None)
