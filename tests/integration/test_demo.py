"""The demo as `make demo` runs it, with the built-in model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from guard.demo import Story, picture, sound, tell
from guard.media import Artifact, Modality
from guard.verdict import VerdictState
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "out"


@pytest.fixture(scope="module")
def story(folder: Path) -> Story:
    return tell(folder)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story of a sound."""
    return tell(tmp_path_factory.mktemp("demo") / "out", Modality.AUDIO)


@pytest.fixture(params=["story", "heard"])
def either(request: pytest.FixtureRequest) -> Story:
    found: Story = request.getfixturevalue(request.param)
    return found


def test_every_verdict_is_the_right_one(either: Story) -> None:
    assert [step.verdict.state for step in either.steps] == [
        VerdictState.TRUSTED,
        VerdictState.RECOVERED,
        VerdictState.ALTERED,
        VerdictState.NO_EVIDENCE,
    ]
    assert either.as_expected


def test_the_copy_is_recovered_by_its_mark_alone(either: Story) -> None:
    story = either
    verdict = story.steps[1].verdict
    assert verdict.credential.state == "absent"
    assert verdict.reading.payload is not None
    assert verdict.reading.payload.hex == story.release.id
    assert verdict.reading.p_value is not None
    assert verdict.reading.p_value < 1e-6
    assert verdict.match.same


def test_the_edited_file_keeps_a_credential_that_no_longer_fits(either: Story) -> None:
    verdict = either.steps[2].verdict
    assert verdict.credential.state == "invalid"
    assert "assertion.dataHash.mismatch" in verdict.credential.codes


def test_a_part_of_the_picture_is_edited(story: Story) -> None:
    before, after = (Artifact.from_path(story.steps[i].file).picture.rgb(0) for i in (0, 2))
    changed = np.any(before != after, axis=-1)
    assert 0.001 < changed.mean() < 0.1


def test_a_second_of_the_sound_is_edited(heard: Story) -> None:
    before, after = (Artifact.from_path(heard.steps[i].file).samples for i in (0, 2))
    changed = np.flatnonzero(np.any(before.data != after.data, axis=1))
    assert before.rate == 44_100
    assert (changed[-1] - changed[0]) / before.rate == pytest.approx(1, abs=0.01)


def test_the_reposted_sound_is_shorter_and_small(heard: Story) -> None:
    released, reposted = (heard.steps[i].file for i in (0, 1))
    assert Artifact.from_path(released).duration == 12
    assert Artifact.from_path(reposted).duration == pytest.approx(10 / 1.03, abs=0.15)
    assert reposted.stat().st_size == pytest.approx(64_000 / 8 * 10 / 1.03, rel=0.1)


def test_the_files_stay_to_look_at(story: Story, folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {step.file.name for step in story.steps} | {"guard-home"}
    assert story.steps[0].file.read_bytes() == story.release.artifact.data


def test_the_prompts_are_in_the_words_of_the_scene_model() -> None:
    from models.scene import parse
    from models.scene.sound import wishes

    assert parse(picture.request.prompt).unused == ()
    heard = parse(sound.request.prompt)
    assert heard.unused == ("church", "bells")
    assert [wish.value for wish in wishes(heard)[1]] == ["church bell"]


def test_it_can_be_told_again_in_the_same_folder(story: Story, folder: Path) -> None:
    again = tell(folder)
    assert again.as_expected
    assert again.release.id != story.release.id
    assert again.release.receipt.index == story.release.receipt.index + 1


def test_the_readme_shows_what_the_demo_prints(story: Story) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    assert story.prompt in " ".join(re.sub(r"\d+ ms", "", shown).split())
    for step in story.steps:
        assert re.search(rf"{re.escape(step.file.name)} +{step.verdict.state.value} ", shown)
