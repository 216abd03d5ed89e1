"""Detectors on a text that comes in: windows, failures, and what all of them together clear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

import pytest

from detectors import Context, DetectorCard, Finding, Span, Watch, Watching
from detectors.blocklist import Blocklist
from guard.media import Artifact, Modality
from tests.unit.detectors.seers import Seer, found, nothing

OUTPUT = Context("output")
Look = Callable[[str], Sequence[Finding]]


def finding(
    score: float | None = 0.0, signal: str = "tone", *spans: tuple[int, int], error: str = ""
) -> Finding:
    places = tuple(Span(start, end, "x") for start, end in spans)
    return Finding("reader", "1", signal, score, 0.5, places, error=error or None)


class Reader:
    """A detector of whole texts."""

    def __init__(self, look: Look, modality: Modality = Modality.TEXT) -> None:
        self.card = DetectorCard("reader", "1", "tone", frozenset({modality}), "for tests", "Apache-2.0")
        self.look = look
        self.seen: list[str] = []

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.seen.append(artifact.text)
        return self.look(artifact.text)


class Streamer(Reader):
    """One that follows a text, as badly as it is told to."""

    def __init__(self, watch: Callable[[], Watch]) -> None:
        super().__init__(lambda _: ())
        self.make = watch

    def watch(self, context: Context) -> Watch:
        return self.make()


class Scripted:
    """A watch whose answers are given: what it clears and what it found, piece by piece."""

    def __init__(self, *steps: tuple[int, Sequence[Finding]], last: Sequence[Finding] = ()) -> None:
        self.steps, self.last = list(steps), last
        self.now: Sequence[Finding] = ()

    def feed(self, piece: str) -> int:
        cleared, self.now = self.steps.pop(0)
        return cleared

    def findings(self) -> Sequence[Finding]:
        return self.now

    def finish(self) -> Sequence[Finding]:
        return self.last


def test_a_short_text_is_one_window() -> None:
    reader = Reader(lambda _: [finding()])
    watching = Watching([reader], OUTPUT, 16)
    assert [watching.feed(piece) for piece in ("short ", "text")] == [0, 0]
    assert watching.findings == ()
    watching.finish()
    assert reader.seen == ["short text"]
    assert watching.findings == (finding(),)


@pytest.mark.parametrize("size", [1, 5, 16, 64])
@pytest.mark.parametrize("length", [16, 23, 24, 25, 40])
def test_windows_cover_all_and_overlap_by_half(size: int, length: int) -> None:
    text = "".join(chr(ord("a") + number % 26) for number in range(length))
    reader = Reader(lambda _: [finding()])
    watching = Watching([reader], OUTPUT, 16)
    for start in range(0, length, size):
        cleared = watching.feed(text[start : start + size])
        assert cleared <= max(0, 8 * len(reader.seen))
    watching.finish()
    assert reader.seen[:-1] == [text[8 * n : 8 * n + 16] for n in range(len(reader.seen) - 1)]
    assert text.endswith(reader.seen[-1])
    for start in range(length - 8):
        assert any(text[start : start + 8] in seen for seen in reader.seen)


def test_the_worst_window_counts_and_places_add_up() -> None:
    def look(text: str) -> Sequence[Finding]:
        at = text.find("!")
        return [
            finding(0.7 if at >= 0 else 0.1, "tone", *([(at, at + 1)] if at >= 0 else [])),
            finding(0.2, "b"),
        ]

    watching = Watching([Reader(look)], OUTPUT, 8)
    seen = [watching.findings]
    for piece in ("....", "....", "..!.", "....", "....", "!..."):
        watching.feed(piece)
        if watching.findings is not seen[-1]:
            seen.append(watching.findings)
    watching.finish()
    assert watching.findings == (finding(0.7, "tone", (10, 11), (20, 21)), finding(0.2, "b"))
    assert len(seen) == 4  # nothing, calm, one place, the second


def test_a_failure_of_one_window_is_not_outvoted() -> None:
    def look(text: str) -> Sequence[Finding]:
        return [finding(None, error="no idea")] if "?" in text else [finding(0.9)]

    watching = Watching([Reader(look)], OUTPUT, 8)
    for piece in ("....", "....", "?...", "....", "....", "...."):
        watching.feed(piece)
    watching.finish()
    assert [f.error for f in watching.findings] == ["no idea"]


@pytest.mark.parametrize(
    ("watch", "error"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: Scripted(), "IndexError"),
        (lambda: Scripted((5, ()), last=[finding()]), "no finding"),
        (lambda: Scripted((5, [finding(7.0)])), "not in [0, 1]"),
        (lambda: Scripted((0, ()), last=()), "no finding"),
        (lambda: Scripted((5, [finding()]), last=[finding(None)]), "neither score nor error"),
    ],
)
def test_a_watch_that_fails_is_a_finding_and_holds_nothing(watch: Callable[[], Watch], error: str) -> None:
    watching = Watching([Streamer(watch), Blocklist()], OUTPUT, 8)
    watching.feed("Hello")
    watching.finish()
    first, *others = watching.findings
    assert error in (first.error or "")
    assert first.score is None
    assert others
    assert all(other.error is None for other in others)


def test_the_most_careful_detector_decides() -> None:
    first = Streamer(lambda: Scripted((5, [finding()]), (9, [finding()]), last=[finding()]))
    second = Streamer(lambda: Scripted((2, [finding()]), (12, [finding()]), last=[finding()]))
    watching = Watching([first, second], OUTPUT, 8)
    assert [watching.feed("x") for _ in range(2)] == [2, 9]


def test_detectors_of_other_media_are_not_asked() -> None:
    watching = Watching([Reader(lambda _: (), Modality.IMAGE)], OUTPUT, 8)
    assert watching.feed("Hello") > 5
    watching.finish()
    assert watching.findings == ()


def test_a_window_that_says_too_little_hides_no_score() -> None:
    def say(artifact: Artifact) -> Sequence[Finding]:
        return [found(0.7)] if "bad" in artifact.text else [nothing()]

    cases = {"so bad" + "x" * 20: "scored", "x" * 20 + "so bad": "scored", "x" * 30: "inconclusive"}
    for text, state in cases.items():
        watching = Watching([Seer(say)], OUTPUT, 8)
        watching.feed(text)
        watching.finish()
        assert [finding.state for finding in watching.findings] == [state]


def test_a_slow_window_is_a_failure_and_the_measured_error_is_told() -> None:
    gate = Event()
    slow = Seer(lambda _: [found(0.1)] if gate.wait(20) else [], name="slow window", seconds=0.01)
    watching = Watching([slow, Seer(lambda _: [found(0.1)], false_alarms=0.3)], OUTPUT, 8)
    watching.finish()
    gate.set()
    assert [finding.state for finding in watching.findings] == ["failed", "scored"]
    assert watching.findings[1].error_rate == 0.3


def test_only_what_is_read_is_watched() -> None:
    seers = [Seer(lambda _, name=name: [found(0.1, name)], name=name, signal=name) for name in "ab"]
    watching = Watching(seers, Context("output", signals=frozenset({"b"})), 8)
    watching.finish()
    assert [finding.signal for finding in watching.findings] == ["b"]
