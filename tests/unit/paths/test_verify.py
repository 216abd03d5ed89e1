"""The verify path on real releases, and on everything people do to them afterwards."""

from __future__ import annotations

import dataclasses
import io
import pathlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from detectors.base import Context, DetectorCard, Finding
from guard.app import App
from guard.errors import InputError, MalformedMediaError
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from guard.pipeline import Origin, Release
from guard.provenance.trust import NOBODY
from guard.trace import StepTimes
from guard.verdict import MatchKind, Verdict, VerdictState
from guard.verify import Verifier
from guard.watermark import Payload, Reading, ReadingState, Strength
from policies.policy import loads
from tests.pictures import encoded, natural, png, shared_again
from tests.unit.ledger.test_sound_sketch import spoken
from tests.unit.ledger.test_store import passage

ORIGIN = Origin("painter", "2")
RATE = 16_000
POLICY = loads("name: open\nversion: 1\nrequire: {text: {mark: false}}\nrules: []\n")


@pytest.fixture
def verifier(app: App) -> Verifier:
    return app.verifier()


def released(app: App, artifact: Artifact, **changes: object) -> Artifact:
    guard = dataclasses.replace(app.guard(), policy=POLICY, **changes)
    return guard.release([artifact], ORIGIN)[0].artifact


def sound(samples: NDArray[np.float32]) -> Artifact:
    return Artifact.from_samples(Samples(RATE, samples), "audio/wav")


def wav(seed: int) -> Artifact:
    return sound(3 * spoken(seed)[:, None])


def stripped(artifact: Artifact) -> Artifact:
    """The same pixels as PNG, without any metadata."""
    with Image.open(io.BytesIO(artifact.data)) as picture:
        return Artifact.from_bytes(encoded(np.asarray(picture)))


class TestPictures:
    def test_as_released_it_is_trusted(self, app: App, verifier: Verifier) -> None:
        artifact = released(app, png())
        verdict = verifier.verify(artifact, name="a.png")
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.match.kind is MatchKind.EXACT
        assert verdict.reading.state is ReadingState.FOUND
        assert verdict.file == "a.png"

    def test_elsewhere_it_is_valid_but_its_signer_is_unknown(self, app: App, verifier: Verifier) -> None:
        verdict = dataclasses.replace(verifier, trust=NOBODY).verify(released(app, png()))
        assert verdict.state is VerdictState.VALID

    def test_stripped_it_is_recovered(self, app: App, verifier: Verifier) -> None:
        verdict = verifier.verify(stripped(released(app, png())))
        assert verdict.state is VerdictState.RECOVERED
        assert verdict.match.kind is MatchKind.WATERMARK
        assert verdict.match.similarity is not None
        assert verdict.match.similarity > 0.9

    def test_resized_and_recompressed_it_is_recovered(self, app: App, verifier: Verifier) -> None:
        verdict = verifier.verify(shared_again(released(app, png(3, 768, 1024)), 0.6))
        assert verdict.state is VerdictState.RECOVERED
        assert verdict.match.entry is not None

    @pytest.mark.parametrize("turn", ["turned", "mirrored"])
    def test_turned_or_mirrored_it_is_recovered(self, app: App, verifier: Verifier, turn: str) -> None:
        with Image.open(io.BytesIO(released(app, png()).data)) as picture:
            pixels = np.asarray(picture)
        changed = np.rot90(pixels) if turn == "turned" else pixels[:, ::-1]
        verdict = verifier.verify(Artifact.from_bytes(encoded(np.ascontiguousarray(changed))))
        assert verdict.state is VerdictState.RECOVERED, verdict.conclusion

    def test_cropped_and_turned_a_little_it_is_recovered(self, app: App, verifier: Verifier) -> None:
        with Image.open(io.BytesIO(released(app, png(4, 768, 1024)).data)) as picture:
            changed = picture.rotate(7, Image.Resampling.BICUBIC).crop((200, 150, 850, 640))
        verdict = verifier.verify(Artifact.from_bytes(encoded(np.asarray(changed))))
        assert verdict.state is VerdictState.RECOVERED, verdict.conclusion

    def test_with_an_edited_byte_it_is_altered(self, app: App, verifier: Verifier) -> None:
        data = bytearray(released(app, Artifact.from_bytes(encoded(natural(0), "JPEG"))).data)
        data[-1000] ^= 1
        assert verifier.verify(Artifact.from_bytes(bytes(data))).state is VerdictState.ALTERED

    def test_a_transplanted_mark_inherits_nothing(self, app: App, verifier: Verifier) -> None:
        original = png(1)
        marked = stripped(released(app, original))
        mark = marked.picture.rgb().astype(int) - original.picture.rgb()
        other = np.clip(natural(2).astype(int) + 2 * mark, 0, 255).astype(np.uint8)
        verdict = verifier.verify(Artifact.from_bytes(encoded(other)))
        assert verdict.reading.state is ReadingState.FOUND
        assert verdict.state is VerdictState.ALTERED
        assert verdict.match.same is False

    def test_a_mark_that_the_ledger_does_not_know_is_only_a_suspicion(
        self, app: App, verifier: Verifier
    ) -> None:
        engine = verifier.watermarkers[0]
        key = app.keys.mark_keys()[0]
        marked = engine.embed(png(), Payload(7), key=key, strength=Strength.DEFAULT)
        verdict = verifier.verify(marked)
        assert verdict.state is VerdictState.SUSPECTED
        assert verdict.match.kind is MatchKind.NONE

    def test_marks_under_a_former_key_still_lead_home(self, app: App) -> None:
        marked = stripped(released(app, png()))
        app.keys.add_mark_key()
        assert app.verifier().verify(marked).state is VerdictState.RECOVERED

    def test_of_an_unrelated_picture_nothing_is_known(self, app: App, verifier: Verifier) -> None:
        released(app, png(1))
        verdict = verifier.verify(png(2))
        assert verdict.state is VerdictState.NO_EVIDENCE
        assert "nothing about where it comes from" in verdict.conclusion.summary

    def test_refused_pictures_are_no_releases(self, app: App, verifier: Verifier) -> None:
        policy = loads(
            "name: shut\nversion: 1\nrules: [{id: shut, when: 'true', action: block, reason: shut}]\n"
        )
        guard = dataclasses.replace(app.guard(), policy=policy)
        with pytest.raises(Exception, match="shut"):
            guard.release([png()], ORIGIN)
        assert verifier.verify(png()).state is VerdictState.NO_EVIDENCE

    def test_a_picture_that_cannot_be_decoded_is_bad_input(self, verifier: Verifier) -> None:
        broken = Artifact(Modality.IMAGE, "image/png", encoded(natural(0))[:2000])
        with pytest.raises(InputError):
            verifier.verify(broken)

    def test_a_credential_speaks_for_a_picture_that_cannot_be_decoded(
        self, app: App, verifier: Verifier
    ) -> None:
        data = released(app, png()).data
        place = data.index(b"IDAT") + 4
        broken = Artifact.from_bytes(data[:place] + bytes(64) + data[place + 64 :])
        verdict = verifier.verify(broken)
        assert verdict.state is VerdictState.ALTERED
        assert verdict.as_json()["watermark"]["state"] == "unsupported"
        assert verdict.conclusion.warnings[0].startswith("The content could not be decoded: ")
        assert "Watermark: not looked for." in verdict.conclusion.explanation

    def test_the_very_bytes_of_a_release_are_known_although_nothing_can_look_into_them(
        self, app: App, verifier: Verifier
    ) -> None:
        whole = released(app, png())
        flawed = dataclasses.replace(whole, flaw=MalformedMediaError("It is cut short."))
        verdict = verifier.verify(flawed)
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.match.kind == "exact"
        assert verdict.conclusion.warnings == ("The content could not be decoded: It is cut short.",)

    def test_the_first_piece_of_a_film_without_frames(
        self, verifier: Verifier, shared_data: pathlib.Path
    ) -> None:
        verdict = verifier.verify(Artifact.from_path(shared_data / "c2pa/rs__dashinit.mp4"))
        assert verdict.credential.state == "invalid"
        assert "holds no frames" in verdict.conclusion.warnings[0]


class TestTexts:
    TEXT = "The harbour lay quiet under the first light of the morning.\n"

    def test_as_released_it_is_trusted(self, app: App, verifier: Verifier) -> None:
        verdict = verifier.verify(released(app, Artifact.from_text(self.TEXT)))
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.as_json()["watermark"]["state"] == "unsupported"

    def test_without_its_invisible_characters_it_is_recovered(self, app: App, verifier: Verifier) -> None:
        released(app, Artifact.from_text(self.TEXT))
        verdict = verifier.verify(Artifact.from_text(self.TEXT.strip()))
        assert verdict.state is VerdictState.RECOVERED
        assert verdict.match.kind is MatchKind.EXACT

    def test_with_one_word_changed_it_is_altered(self, app: App, verifier: Verifier) -> None:
        signed = released(app, Artifact.from_text(self.TEXT))
        edited = Artifact.from_text(signed.text.replace("quiet", "noisy"))
        assert verifier.verify(edited).state is VerdictState.ALTERED

    def test_of_another_text_nothing_is_known(self, app: App, verifier: Verifier) -> None:
        released(app, Artifact.from_text(self.TEXT))
        assert verifier.verify(Artifact.from_text("Something else.")).state is VerdictState.NO_EVIDENCE


class TestWordings:
    """Text that was pasted, edited or quoted is known by its words."""

    TEXT = passage(1, 80)

    def found(self, app: App, verifier: Verifier, text: str) -> Verdict:
        released(app, Artifact.from_text(passage(2, 80)))
        release = released(app, Artifact.from_text(self.TEXT))
        verdict = verifier.verify(Artifact.from_text(text))
        assert verdict.state is VerdictState.RECOVERED, verdict.conclusion
        assert verdict.match.kind is MatchKind.FINGERPRINT
        assert verdict.match.entry is not None
        assert verdict.match.entry.sha256 == release.sha256
        return verdict

    def test_in_another_dress(self, app: App, verifier: Verifier) -> None:
        verdict = self.found(app, verifier, "> " + self.TEXT.upper().replace(" ", "\n> "))
        assert verdict.match.similarity == 1
        assert any("all words agree" in sentence for sentence in verdict.conclusion.explanation)
        assert verdict.as_json()["ledger"]["match"] == "fingerprint"

    def test_with_words_changed_it_says_how_much_differs(self, app: App, verifier: Verifier) -> None:
        words = self.TEXT.split()
        for place in (10, 20, 40, 60):
            words[place] = "altered"
        verdict = self.found(app, verifier, " ".join(words))
        assert verdict.match.similarity == pytest.approx(76 / 80)
        assert any("the text differs: 5 %" in sentence for sentence in verdict.conclusion.explanation)

    def test_inside_another_text_it_says_how_much_of_it(self, app: App, verifier: Verifier) -> None:
        verdict = self.found(app, verifier, f"{passage(3, 160)} {self.TEXT} {passage(4, 80)}")
        assert verdict.match.share == pytest.approx(0.25, abs=0.01)
        assert any("25 % of this text" in sentence for sentence in verdict.conclusion.explanation)
        assert any("Only 25 %" in warning for warning in verdict.conclusion.warnings)

    def test_other_words_are_not(self, app: App, verifier: Verifier) -> None:
        released(app, Artifact.from_text(self.TEXT))
        verdict = verifier.verify(Artifact.from_text(passage(5, 80)))
        assert verdict.state is VerdictState.NO_EVIDENCE


class TestSounds:
    @pytest.fixture
    def released_sound(self, app: App) -> Artifact:
        return released(app, wav(1))

    def test_a_copy_in_another_format_is_recovered(
        self, verifier: Verifier, released_sound: Artifact
    ) -> None:
        copy = Artifact.from_samples(released_sound.samples, "audio/mpeg")
        verdict = verifier.verify(copy)
        assert verdict.state is VerdictState.RECOVERED, verdict.conclusion
        assert verdict.match.kind is MatchKind.WATERMARK
        assert verdict.match.similarity is not None
        assert verdict.match.similarity > 0.9

    def test_a_transplanted_mark_inherits_nothing(
        self, app: App, verifier: Verifier, released_sound: Artifact
    ) -> None:
        entry = app.ledger.by_sha256(released_sound.sha256)
        assert entry is not None
        reading = Reading(ReadingState.FOUND, "dipole", Payload.from_hex(entry.id))
        engine = Says(reading, Modality.AUDIO)
        verdict = dataclasses.replace(verifier, watermarkers=[engine]).verify(wav(2))
        assert verdict.state is VerdictState.ALTERED
        assert "its content is another" in verdict.conclusion.summary

    def test_other_media_with_the_mark_inherit_nothing(
        self, app: App, verifier: Verifier, released_sound: Artifact
    ) -> None:
        entry = app.ledger.by_sha256(released_sound.sha256)
        assert entry is not None
        reading = Reading(ReadingState.FOUND, "tile", Payload.from_hex(entry.id))
        verdict = dataclasses.replace(verifier, watermarkers=[Says(reading)]).verify(png())
        assert verdict.state is VerdictState.ALTERED
        assert verdict.match.similarity == 0


class Says:
    """An engine that reads the same from everything."""

    name, alg = "says", "test.says"

    def __init__(self, reading: Reading, modality: Modality = Modality.IMAGE) -> None:
        self.reading, self.modality = reading, modality

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        return artifact

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        return self.reading


class TestPartialMarks:
    """A mark may be there without an id, or with its beginning alone."""

    def test_without_an_id_it_is_a_suspicion(self, verifier: Verifier) -> None:
        reading = Reading(ReadingState.FOUND, "dipole", p_value=1e-9)
        verdict = dataclasses.replace(verifier, watermarkers=[Says(reading)]).verify(png())
        assert verdict.state is VerdictState.SUSPECTED
        assert "no id can be read" in verdict.conclusion.summary
        assert any("not legible (p = 1e-09" in line for line in verdict.conclusion.explanation)

    @pytest.mark.parametrize("bits", [32, 16])
    def test_the_beginning_of_an_id_leads_to_the_release_with_this_content(
        self, app: App, verifier: Verifier, bits: int
    ) -> None:
        artifact = stripped(released(app, png(1)))
        home = verifier.verify(artifact).match.entry
        assert home is not None
        short = Payload.from_hex(home.id).prefix(bits)
        reading = Reading(ReadingState.FOUND, "short", short_id=short, short_bits=bits)
        engine = dataclasses.replace(verifier, watermarkers=[Says(reading)])
        verdict = engine.verify(artifact)
        assert verdict.state is VerdictState.RECOVERED
        assert verdict.match.entry == home
        assert any(f"{bits} bits" in line for line in verdict.conclusion.explanation)
        assert engine.verify(png(2)).state is VerdictState.ALTERED

    def test_of_an_unknown_beginning_it_is_a_suspicion(self, verifier: Verifier) -> None:
        reading = Reading(ReadingState.FOUND, "short", short_id=7)
        verdict = dataclasses.replace(verifier, watermarkers=[Says(reading)]).verify(png())
        assert verdict.state is VerdictState.SUSPECTED


class TestCredentialsApart:
    """A credential that is not in the file may lie beside it or in the ledger."""

    OGG = "audio/ogg"

    def release(self, app: App) -> Release:
        guard = dataclasses.replace(app.guard(), policy=POLICY)
        return guard.release([Artifact.from_samples(wav(1).samples, self.OGG)], ORIGIN)[0]

    def test_the_ledger_has_it_for_the_very_bytes(self, app: App, verifier: Verifier) -> None:
        verdict = verifier.verify(self.release(app).artifact)
        assert verdict.state is VerdictState.TRUSTED, verdict.conclusion
        assert verdict.as_json()["credential"]["source"] == "ledger"
        assert any("ledger keeps it" in line for line in verdict.conclusion.explanation)

    def test_beside_the_file_it_counts_as_much(self, app: App, verifier: Verifier) -> None:
        release = self.release(app)
        assert release.sidecar is not None
        verdict = verifier.verify(release.artifact, sidecar=release.sidecar)
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.as_json()["credential"]["source"] == "sidecar"
        other = verifier.verify(Artifact.from_samples(wav(2).samples, self.OGG), sidecar=release.sidecar)
        assert other.state is VerdictState.ALTERED

    def test_inside_it_comes_first(self, app: App, verifier: Verifier) -> None:
        verdict = verifier.verify(released(app, png()), sidecar=b"not a manifest")
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.as_json()["credential"]["source"] == "embedded"


class TestShortIds:
    """Engines without a presence test always read something: only the ledger and the content can tell."""

    class Short:
        name, alg, modality = "short", "test.short", Modality.IMAGE

        def __init__(self, reads: int = 0) -> None:
            self.reads = reads

        def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
            self.reads = payload.short_id
            return artifact

        def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
            return Reading(ReadingState.CANDIDATE, self.name, short_id=self.reads)

    def test_a_registered_id_with_the_same_content_is_found(self, app: App, verifier: Verifier) -> None:
        engine = self.Short()
        marked = stripped(released(app, png(), watermarkers={Modality.IMAGE: engine}))
        verdict = dataclasses.replace(verifier, watermarkers=[engine]).verify(marked)
        assert verdict.state is VerdictState.RECOVERED
        assert verdict.reading.state is ReadingState.FOUND
        assert verdict.reading.payload is not None
        assert verdict.reading.payload.hex == verdict.match.entry.id

    def test_a_registered_id_on_other_content_is_chance(self, app: App, verifier: Verifier) -> None:
        engine = self.Short()
        released(app, png(1), watermarkers={Modality.IMAGE: engine})
        verdict = dataclasses.replace(verifier, watermarkers=[engine]).verify(png(2))
        assert verdict.state is VerdictState.NO_EVIDENCE
        assert verdict.reading.state is ReadingState.ABSENT

    def test_an_unregistered_id_is_nothing(self, verifier: Verifier) -> None:
        verdict = dataclasses.replace(verifier, watermarkers=[self.Short(99)]).verify(png())
        assert verdict.state is VerdictState.NO_EVIDENCE


class TestDetectors:
    class Eye:
        card = DetectorCard("eye", "3", "synthetic", frozenset({Modality.IMAGE}), "for tests", "Apache-2.0")

        def __init__(self, score: float, ratio: float | None = 9.0) -> None:
            self.score = score
            self.ratio = ratio

        def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
            return [Finding("eye", "3", "synthetic", self.score, 0.5, likelihood_ratio=self.ratio)]

    def test_what_a_detector_flags_is_suspected(self, verifier: Verifier) -> None:
        verdict = dataclasses.replace(verifier, detectors=[self.Eye(0.9)]).verify(png())
        assert verdict.state is VerdictState.SUSPECTED
        assert verdict.as_json()["detectors"] == [
            {"detector": "eye@3", "signal": "synthetic", "score": 0.9, "threshold": 0.5, "flagged": True}
            | {"likelihood_ratio": 9.0, "inconclusive": None, "error_rate": None}
        ]

    def test_a_score_that_is_not_calibrated_raises_no_suspicion(self, verifier: Verifier) -> None:
        verdict = dataclasses.replace(verifier, detectors=[self.Eye(0.9, None)]).verify(png())
        assert verdict.state is VerdictState.NO_EVIDENCE
        assert verdict.conclusion.explanation[-1].endswith("is not calibrated and counts for nothing.")

    def test_what_it_does_not_flag_is_not(self, verifier: Verifier) -> None:
        verdict = dataclasses.replace(verifier, detectors=[self.Eye(0.1)]).verify(png())
        assert verdict.state is VerdictState.NO_EVIDENCE

    def test_a_detector_never_outvotes_provenance(self, app: App, verifier: Verifier) -> None:
        artifact = stripped(released(app, png()))
        verdict = dataclasses.replace(verifier, detectors=[self.Eye(0.99)]).verify(artifact)
        assert verdict.state is VerdictState.RECOVERED


def test_the_json_has_its_stable_keys(app: App, verifier: Verifier) -> None:
    answer = verifier.verify(released(app, png()), name="a.png").as_json()
    assert list(answer) == [
        *("file", "verdict", "modality", "mime", "sha256", "summary", "credential", "watermark", "ledger"),
        *("detectors", "warnings", "explanation"),
    ]
    assert list(answer["credential"]) == [
        *("state", "issuer", "generator", "created", "codes", "trusted_by", "interim"),
        *("ingredients", "source"),
    ]
    assert list(answer["watermark"]) == ["state", "engine", "payload", "p_value"]
    assert list(answer["ledger"]) == [
        *("match", "release_id", "similarity", "share", "receipt", "credential"),
    ]
    assert answer["ledger"]["receipt"]["release_id"] == answer["watermark"]["payload"]
    assert answer["watermark"]["p_value"] <= 1e-9


def test_every_layer_is_timed(app: App, verifier: Verifier) -> None:
    times = StepTimes()
    dataclasses.replace(verifier, trace=times).verify(png())
    assert list(times.seconds) == ["credential", "decode", "watermark", "ledger", "detectors"]


def test_without_keys_of_its_own_a_verifier_still_answers(app: App) -> None:
    artifact = released(app, png())
    bare = dataclasses.replace(app, keys=type(app.keys)(app.settings.home / "elsewhere"))
    verdict = bare.verifier(app.keys.anchors()).verify(artifact)
    assert verdict.state is VerdictState.TRUSTED
    assert verdict.reading.state is ReadingState.ABSENT
