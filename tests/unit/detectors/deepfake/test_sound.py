from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from detectors.base import Context
from detectors.deepfake.sound import SILENT, SyntheticSound
from detectors.deepfake.sound_features import LENGTH, RATE, Spoken, features, prepared, windows
from detectors.deepfake.sound_model import load
from detectors.deepfake.video import SyntheticVideo
from guard.errors import DetectorError
from guard.media import Artifact
from guard.media.stream import Samples

UPLOAD = Context("upload")


@pytest.fixture(scope="module")
def detector() -> SyntheticSound:
    return SyntheticSound()


def voice(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Something like vowels: pulses with jitter through two resonances, syllables, and a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * t) + rng.normal(0, 1, len(t))
    pulses = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0.0)
    spectrum, at = np.fft.rfft(pulses), np.fft.rfftfreq(len(t), 1 / rate)
    shape = 1 / (1 + ((at - 600) / 150) ** 2) + 0.4 / (1 + ((at - 1700) / 250) ** 2) + 0.02
    sound = np.fft.irfft(spectrum * shape, len(t)) * (np.sin(2 * np.pi * 3 * t) > -0.7)
    return np.asarray(sound / np.abs(sound).max() * 0.5 + rng.normal(0, 1e-3, len(t)), np.float32)


def wav(samples: np.ndarray, rate: int = RATE) -> Artifact:
    return Artifact.from_samples(Samples(rate, samples.astype(np.float32)[:, None]), "audio/wav")


def heard(limits: dict[str, Any]) -> SyntheticSound:
    """The detector with other limits."""
    detector = SyntheticSound()
    detector._report.update(limits)
    return detector


LOUD = {"speaks": -1e9, "strange": 1e9}


def test_what_is_clear_is_scored_with_the_calibrated_probability() -> None:
    detector = heard(LOUD)
    (finding,) = detector.inspect(wav(voice(7)), UPLOAD)
    times, raws, _ = detector.windows(voice(7), RATE)
    assert times == [(0.0, 3.0), (3.0, 6.0)]
    assert finding.score == pytest.approx(detector.calibration.probability(float(np.mean(raws))), abs=1e-3)
    assert finding.likelihood_ratio is not None
    assert finding.details["raw"] == pytest.approx(float(np.mean(raws)), abs=1e-2)
    assert finding.message == ""


def test_what_is_unclear_or_strange_is_said_to_be_so() -> None:
    (finding,) = heard({"speaks": 1e9, "strange": 1e9}).inspect(wav(voice(4)), UPLOAD)
    assert finding.inconclusive == SILENT
    (finding,) = heard({"strange": 0.0}).inspect(wav(voice(4)), UPLOAD)
    assert "unlike the speech" in finding.inconclusive


def test_explanations_are_a_time_line() -> None:
    detector = heard(LOUD)
    explanation = detector.explain(wav(voice(5)), UPLOAD)
    assert explanation is not None
    assert [line[:2] for line in explanation.times] == [(0.0, 3.0), (3.0, 5.0)]
    assert all(np.isfinite(value) for *_, value in explanation.times)
    assert detector.explain(wav(voice(1)), UPLOAD) is None


@pytest.mark.parametrize(
    ("sound", "rate", "reason"),
    [
        (voice(1.5), RATE, "2 s are needed"),
        (np.zeros(5 * RATE), RATE, "silent"),
        (np.sin(np.arange(3 * RATE) * 0.05), RATE, "must reach 2,000 Hz"),
        (np.r_[np.random.default_rng(0).normal(0, 0.3, 4_000), np.zeros(3 * RATE)], RATE, "loud enough"),
    ],
)
def test_gates(detector: SyntheticSound, sound: np.ndarray, rate: int, reason: str) -> None:
    (finding,) = detector.inspect(wav(sound, rate), UPLOAD)
    assert reason in finding.inconclusive


@pytest.mark.parametrize(
    "sound",
    [
        np.sign(np.sin(np.arange(4 * RATE) * 0.05)),
        np.random.default_rng(0).normal(0, 0.2, 4 * RATE),
        sum(np.sin(2 * np.pi * f * np.arange(4 * RATE) / RATE) / 5 for f in (220, 277, 330, 2500)),
    ],
    ids=["full scale", "noise", "a chord"],
)
def test_what_is_no_speech_gets_no_score(detector: SyntheticSound, sound: np.ndarray) -> None:
    assert detector.inspect(wav(sound), UPLOAD)[0].state == "inconclusive"


def test_a_picture_is_refused(detector: SyntheticSound) -> None:
    with pytest.raises(DetectorError, match="not a sound"):
        detector.inspect(Artifact.from_text("hello"), UPLOAD)


def test_of_a_long_sound_the_first_minute_counts() -> None:
    (finding,) = heard(LOUD).inspect(wav(np.tile(voice(3, 8_000), 25), 8_000), UPLOAD)
    assert "first 60 s" in finding.message


def test_a_video_has_its_sound_track_heard(detector: SyntheticSound) -> None:
    assert detector.card.signal == "synthetic"
    assert detector in SyntheticVideo(sounds=[detector])._sounds


def test_windows_follow_one_another_and_a_short_rest_is_left_out() -> None:
    sound = np.zeros(2 * LENGTH + LENGTH // 3, np.float32)
    assert [(start, len(part)) for start, part in windows(sound)] == [(0, LENGTH), (LENGTH, LENGTH)]
    assert [len(part) for _, part in windows(sound[: RATE // 2])] == [RATE // 2]


def test_level_and_what_an_empty_band_holds_do_not_count() -> None:
    sound = voice(3)
    loud, soft = prepared(sound, RATE), prepared(np.asarray(sound / 100, np.float32), RATE)
    np.testing.assert_allclose(loud, soft, atol=1e-4)
    assert np.sqrt((loud**2).mean()) == pytest.approx(0.1, rel=0.01)
    assert len(prepared(voice(3, 8_000), 8_000)) == 3 * RATE
    assert prepared(np.zeros(0, np.float32), RATE).shape == (0,)


@pytest.mark.parametrize("seed", range(3))
def test_features_are_finite_and_many_even_without_voice(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, LENGTH).astype(np.float32)
    for sound in (noise, voice(3, seed=seed), np.sign(noise)):
        spoken = Spoken(prepared(sound, RATE))
        assert spoken.enough
        numbers = features(spoken)
        assert numbers.dtype == np.float32
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize("colour", [0, 0.9, 0.99])
def test_noise_is_steady_and_what_has_syllables_is_not(colour: float) -> None:
    noise = lfilter([1], [1, -colour], np.random.default_rng(0).normal(0, 0.1, LENGTH))
    assert Spoken(prepared(np.asarray(noise, np.float32), RATE)).steady
    assert not Spoken(prepared(voice(3), RATE)).steady


def test_a_buzz_without_jitter_differs_from_a_voice_where_pitch_is_measured() -> None:
    steady = np.asarray(np.arange(LENGTH) % 133 == 0, np.float32)
    one, other = (features(Spoken(prepared(x, RATE))) for x in (steady, voice(3)))
    assert np.abs(one - other).max() > 0.5


def test_the_weights_are_those_that_the_report_measured(detector: SyntheticSound) -> None:
    data = files("detectors.deepfake").joinpath("weights", "sound.npz").read_bytes()
    report = detector.card.report
    assert hashlib.sha256(data).hexdigest() == report["weights"]["sha256"]
    assert len(data) < 5 << 20
    model = load(data)
    assert model.mean.shape == features(Spoken(prepared(voice(3), RATE))).shape
    again = load(model.dump())
    numbers = np.random.default_rng(0).standard_normal((5, len(model.mean)), np.float32)
    np.testing.assert_array_equal(again.logits(numbers), model.logits(numbers))


def test_the_card_says_what_was_measured(detector: SyntheticSound) -> None:
    card = detector.card
    assert {row.kind for row in card.sources} == {"source", "control"}
    assert {"tortoise", "istft"} <= {row.name for row in card.sources}
    assert card.false_alarms is not None
    assert card.false_alarms <= 0.1
    assert detector.calibration.probability(card.report["speaks"]) >= card.report["threshold"] - 1e-6
    assert "Tortoise" in card.measured_error
    assert card.report["speaking"]["test"]["right"] >= 0.85


def test_real_voices_are_not_called_synthetic(detector: SyntheticSound, shared_data: Path) -> None:
    voices = sorted((shared_data / "tts_tortoise" / "tortoise" / "voices").rglob("*.wav"))[::4]
    found = [detector.inspect(Artifact.from_path(path), UPLOAD)[0] for path in voices]
    assert sum(finding.flagged for finding in found) <= len(found) // 5
