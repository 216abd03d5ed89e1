"""Spoken words screened as text. The transcribers here are told what they hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from detectors import Context, DetectorCard, Finding, Span, inspect_all
from detectors.blocklist import Blocklist
from detectors.spoken import Spoken
from guard.errors import DetectorError, GenerationError
from guard.media import Artifact, Modality
from guard.media.stream import Samples

OUTPUT = Context("output", model="m")


@dataclass(frozen=True)
class Segment:
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Transcript:
    segments: Sequence[Segment] = ()
    text: str = ""


class Finds:
    """Marks a word wherever it stands in a text."""

    card = DetectorCard("finds", "1", "word", frozenset({Modality.TEXT}), "for tests", "MIT")

    def __init__(self, word: str) -> None:
        self.word = word
        self.texts: list[str] = []

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.texts.append(artifact.text)
        starts = [at for at in range(len(artifact.text)) if artifact.text.startswith(self.word, at)]
        spans = tuple(Span(at, at + len(self.word), "found") for at in starts)
        return [Finding("finds", "1", "word", float(bool(spans)), 0.5, spans, details={"language": "en"})]


@pytest.fixture(scope="module")
def sound() -> Artifact:
    return Artifact.from_samples(Samples(16000, np.full((16000, 1), 0.1, np.float32)), "audio/wav")


def hears(*segments: Segment, word: str = "boat") -> tuple[Spoken, Finds]:
    detector = Finds(word)
    return Spoken(lambda _: Transcript(segments), [detector], model="ears@1"), detector


def places(spoken: Spoken, sound: Artifact) -> list[tuple[object, object]]:
    [finding] = spoken.inspect(sound, OUTPUT)
    assert finding.spans == ()
    return [(place["start"], place["end"]) for place in finding.details["spoken"]]


def test_a_word_is_found_with_the_time_at_which_it_is_said(sound: Artifact) -> None:
    spoken, _ = hears(Segment(0, 2.5, "a red kite"), Segment(2.5, 4.123, "a blue boat"), Segment(5, 6, "sea"))
    [finding] = inspect_all([spoken], sound, OUTPUT)
    assert (finding.detector, finding.signal, finding.score, finding.flagged) == ("finds", "word", 1.0, True)
    assert finding.spans == ()
    assert finding.details == {
        "language": "en",
        "spoken": [{"start": 2.5, "end": 4.12, "label": "found"}],
    }


def test_a_word_across_two_segments_has_the_time_of_both(sound: Artifact) -> None:
    spoken, detector = hears(
        Segment(0, 1, "the red"), Segment(1, 2, "boat sails"), Segment(2, 3, ""), word="red boat"
    )
    assert places(spoken, sound) == [(0, 2)]
    assert detector.texts == ["the red boat sails "]


@pytest.mark.parametrize(
    ("segments", "times"),
    [
        ([], []),
        ([Segment(0, 1, "")], []),
        ([Segment(0, 1, "kite")], []),
        ([Segment(0, 1, "boat"), Segment(1, 2, "boat")], [(0, 1), (1, 2)]),
        ([Segment(0, 1, "boat boat")], [(0, 1), (0, 1)]),
        ([Segment(3, 4, ""), Segment(4, 5, "boat"), Segment(5, 6, "")], [(4, 5)]),
    ],
)
def test_times_by_segments(
    segments: list[Segment], times: list[tuple[float, float]], sound: Artifact
) -> None:
    spoken, _ = hears(*segments)
    assert places(spoken, sound) == times


def test_a_transcript_without_times_is_screened_all_the_same(sound: Artifact) -> None:
    spoken = Spoken(lambda _: Transcript(text="my boat"), [Finds("boat")], model="ears")
    [finding] = spoken.inspect(sound, OUTPUT)
    assert finding.flagged
    assert finding.details["spoken"] == []


def test_many_places_are_cut_off_but_still_count(sound: Artifact) -> None:
    spoken, _ = hears(Segment(0, 9, "boat " * 500))
    [finding] = spoken.inspect(sound, OUTPUT)
    assert finding.flagged
    assert len(finding.details["spoken"]) == 100


def test_the_block_list_hears_too(sound: Artifact) -> None:
    spoken = Spoken(
        lambda _: Transcript([Segment(0, 1, "a forbidden-demo-term")]), [Blocklist()], model="ears"
    )
    scores = {finding.signal: finding.score for finding in inspect_all([spoken], sound, OUTPUT)}
    assert scores["blocklist"] == 1.0


def test_text_alone_is_asked_for_words(sound: Artifact) -> None:
    class Looks(Finds):
        card = DetectorCard("looks", "1", "look", frozenset({Modality.IMAGE}), "for tests", "MIT")

    looks = Looks("boat")
    spoken = Spoken(lambda _: Transcript([Segment(0, 1, "boat")]), [looks, Finds("boat")], model="ears")
    assert [finding.detector for finding in spoken.inspect(sound, OUTPUT)] == ["finds"]
    assert looks.texts == []


@pytest.mark.parametrize("error", [GenerationError("The model failed."), RuntimeError("boom"), MemoryError()])
def test_words_that_were_not_heard_are_a_failure_and_no_silence(error: Exception, sound: Artifact) -> None:
    def deaf(_: Artifact) -> Transcript:
        raise error

    spoken = Spoken(deaf, [Finds("boat")], model="ears@1")
    with pytest.raises(DetectorError, match="not screened"):
        spoken.inspect(sound, OUTPUT)
    [finding] = inspect_all([spoken], sound, OUTPUT)
    assert (finding.detector, finding.version, finding.score) == ("spoken", "1+ears@1", None)
    assert finding.error is not None
    assert "Spoken words were not screened" in finding.error


def test_a_transcript_that_is_no_text_is_a_failure(sound: Artifact) -> None:
    spoken = Spoken(lambda _: Transcript([Segment(0, 1, "\ud800")]), [Finds("boat")], model="ears")
    with pytest.raises(DetectorError, match="not screened"):
        spoken.inspect(sound, OUTPUT)


def test_a_text_detector_that_fails_is_told_by_its_name(sound: Artifact) -> None:
    class Fails(Finds):
        def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
            raise RuntimeError("boom")

    spoken = Spoken(lambda _: Transcript([Segment(0, 1, "boat")]), [Fails("x"), Finds("boat")], model="ears")
    failed, found = inspect_all([spoken], sound, OUTPUT)
    assert (failed.detector, failed.error) == ("finds", "RuntimeError: boom")
    assert found.flagged


def test_without_text_detectors_nothing_was_screened(sound: Artifact) -> None:
    [finding] = inspect_all([Spoken(lambda _: Transcript(), [], model="ears")], sound, OUTPUT)
    assert finding.error == "The detector gave no finding."


def test_only_sound_is_listened_to() -> None:
    spoken, detector = hears(Segment(0, 1, "boat"))
    assert inspect_all([spoken], Artifact.from_text("boat"), OUTPUT) == []
    assert detector.texts == []
