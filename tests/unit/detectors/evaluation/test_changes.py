"""What evaluation does to items: the same to both classes, and nothing that is not said."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.evaluation.changes import AS_GIVEN, conditions, controls
from detectors.quality import edge, jpeg_quality, opening
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from tests.pictures import encoded, natural

RNG = np.random.default_rng


def photo(seed: int, height: int, width: int, kind: str = "PNG") -> Artifact:
    return Artifact.from_bytes(encoded(natural(seed, height, width), kind))


def voice(seconds: float, rate: int, mime: str = "audio/wav") -> Artifact:
    sound = np.random.default_rng(0).normal(size=(round(seconds * rate), 1)).astype(np.float32) * 0.1
    return Artifact.from_samples(Samples(rate, sound), mime)


class TestPictures:
    SET = (photo(0, 200, 300), photo(1, 400, 260, "JPEG"), photo(2, 150, 160, "WEBP"))

    def test_both_classes_leave_the_pipeline_alike(self) -> None:
        first, second, given = conditions(Modality.IMAGE, "synthetic", self.SET)
        assert "150 pixels" in first.note
        assert (given.name, given.change, given.confounded) == (AS_GIVEN, None, True)
        for condition, side in ((first, 150), (second, 512)):
            assert not condition.confounded
            assert condition.change is not None
            for artifact in self.SET:
                made = condition.change(artifact, RNG(0))
                assert (made.mime, made.picture.width, made.picture.height) == ("image/jpeg", side, side)
                quality = jpeg_quality(made)
                assert quality is not None
                assert 69 <= quality <= 96

    def test_chance_is_the_seeds(self) -> None:
        change = conditions(Modality.IMAGE, "synthetic", self.SET)[0].change
        assert change is not None
        made = [change(self.SET[0], RNG(seed)).data for seed in (1, 1, 2)]
        assert made[0] == made[1] != made[2]

    def test_a_tiny_picture_does_not_shrink_the_others(self) -> None:
        note = conditions(Modality.IMAGE, "synthetic", [*self.SET, photo(3, 9, 9)])[0].note
        assert "128 pixels" in note

    def test_a_picture_that_cannot_be_opened_is_passed_over(self) -> None:
        broken = Artifact(Modality.IMAGE, "image/png", self.SET[0].data[:200])
        assert "512 pixels" in conditions(Modality.IMAGE, "synthetic", [broken])[0].note

    @pytest.mark.parametrize("name", list(controls(Modality.IMAGE)))
    def test_a_control_changes_the_picture_and_leaves_it_one(self, name: str) -> None:
        made = controls(Modality.IMAGE)[name](self.SET[0], RNG(0))
        sizes = {"0.5": (150, 100), "1.5": (450, 300), "2": (600, 400), "2.5": (750, 500)}
        size = sizes.get(name.rpartition("× ")[2], (300, 200)) if name != "screenshot" else (264, 232)
        assert (made.picture.width, made.picture.height) == size
        assert made.data != self.SET[0].data

    def test_controls_work_on_the_middle_of_what_is_large(self) -> None:
        large = Artifact.from_bytes(encoded(np.zeros((800, 900, 3), np.uint8)))
        made = controls(Modality.IMAGE)["resized × 2.5"](large, RNG(0))
        assert made.picture.width == round(768 * 2.5)


class TestSounds:
    SET = (voice(3.0, 24_000), voice(5.0, 16_000, "audio/flac"), voice(2.0, 12_000))

    def test_both_classes_leave_the_pipeline_alike(self) -> None:
        first, given = conditions(Modality.AUDIO, "synthetic", self.SET)
        assert first.change is not None
        assert given.confounded
        assert "12,000 Hz" in first.note
        for artifact in self.SET:
            made = first.change(artifact, RNG(0))
            sound, rate = opening(made, 99)
            assert rate == 12_000
            assert len(sound) / rate == pytest.approx(2.1, abs=0.15)
            assert made.mime in ("audio/wav", "audio/mpeg")
            assert 0.2 < np.abs(sound).max() < 1.0

    def test_files_of_both_kinds_come_out(self) -> None:
        change = conditions(Modality.AUDIO, "synthetic", self.SET)[0].change
        assert change is not None
        assert {change(self.SET[0], RNG(seed)).mime for seed in range(8)} == {"audio/wav", "audio/mpeg"}

    def test_without_a_sound_that_opens_there_are_defaults(self) -> None:
        assert "10 s, mono, 16,000 Hz" in conditions(Modality.AUDIO, "synthetic", [])[0].note

    def test_telephones_compression_and_noise(self) -> None:
        made = {name: change(self.SET[0], RNG(0)) for name, change in controls(Modality.AUDIO).items()}
        assert set(made) == {"8 kHz", "MP3", "noise at 20 dB"}
        narrow, rate = opening(made["8 kHz"], 9)
        assert rate == 8_000
        assert edge(narrow, rate) <= 4_000
        assert made["MP3"].mime == "audio/mpeg"
        noisy, rate = opening(made["noise at 20 dB"], 9)
        clean, _ = opening(self.SET[0], 9)
        power = float(np.mean((noisy - clean) ** 2) / np.mean(clean**2))
        assert power == pytest.approx(0.01, rel=0.1)

    def test_noise_on_nothing_is_nothing(self) -> None:
        silence = Artifact.from_samples(Samples(8_000, np.zeros((800, 1), np.float32)), "audio/wav")
        made = controls(Modality.AUDIO)["noise at 20 dB"](silence, RNG(0))
        assert not opening(made, 1)[0].any()


class TestTexts:
    LONG = tuple(Artifact.from_text("word  " * count) for count in (80, 90, 300))

    def test_texts_are_cut_to_one_length_where_length_could_tell(self) -> None:
        first, given = conditions(Modality.TEXT, "synthetic", self.LONG)
        assert first.change is not None
        assert given.confounded
        assert {first.change(text, RNG(0)).text for text in self.LONG[1:]} == {" ".join(["word"] * 82)}

    def test_short_texts_keep_fifty_words(self) -> None:
        first = conditions(Modality.TEXT, "synthetic", [Artifact.from_text("a b c")])[0]
        assert "first 50 words" in first.note
        assert "first 50 words" in conditions(Modality.TEXT, "synthetic", [])[0].note

    def test_other_signals_are_in_the_whole_text(self) -> None:
        (only,) = conditions(Modality.TEXT, "toxicity", self.LONG)
        assert (only.name, only.change, only.confounded) == (AS_GIVEN, None, False)

    @pytest.mark.parametrize("modality", [Modality.TEXT, Modality.VIDEO])
    def test_nothing_harmless_is_known_for_these(self, modality: Modality) -> None:
        assert not controls(modality)
        assert len(conditions(Modality.VIDEO, "synthetic", [])) == 1
