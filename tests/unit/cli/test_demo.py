"""`guard demo`: its screen and exit code. The story with the built-in model is an integration test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from guard.demo import picture, story
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from models.base import GenerationRequest, ModelCard
from models.scene.grammar import Place
from models.scene.sound import RATE
from models.scene.sound.mix import mix
from models.scene.sound.score import Part, Sound
from tests.pictures import png
from tests.unit.cli.conftest import Guard


class Painter:
    """A quick stand-in for the built-in model."""

    card = ModelCard("painter", "1", Modality.IMAGE, "tests")

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        return [png(1)]


class Player:
    """A quick stand-in for its sound."""

    card = ModelCard("player", "1", Modality.AUDIO, "tests")

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        voices = [Part(Sound.MURMUR, -18), Part(Sound.BREEZE, -34)]
        return [Artifact.from_samples(Samples(RATE, mix(voices, Place.ROOM, 8 * RATE, 1)), "audio/wav")]


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        story, "load", lambda _, *, modality: Player() if modality is Modality.AUDIO else Painter()
    )


@pytest.mark.parametrize(
    ("options", "released", "words"),
    [
        ((), "01-released.png", ("One picture", "prompt and picture", "invisible", "similarity")),
        (
            ("--modality", "audio"),
            "01-released.wav",
            ("One sound", "prompt and sound", "inaudible", "similarity"),
        ),
    ],
)
def test_the_screen_tells_the_story(
    guard: Guard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    released: str,
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = guard("demo", *options)
    assert (tmp_path / "demo-out" / released).exists()
    assert ran.code == 0
    for word in ("trusted", "recovered", "altered", "no-evidence", "p = ", "development keys", *words):
        assert word in ran.out
    assert "\x1b" not in ran.out
    # The last line is a command to copy: as long as the paths it names, and never broken.
    *story_lines, command = ran.out.splitlines()
    assert command.lstrip().startswith("GUARD_HOME=")
    assert max(map(len, story_lines)) <= 96
    assert len(ran.out.splitlines()) <= 40


def test_a_wrong_verdict_shows_and_exits_1(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_edited", lambda png: png)
    ran = guard("demo", "--out-dir", tmp_path)
    assert ran.code == 1
    assert "NOT altered" in ran.out


def test_settings_of_the_user_do_not_matter(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo reads no settings, so the policy of a user who wants no marks does not change it."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("nonsense: [")
    monkeypatch.setenv("GUARD_POLICY", str(policy))
    monkeypatch.setenv("GUARD_LEDGER_URL", "nonsense://")
    assert guard("demo", "--out-dir", tmp_path / "out").code == 0


def test_there_is_no_story_of_a_text(guard: Guard, tmp_path: Path) -> None:
    assert guard("demo", "--modality", "text", "--out-dir", tmp_path).code == 2


def test_a_folder_that_cannot_be_made(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = guard("demo", "--out-dir", tmp_path / "file" / "out")
    assert ran.code == 2
    assert "--out-dir" in ran.err


def test_without_the_photo(guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "find_spec", lambda _: None)
    ran = guard("demo", "--out-dir", tmp_path)
    assert ran.code == 2
    assert "matplotlib" in ran.err


def test_in_colour_on_a_terminal(guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    ran = guard("demo", "--out-dir", tmp_path)
    assert ran.code == 0
    assert "\x1b[1;32mtrusted" in ran.out


def test_it_says_how_to_ask_again(guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my out"
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/guard")
    assert (
        f"GUARD_HOME='{folder}/guard-home' guard verify '{folder}'/0*"
        in guard("demo", "--out-dir", folder).out
    )
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.chdir(Path(sys.executable).parent.parent)
    assert " bin/guard verify " in guard("demo", "--out-dir", folder).out
