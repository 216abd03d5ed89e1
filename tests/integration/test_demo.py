"""The demo as `make demo` runs it, with the built-in model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from guard.demo import PROMPT, Story, tell
from guard.media import Artifact
from guard.verdict import VerdictState
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "out"


@pytest.fixture(scope="module")
def story(folder: Path) -> Story:
    return tell(folder)


def test_every_verdict_is_the_right_one(story: Story) -> None:
    assert [step.verdict.state for step in story.steps] == [
        VerdictState.TRUSTED,
        VerdictState.RECOVERED,
        VerdictState.ALTERED,
        VerdictState.NO_EVIDENCE,
    ]
    assert story.as_expected


def test_the_copy_is_recovered_by_its_mark_alone(story: Story) -> None:
    verdict = story.steps[1].verdict
    assert verdict.credential.state == "absent"
    assert verdict.reading.payload is not None
    assert verdict.reading.payload.hex == story.release.id
    assert verdict.reading.p_value is not None
    assert verdict.reading.p_value < 1e-6
    assert verdict.match.same


def test_the_edited_file_keeps_a_credential_that_no_longer_fits(story: Story) -> None:
    verdict = story.steps[2].verdict
    assert verdict.credential.state == "invalid"
    assert "assertion.dataHash.mismatch" in verdict.credential.codes
    before, after = (Artifact.from_path(story.steps[i].file).picture.rgb(0) for i in (0, 2))
    changed = np.any(before != after, axis=-1)
    assert 0.001 < changed.mean() < 0.1


def test_the_files_stay_to_look_at(story: Story, folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {step.file.name for step in story.steps} | {"guard-home"}
    assert story.steps[0].file.read_bytes() == story.release.artifact.data


def test_the_prompt_is_in_the_words_of_the_scene_model(story: Story) -> None:
    from models.scene import parse

    assert parse(PROMPT).unused == ()


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
