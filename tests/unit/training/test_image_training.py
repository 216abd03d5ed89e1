"""What trains the embedded image detector: a split without overlaps, and changes that do what they say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from detectors.deepfake import image_network
from training.image_bank import crops
from training.image_decoders import VARIANTS, Coder, reconstruct
from training.image_degrade import CONTROLS, degraded
from training.image_fitted import KINDS, fitted
from training.image_network import Network, exported, train
from training.image_pairs import SIDE, matched, painted, tiles, unpaired
from training.image_report import Trials, nominal, report
from training.image_sources import SPLIT, Source, load, read
from training.image_trials import write

ROWS: list[dict[str, Any]] = json.loads(SPLIT.read_text(encoding="utf-8"))["files"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks only wait for one another on more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def noise(count: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


def test_a_matched_picture_is_as_sharp_as_the_other() -> None:
    soft = np.asarray(scene(160) // 2 + 60, np.uint8)
    like = soft.copy()
    like[1:] = (soft[1:].astype(int) + soft[:-1]) // 2

    def fine(pixels: NDArray[np.uint8]) -> float:
        return float(np.abs(np.diff(pixels.astype(int), axis=0)).mean())

    again = matched(soft, like)
    assert abs(fine(again) - fine(like)) < abs(fine(soft) - fine(like))
    np.testing.assert_allclose(matched(soft, soft), soft, atol=1)


def test_a_sheet_is_four_pictures_without_the_edges_at_which_they_meet() -> None:
    sheet = np.zeros((1024, 1024, 3), np.uint8)
    sheet[508:516] = sheet[:, 508:516] = 255
    found = tiles(sheet)
    assert [tile.shape for tile in found] == [(504, 504, 3)] * 4
    assert all(not tile.any() for tile in found)


def test_pairs_are_of_one_size_and_the_same_each_time() -> None:
    real, made = noise(3, 256), list(noise(2, 300, 1))
    first, second = (list(unpaired(real, made, 4, np.random.default_rng(5))) for _ in range(2))
    assert [pair.shape for pair in first] == [(2, SIDE, SIDE, 3)] * 4
    np.testing.assert_array_equal(first, second)


@pytest.mark.heavy
@pytest.mark.usefixtures("one_thread")
def test_painted_pairs_name_their_decoder_and_show_the_same() -> None:
    decoders = {"nearest4": Coder(VARIANTS["nearest4"]).eval()}
    found = list(painted(scene()[None], decoders, 8, np.random.default_rng(0)))
    assert {name for name, _ in found} == {"nearest4", "fitted"}
    alike = [np.corrcoef(*pair.reshape(2, -1))[0, 1] for name, pair in found if name == "fitted"]
    assert min(alike) > 0.8


@pytest.mark.heavy
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["patch8", "fir8", "nearest8q", "shuffle4"])
def test_a_decoder_paints_pictures_of_the_same_size(name: str) -> None:
    made = reconstruct(Coder(VARIANTS[name]).eval(), noise(1, 64), noise=0.2)
    assert made.shape == (1, 64, 64, 3)
    assert made.dtype == np.uint8


def test_crops_are_whole_even_of_small_pictures(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(scene(200)).save(path)
    assert crops([Source(path, "a", "real", "train")], 2, np.random.default_rng(0)).shape == (2, 256, 256, 3)


@pytest.mark.heavy
@pytest.mark.usefixtures("one_thread")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_network_learns_and_survives_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.image_network._BATCH", 4)
    before = np.repeat(np.repeat(noise(6, 64), 2, 1), 2, 2)
    pairs = np.stack([noise(6, 128, 1), before], axis=1)
    network = train(pairs, np.full(6, 1 / 6), steps=14)
    crops = np.concatenate([pairs[:, 0], pairs[:, 1]])
    logits = image_network.Network(exported(network)).logits(crops)
    assert logits[6:].min() > logits[:6].max()
    assert isinstance(network, Network)


def test_every_control_befalls_a_real_picture_and_only_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {"real": tmp_path / "photo.png", "synthetic": tmp_path / "made.png"}
    for path in paths.values():
        Image.fromarray(scene()).save(path)
    sources = [Source(path, f"some {label}", label, "test") for label, path in paths.items()]
    monkeypatch.setattr("training.image_trials.load", lambda *_: sources)
    write(tmp_path, tmp_path, tmp_path, "test")
    with np.load(tmp_path / "test.npz") as found:
        assert set(found["condition"][found["label"] == "real"]) == {"native", "512", *CONTROLS}
        assert set(found["condition"][found["label"] == "synthetic"]) == {"native", "512"}
        assert found["owner"].max() == len(found["source"]) - 1
        assert np.load(tmp_path / "test.crops.npy").shape == (len(found["owner"]), SIDE, SIDE, 3)


def trials(seed: int) -> Trials:
    """Three real pictures of four above zero under `blur`, and generators that are above all of them."""
    rng = np.random.default_rng(seed)
    rows = [
        (source, condition, synthetic, value + 3 * synthetic)
        for source, synthetic in (("photos", False), ("known", True), ("other", True))
        for condition in ("native", "512", *(() if synthetic else ("blur",)))
        for value in rng.normal(0.5 if condition == "blur" else 0, 1, 40)
    ]
    source, condition, synthetic, raw = (np.array(column) for column in zip(*rows, strict=True))
    group = np.array([f"{name}-{n // 2}" for n, name in enumerate(source)])
    return Trials(raw, source, group, condition, synthetic, rng.normal(size=(len(raw), 5)))


def test_the_worst_condition_sets_the_limit() -> None:
    found = trials(0)
    limit = nominal(found, 0.05)
    worst = found.raw[found.condition == "blur"]
    assert (worst > limit).mean() == pytest.approx(0.05)
    assert limit > np.quantile(found.raw[~found.synthetic], 0.95)


def test_the_report_ranks_and_speaks_as_the_outputs_do() -> None:
    found = report(trials(0), trials(1), {"description": "It screens."})
    assert found["ranking"]["native"]["macro"] > 0.95
    low, high = (found["ranking"]["512"]["known"][key] for key in ("low", "high"))
    assert low <= found["ranking"]["512"]["known"]["value"] <= high
    assert found["threshold"] <= 0.9
    assert found["speaks"] >= nominal(trials(0), 0.05)
    assert set(found["nominal"]["0.05"]["alarms"]) == {"native", "512", "blur"}
    assert {row["name"] for row in found["measured"]} == {"photos", "known", "other", "512", "blur"}
    assert "goals" in found["card"]["measured_error"]
    assert 0 <= found["calibration_error"]["native"] < 0.5
