"""What trains the embedded image detector: a split without overlaps, and changes that do what they say."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.image_degrade import CONTROLS, degraded
from training.image_fitted import KINDS, fitted
from training.image_sources import SPLIT, load, read

ROWS: list[dict[str, Any]] = json.loads(SPLIT.read_text(encoding="utf-8"))["files"]


def scene(side: int = 256) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    soft = np.kron(rng.integers(40, 215, (side // 16, side // 16, 3)), np.ones((16, 16, 1)))
    return np.asarray(soft + rng.integers(-6, 7, soft.shape), np.uint8)


def test_no_picture_has_two_roles() -> None:
    hashes = [row.get("sha256") or row["digest"] for row in ROWS]
    assert len(set(hashes)) == len(hashes)
    assert {row["role"] for row in ROWS} == {"train", "calibrate", "test"}


def test_real_sources_have_one_role_each() -> None:
    roles = defaultdict(set)
    for row in ROWS:
        if row["label"] == "real":
            roles[row["source"].partition(":")[0]].add(row["role"])
    assert all(len(found) == 1 for found in roles.values())


def test_what_must_not_be_trained_on_only_tests() -> None:
    barred = [row for row in ROWS if row["path"].startswith(("photos_bsds", "ai_gpt4o"))]
    assert len(barred) == 138
    assert all(row["role"] == "test" and "sha256" not in row for row in barred)


def test_every_picture_has_a_licence() -> None:
    assert all(row["licence"] not in {"", "?"} for row in ROWS)


def test_files_are_checked_before_they_are_used(shared_data: Path, tmp_path: Path) -> None:
    test = load(shared_data, tmp_path, ["test"])
    assert len(test) == sum(row["role"] == "test" for row in ROWS)
    pixels = read(next(source for source in test if source.synthetic))
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    with pytest.raises(ValueError, match="is missing"):
        load(tmp_path, tmp_path, ["test"])
    changed = tmp_path / next(row["path"] for row in ROWS if row["role"] == "test")
    changed.parent.mkdir(parents=True)
    changed.write_bytes(b"another")
    with pytest.raises(ValueError, match="not the file"):
        load(tmp_path, tmp_path, ["test"])


@pytest.mark.parametrize("seed", range(12))
def test_a_random_life_leaves_a_window_of_the_least_size(seed: int) -> None:
    out = degraded(scene(), np.random.default_rng(seed), 128)
    assert min(out.shape[:2]) >= 128
    assert out.dtype == np.uint8


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_keep_what_is_shown(name: str) -> None:
    out = CONTROLS[name](scene())
    assert abs(float(out.mean()) - float(scene().mean())) < 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_decoder_paints_the_picture_again_but_not_quite(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.image_fitted.KINDS", (kind,))
    painted = fitted(scene(128), np.random.default_rng(1))
    difference = np.abs(painted.astype(float) - scene(128)).mean()
    assert 0.3 < difference < 20
