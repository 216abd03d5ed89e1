"""What trains the embedded sound detector: a split without overlaps, and synthesis that does what it says."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import stft

from detectors.calibration import Platt
from detectors.deepfake.sound_features import LENGTH, prepared
from detectors.deepfake.sound_model import Model
from training.sound_bank import PEAK, windows_of
from training.sound_degrade import CONTROLS, coded, degraded, trimmed
from training.sound_report import calibration_error, limits, report
from training.sound_sources import RATE, SPLIT, clips, decode, resampled
from training.sound_synthetic import griffin_lim, mel_inversion, refined
from training.sound_trials import Trials, equal_error
from training.sound_vocoder import KINDS, load, save, vocode
from training.sound_vocoder import train as train_vocoder

CONTENT: dict[str, Any] = json.loads(SPLIT.read_text(encoding="utf-8"))
ROWS: list[dict[str, str]] = CONTENT["files"]


def tone(seconds: float = 4.0, rate: int = RATE) -> np.ndarray:
    """A buzz whose pitch wavers, and pauses every half second."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(130 + 12 * np.sin(2 * np.pi * 3 * t)) / rate
    buzz = sum(np.cos(k * phase) / k for k in range(1, 20))
    return np.asarray(0.2 * buzz * (t % 0.5 < 0.4), np.float32)


def test_no_recording_and_no_speaker_has_two_roles() -> None:
    hashes = [row.get("sha256") or row["digest"] for row in ROWS]
    assert len(set(hashes)) == len(hashes)
    roles = defaultdict(set)
    for row in ROWS:
        roles[row["speaker"]].add(row["role"])
    assert {role for found in roles.values() for role in found} == {"train", "calibrate", "test"}
    assert all(len(found) == 1 for found in roles.values())


def test_families_that_calibrate_or_test_are_not_trained_on() -> None:
    families = CONTENT["families"]
    assert set(families) == {"train", "calibrate", "test"}
    named = [name for found in families.values() for name in found]
    assert len(set(named)) == len(named)
    assert not any("tortoise" in row["path"] for row in ROWS)


def test_every_recording_has_a_licence_and_what_only_tests_is_no_training_hash() -> None:
    assert all(row["licence"] for row in ROWS)
    assert all("sha256" not in row for row in ROWS if row["role"] == "test")


def test_clips_are_cut_by_speaker_and_checked(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is missing"):
        clips([tmp_path], "test", 1)
    kept = [row for row in ROWS if row["role"] == "test"]
    first = tmp_path / kept[0]["path"]
    first.parent.mkdir(parents=True)
    first.write_bytes(b"another")
    with pytest.raises(ValueError, match="is not the file"):
        clips([tmp_path, shared_data], "test", 1)


def test_a_file_is_read_no_further_than_asked(shared_data: Path) -> None:
    path = shared_data / next(row["path"] for row in ROWS if row["source"] == "fsdd")
    sound, rate = decode(path, 0.1)
    assert (sound.shape, rate) == ((800,), 8_000)


@pytest.mark.parametrize("codec", ["mp3", "libopus", "aac", "g722"])
@pytest.mark.parametrize("rate", [8_000, 11_025, 24_000])
def test_codecs_give_back_about_what_they_took(codec: str, rate: int) -> None:
    sound = tone(2, rate)
    heard = coded(sound, rate, codec, 48)
    assert abs(len(heard) - len(sound)) < 0.2 * rate
    assert 0.5 < heard.std() / sound.std() < 1.5


def test_both_classes_go_through_one_random_pipeline() -> None:
    rng = np.random.default_rng(0)
    found = [degraded(tone(), RATE, 3, rng, before=0.5) for _ in range(12)]
    assert len({rate for _, rate in found}) > 1
    assert all(2.5 < len(sound) / rate < 3.5 and np.isfinite(sound).all() for sound, rate in found)
    again, _ = degraded(tone(), RATE, 3, np.random.default_rng(0), before=0.5)
    assert np.array_equal(again, found[0][0])


def test_quiet_ends_are_cut_off() -> None:
    sound = tone(1)
    padded = np.concatenate([np.zeros(500, np.float32), sound, np.full(700, 1e-4, np.float32)])
    assert len(trimmed(padded)) <= len(sound)
    assert len(trimmed(np.zeros(5, np.float32))) == 5


@pytest.mark.parametrize("name", list(CONTROLS))
def test_controls_keep_the_sound(name: str) -> None:
    sound, rate = CONTROLS[name](tone(2), RATE, np.random.default_rng(1))
    assert len(sound) / rate == pytest.approx(2, abs=0.2)
    assert np.abs(sound).max() > 0.2
    assert rate == (8_000 if name == "8 kHz" else RATE)


@pytest.mark.parametrize("copy", [griffin_lim, mel_inversion])
def test_a_copy_sounds_alike_and_is_no_copy_of_samples(copy: Any) -> None:
    sound = tone(1.5)
    made = copy(sound, np.random.default_rng(0))
    assert abs(len(made) - len(sound)) <= 1024
    own, theirs = (np.abs(np.fft.rfft(x[:22_000])) for x in (sound, made))
    assert np.corrcoef(own, theirs)[0, 1] > 0.6
    assert abs(np.corrcoef(sound[:20_000], made[:20_000])[0, 1]) < 0.95


def test_a_refined_copy_has_the_originals_magnitudes() -> None:
    sound = tone(1.5)
    made = griffin_lim(sound, np.random.default_rng(0))
    spectra = [np.abs(stft(x[:20_000])[2]) for x in (sound, made, refined(made, sound, 1.0))]
    assert np.corrcoef(spectra[0].ravel(), spectra[2].ravel())[0, 1] > 0.95


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    sound = tone(0.1)
    assert resampled(sound, 8_000, 8_000) is sound


def test_the_bank_holds_windows_as_the_detector_prepares_them() -> None:
    sounds = [("real", "a", "plain", tone(4), RATE), ("world", "a", "degraded", tone(1, 8_000), 8_000)]
    bank = windows_of(iter(sounds))
    assert bank["sound"].shape == (2, LENGTH)
    assert list(bank["family"]) == ["real", "world"]
    assert (bank["sound"][1, RATE:] == 0).all()
    expected = prepared(tone(4), RATE)[:LENGTH]
    np.testing.assert_allclose(bank["sound"][0] / PEAK, expected, atol=1 / PEAK)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", list(KINDS))
def test_vocoders_learn_and_are_read_again(kind: str, tmp_path: Path) -> None:
    model = train_vocoder(kind, [tone(2)], 0.4)
    save(model, kind, tmp_path / "vocoder.pt")
    made = vocode(load(tmp_path / "vocoder.pt"), tone(0.7), blur=1.0)
    assert len(made) == round(0.7 * RATE)
    assert np.isfinite(made).all()


def trials(shift: float, seed: int = 0) -> Trials:
    """Three speakers and two families whose first number differs by `shift`."""
    rng = np.random.default_rng(seed)
    family = np.repeat(["real", "world", "lpc-fine"], 60)
    x = rng.standard_normal((180, 3)).astype(np.float32)
    x[60:, 0] += np.float32(shift)
    speaker = np.tile(["fsdd-a", "fsdd-b", "asterisk-c"], 60)
    condition = np.where(np.arange(180) % 2 == 0, "degraded", "plain")
    return Trials(x, family, speaker, condition)


FIRST = Model(
    np.zeros(3, np.float32),
    np.ones(3, np.float32),
    (((np.array([[1], [0], [0]], np.float32), np.zeros(1, np.float32)),),),
)


def test_equal_errors() -> None:
    raw = np.arange(10.0)
    assert equal_error(raw, raw >= 5) == 0
    assert equal_error(raw, raw < 5) == 1
    assert equal_error(np.array([0.0, 2, 1, 3]), np.array([False, False, True, True])) == 0.5


def test_what_is_said_as_often_as_it_is_true_has_no_calibration_error() -> None:
    raw = np.repeat([-2.0, 2.0], 100)
    p = Platt(1.0, 0.0).probability(2.0)
    fake = np.concatenate([np.arange(100) >= 100 * p, np.arange(100) < 100 * p])
    assert calibration_error(Platt(1.0, 0.0), raw, fake) < 0.02
    assert calibration_error(Platt(1.0, 0.0), raw, ~fake) > 0.7


def test_trials_are_measured_once_and_what_has_no_speech_is_left_out(tmp_path: Path) -> None:
    click = np.zeros(LENGTH, np.float32)
    click[:4_000] = np.random.default_rng(0).normal(0, 0.3, 4_000)
    sounds = [("real", "a", "plain", tone(4), RATE), ("world", "a", "degraded", click, RATE)]
    np.savez(tmp_path / "test-a.npz", **windows_of(iter(sounds)))
    read = Trials.read(tmp_path, "test")
    assert list(read.family) == ["real"]
    np.testing.assert_array_equal(Trials.read(tmp_path, "test").x, read.x)
    assert (tmp_path / "numbers" / "test-a.npz").is_file()


@pytest.mark.heavy
def test_training_finds_what_differs_and_leaves_families_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from training import sound
    from training.sound import left_out, train

    monkeypatch.setattr(sound, "_STEPS", 60)
    model = train(trials(3), 1)
    test = trials(3, seed=1)
    assert equal_error(test.raw(model), test.fake) < 0.15
    found = {name: (raw, fake) for name, raw, fake in left_out(trials(3))}
    assert set(found) == {"lpc", "world"}
    raw, fake = found["lpc"]
    assert (fake.sum(), (~fake).sum()) == (60, 40)
    assert raw[fake].mean() > raw[~fake].mean()


def test_the_report_says_what_the_detector_does() -> None:
    clear, calibration = trials(6), Platt(2.0, -4.0)
    limit = replace(limits(clear, clear, FIRST, calibration), strange=100.0)
    assert calibration.probability(limit.speaks) >= 0.9 - 1e-6
    card = report(FIRST, calibration, limit, clear, trials(6, seed=1))
    assert card["ranking"]["sealed"]["world"]["eer"]["value"] < 0.05
    rows = {row["name"]: row for row in card["measured"]}
    assert rows["world"]["flagged"] == 1
    assert rows["unseen speakers"]["answered"] <= 0.1
    assert rows["unseen speakers, plain"]["kind"] == "control"
    assert card["speaking"]["sealed"]["right"] > 0.95
    assert len(card["training"]["sha256"]) == sum(row["role"] == "train" for row in ROWS)
    json.dumps(card)
