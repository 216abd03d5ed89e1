from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import ConfigurationError, MarkError
from guard.watermark import perth
from guard.watermark.base import Payload, Reading, ReadingState, Strength


def tone(seconds: float, level: float, rate: int = 8000, channels: int = 1) -> NDArray[np.float32]:
    times = np.arange(round(seconds * rate)) / rate
    return (
        np.repeat(level * np.sin(2 * np.pi * 300 * times), channels).astype(np.float32).reshape(-1, channels)
    )


class Loudness:
    """In place of PerTh's network: as sure as the sound is loud."""

    heard: list[tuple[int, int]]

    def __init__(self) -> None:
        print("loaded PerthNet (Implicit) at step 250,000")
        self.heard = []

    def get_watermark(self, mono: NDArray[Any], sample_rate: int, round: bool = True) -> NDArray[Any]:  # noqa: A002
        assert mono.ndim == 1
        assert mono.dtype == np.float32
        self.heard.append((len(mono), sample_rate))
        sure = np.float32(np.abs(mono).max())
        return np.array(np.round(sure) if round else sure if sure > 0.001 else np.nan)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    perth.watermarker.cache_clear()
    yield
    perth.watermarker.cache_clear()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    package: Any = ModuleType("perth")
    package.PerthImplicitWatermarker = Loudness
    monkeypatch.setitem(sys.modules, "perth", package)
    return package


@pytest.mark.parametrize(("level", "state"), [(1.0, ReadingState.FOUND), (0.95, ReadingState.ABSENT)])
def test_only_the_surest_is_found(installed: Any, level: float, state: ReadingState) -> None:
    reading = perth.read(tone(2, level, channels=2), 8000, keys=[b"key"])
    assert reading == Reading(state, "perth", quality=pytest.approx(level, abs=0.02))
    assert perth.watermarker().heard == [(64000, 32000)]


def test_long_sound_is_read_in_pieces_and_the_surest_counts(installed: Any) -> None:
    sound = np.concatenate([tone(40, 0.2), tone(30, 1.0), tone(5, 0.1)])
    reading = perth.read(sound, 8000, keys=[])
    assert (reading.state, reading.quality) == (ReadingState.FOUND, pytest.approx(1.0, abs=0.02))
    assert [length for length, _ in perth.watermarker().heard] == [960000, 960000, 480000]


@pytest.mark.parametrize("sound", [tone(0, 0), np.zeros((8000, 2), np.float32), tone(1, 1e-5)])
def test_silence_is_absent(installed: Any, sound: NDArray[np.float32]) -> None:
    assert perth.read(sound, 8000, keys=[]) == Reading(ReadingState.ABSENT, "perth", quality=0.0)


def test_what_the_package_says_about_itself_goes_nowhere(
    installed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    perth.read(tone(1, 0.5), 8000, keys=[])
    assert capsys.readouterr().out == ""


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "perth", None)
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        perth.read(tone(1, 0.5), 8000, keys=[])
    assert "resemble-perth" in caught.value.remedy


def test_a_package_that_hides_a_failed_import_is_told(installed: Any) -> None:
    installed.PerthImplicitWatermarker = None
    with pytest.raises(ConfigurationError, match="not all that it needs") as caught:
        perth.read(tone(1, 0.5), 8000, keys=[])
    assert "setuptools<81" in caught.value.remedy


def test_nothing_is_written() -> None:
    sound = tone(1, 0.5)
    with pytest.raises(MarkError, match="only read"):
        perth.embed(sound, 8000, Payload(1), key=b"", strength=Strength.DEFAULT)


def test_the_module_alone_imports_nothing_heavy() -> None:
    code = "import sys, guard.watermark.perth; print('torch' in sys.modules, 'perth' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "False"]
    assert (perth.NAME, perth.ALG) == ("perth", "ai.resemble.perth.implicit")
