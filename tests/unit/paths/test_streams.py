"""Texts that leave while they are written, held against what a look at the whole would have said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Context, DetectorCard, Finding, Span
from guard.app import App
from guard.errors import (
    BlockedError,
    CredentialError,
)
from guard.ledger import Entry, Receipt, Status
from guard.media import Artifact, Modality
from guard.pipeline import Guard
from policies.policy import loads
from tests.unit.paths.streaming import CHAT, HEAD, WORDS, Capitals, cut, follow, rows, rule, sha256, under


class Memory:
    """A ledger that is quick enough for a thousand streams."""

    def __init__(self) -> None:
        self.rows: dict[str, Entry] = {}

    def record(self, entries: Sequence[Entry]) -> list[Receipt]:
        for entry in entries:
            known = self.rows.get(entry.id)
            assert known is None or known.status is Status.STREAMING
            self.rows[entry.id] = entry
        return [Receipt(entry.id, 1, entry.created_at) for entry in entries]


@dataclasses.dataclass
class Teller:
    """A detector of whole texts that flags a word, with its place."""

    word: str = "loud"
    score: float = 0.9
    dies_on: str = "\0"
    seen: list[str] = dataclasses.field(default_factory=list)
    card = DetectorCard("teller", "1", "tone", frozenset({Modality.TEXT}), "for tests", "Apache-2.0")

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.seen.append(artifact.text)
        if self.dies_on in artifact.text:
            raise RuntimeError("out of order")
        at = artifact.text.find(self.word)
        spans = (Span(at, at + len(self.word), "word"),) if at >= 0 else ()
        return [Finding("teller", "1", "tone", self.score if spans else 0.0, 0.5, spans)]


class TestWindowed:
    @settings(max_examples=60)
    @given(st.lists(WORDS, min_size=1, max_size=12), st.data())
    def test_any_cut_gives_what_the_whole_gives(
        self, quick: Guard, words: list[str], data: st.DataObject
    ) -> None:
        whole = "".join(words)
        places = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
        pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]
        ledger = Memory()
        guard = dataclasses.replace(quick, ledger=ledger)  # type: ignore[arg-type]
        left, releases = follow(guard.stream(CHAT), pieces)
        try:
            (expected,) = guard.release([Artifact.from_text(whole)], CHAT)
        except BlockedError:
            assert releases is None
            (entry,) = [e for e in ledger.rows.values() if e.sha256 == sha256(left)][:1]
            assert (entry.status, entry.rule) == (Status.BLOCKED, "blocklist")
            assert not _first_banned(guard, whole, len(left))
        else:
            assert releases is not None
            assert left == expected.artifact.text
            assert releases[0].artifact == expected.artifact
            assert releases[0].decision == expected.decision
            assert releases[0].findings == expected.findings
            assert ledger.rows[releases[0].id].status is Status.RELEASED

    def test_plain_text_leaves_at_once(self, guard: Guard) -> None:
        text = guard.stream(CHAT).text("t")
        assert [text.feed(piece) for piece in ("The moon ", "over ", "the ", "sea.")] == [9, 14, 18, 22]

    def test_a_name_for_each_text(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        for name, piece in [(0, "One "), (1, "Uno "), (0, "two."), (1, "due.")]:
            answer.text(name).feed(piece)
        answer.text("empty").feed("")
        one, uno = answer.finish()
        assert (one.artifact.text, uno.artifact.text) == ("One two.", "Uno due.")
        assert [answer.texts[name].id for name in (0, 1)] == [one.id, uno.id]
        entry = app.ledger.by_id(uno.id)
        assert entry is not None
        assert (entry.status, entry.size, entry.caller) == (Status.RELEASED, 8, "alice")
        assert entry.prompt_sha256 == sha256("Say something.")
        assert app.ledger.receipt(uno.id) == uno.receipt

    def test_a_word_may_grow_beyond_any_window(self, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        begin = "-----BEGIN PRIVATE" + " KEY-----\n"
        for piece in ["The key: ", *cut(begin + "QUJD" * 3000, 4)]:
            assert text.feed(piece) in (9, 8)
        assert text.feed("! Keep it. " * 200) > 12_000
        assert answer.finish()[0].artifact.text == "The key: [credential]" + "! Keep it. " * 200


class TestWindows:
    """Detectors that cannot follow a text read it in windows that overlap."""

    def test_nothing_is_cleared_before_it_was_seen(self, guard: Guard) -> None:
        teller = Teller()
        guarded = under(guard, rule("block"), stream="{window: 4}", detectors=[teller])
        text = guarded.stream(CHAT).text("t")
        whole = "a quieter text that goes on"
        assert [text.feed(piece) for piece in cut(whole, 5)] == [0, 0, 0, 8, 16, 16]
        assert teller.seen == [whole[:16], whole[8:24]]
        text.finish()
        assert teller.seen[2:] == [whole[16:]]
        assert text.cleared == text.size == 27

    @pytest.mark.parametrize("size", [1, 3, 8, 100])
    @pytest.mark.parametrize("before", [0, 5, 11, 12, 13, 30])
    def test_what_straddles_windows_is_seen_whole(self, guard: Guard, size: int, before: int) -> None:
        guarded = under(guard, rule("block"), stream="{window: 4}", detectors=[Teller()])
        left, releases = follow(guarded.stream(CHAT), cut("." * before + "loud" + "." * 20, size))
        assert releases is None
        assert left == "." * len(left)

    @pytest.mark.parametrize("size", [1, 3, 8, 100])
    def test_places_are_those_of_the_whole(self, guard: Guard, size: int) -> None:
        guarded = under(guard, rule("redact"), stream="{window: 4}", detectors=[Teller()])
        left, releases = follow(guarded.stream(CHAT), cut("." * 21 + "loud" + "." * 9, size))
        assert left == "." * 21 + "[word]" + "." * 9
        assert releases is not None
        assert releases[0].findings[0].spans == (Span(21, 25, "word"),)

    def test_a_detector_that_dies_speaks_for_the_whole_text(self, app: App, guard: Guard) -> None:
        guarded = under(guard, rule("block"), stream="{window: 4}", detectors=[Teller(dies_on="poison")])
        left, releases = follow(guarded.stream(CHAT), cut("." * 40 + "poison" + "." * 20, 4))
        assert (releases, left) == (None, "." * 32)
        (row,) = rows(app)
        assert (row["status"], row["size"]) == ("blocked", 32)
        allowed = under(
            guard, rule("block", on_error="allow"), stream="{window: 4}", detectors=[Teller(dies_on="poison")]
        )
        left, releases = follow(allowed.stream(CHAT), cut("." * 40 + "poison" + "." * 20, 4))
        assert left == "." * 40 + "poison" + "." * 20
        assert releases is not None
        assert releases[0].findings[0].error == "RuntimeError: out of order"

    def test_a_missing_detector_blocks_before_the_first_word(self, app: App, guard: Guard) -> None:
        left, releases = follow(under(guard, rule("block"), detectors=[]).stream(CHAT), ["Hello ", "there."])
        assert (left, releases) == ("", None)
        assert [(row["status"], row["size"]) for row in rows(app)] == [("blocked", 0)]


class Follower:
    """A detector that says of itself what is cleared, and flags a place long after it was."""

    card = DetectorCard("late", "1", "tone", frozenset({Modality.TEXT}), "for tests", "Apache-2.0")

    def __init__(self, at: int = 0, spans: tuple[Span, ...] = (Span(0, 4, "word"),)) -> None:
        self.at, self.spans = at, spans

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        raise NotImplementedError

    def watch(self, context: Context) -> _Late:
        return _Late(self)


class _Late:
    def __init__(self, owner: Follower) -> None:
        self.owner, self.size = owner, 0
        self.calm = (Finding("late", "1", "tone", 0.0, 0.5),)
        self.flagged = (Finding("late", "1", "tone", 0.9, 0.5, owner.spans),)

    def feed(self, piece: str) -> int:
        self.size += len(piece)
        return self.size

    def findings(self) -> Sequence[Finding]:
        return self.flagged if self.size > self.owner.at else self.calm

    def finish(self) -> Sequence[Finding]:
        return self.findings()


class TestObligations:
    PIECES = ("Good ", "morn", "ing ", "to all.")

    def test_what_has_left_cannot_be_cut_out(self, app: App, guard: Guard) -> None:
        late = under(guard, rule("redact"), detectors=[Follower(at=9)])
        left, releases = follow(late.stream(CHAT), self.PIECES)
        assert (left, releases) == ("Good morn", None)
        (row,) = rows(app)
        assert (row["status"], row["rule"], row["size"]) == ("blocked", "redact", 9)

    def test_what_has_not_left_can(self, guard: Guard) -> None:
        late = under(guard, rule("redact"), detectors=[Follower(at=9, spans=(Span(9, 12, "end"),))])
        left, _ = follow(late.stream(CHAT), self.PIECES)
        assert left == "Good morn[end] to all."

    def test_nothing_to_cut_out_blocks(self, guard: Guard) -> None:
        late = under(guard, rule("redact"), detectors=[Follower(at=9, spans=())])
        assert follow(late.stream(CHAT), self.PIECES) == ("Good morn", None)

    def test_a_text_cannot_be_blurred(self, guard: Guard) -> None:
        late = under(guard, rule("blur"), detectors=[Follower(at=9)])
        assert follow(late.stream(CHAT), self.PIECES) == ("Good morn", None)

    def test_a_late_label_stands_before_the_rest(self, guard: Guard) -> None:
        late = under(guard, rule("label"), detectors=[Follower(at=9)])
        left, releases = follow(late.stream(CHAT), self.PIECES)
        assert left == "Good morn\n[AI-generated]\ning to all."
        assert releases is not None
        assert releases[0].artifact.text == left

    def test_conditions_are_judged_again_only_when_something_changed(self, guard: Guard) -> None:
        steps: list[str] = []

        @contextmanager
        def trace(step: str) -> Iterator[None]:
            steps.append(step)
            yield

        late = dataclasses.replace(under(guard, rule("label"), detectors=[Follower(at=9)]), trace=trace)
        follow(late.stream(CHAT), [*self.PIECES, *["word "] * 50])
        assert steps.count("decide") == 3  # at the start, at the change, at the end
        assert steps.count("screen") == 55

    def test_review_holds(self, app: App, guard: Guard) -> None:
        late = under(guard, rule("review"), detectors=[Follower(at=9)])
        assert follow(late.stream(CHAT), self.PIECES)[1] is None
        assert [row["status"] for row in rows(app)] == ["held"]


class TestModes:
    def test_buffered(self, guard: Guard) -> None:
        answer = under(guard, rule("block"), stream="{mode: buffered}", detectors=[Follower(at=99)]).stream(
            CHAT
        )
        text = answer.text("t")
        assert [text.feed(piece) for piece in ("Good ", "morning.")] == [0, 0]
        assert not answer.due
        text.finish()
        assert text.cleared == 13

    def test_shadow(self, app: App, guard: Guard) -> None:
        shadow = under(guard, rule("block"), stream="{mode: shadow}", detectors=[Teller()])
        answer = shadow.stream(CHAT)
        text = answer.text("t")
        assert [text.feed(piece) for piece in ("Too ", "loud.")] == [4, 9]
        (release,) = answer.finish()
        assert release.decision.action == "allow"
        assert [(hit.rule, hit.mode) for hit in release.decision.fired] == [("block", "shadow")]

    def test_json_is_left_whole(self, guard: Guard) -> None:
        label = under(guard, rule("label", "true"), detectors=[])
        answer = label.stream(CHAT)
        text = answer.text("arguments", json=True)
        assert text.feed('{"a": ') == 6
        assert text.shown(0, 6) == '{"a": '
        text.feed("1}")
        assert answer.finish()[0].artifact.mime == "application/json"

    def test_a_mark_waits_for_the_whole(self, guard: Guard) -> None:
        marking = dataclasses.replace(
            under(guard, "", detectors=[]),
            policy=loads(HEAD.replace("mark: false", "mark: true") + "rules: []"),
            watermarkers={Modality.TEXT: Capitals()},
        )
        answer = marking.stream(CHAT)
        text = answer.text("t")
        assert [text.feed(piece) for piece in ("Good ", "morning.")] == [0, 0]
        (release,) = answer.finish()
        assert text.shown(0, 5) + text.shown(5, 13) + text.tail == "GOOD MORNING."
        assert release.mark is not None

    def test_a_signature_that_comes_too_late(self, guard: Guard) -> None:
        signing = dataclasses.replace(
            guard, policy=loads(HEAD.replace("sign: false", "sign: true") + "rules: []"), detectors=[]
        )
        answer = signing.stream(CHAT)
        text = answer.text("t")
        text.feed("e and ")
        text.feed("more")
        text.shown(0, text.cleared)
        text.feed("\u0301")
        assert text.cleared == 9
        text.finish()
        assert text.shown(9, 11).startswith("é")
        assert text.tail == ""

    def test_a_signature_that_would_rewrite_what_has_left(self, app: App, guard: Guard) -> None:
        """Only where the policy lets everything out at once."""
        head = HEAD.replace("sign: false", "sign: true")
        policy = loads(head + "stream: {mode: shadow}\nrules: []")
        answer = dataclasses.replace(guard, policy=policy, detectors=[]).stream(CHAT)
        text = answer.text("t")
        assert text.feed("e\u0301 and more") == 11
        text.shown(0, 11)
        with pytest.raises(CredentialError, match="another form"):
            answer.finish()
        answer.cut("no signature")
        assert [row["status"] for row in rows(app)] == ["cut"]


def _first_banned(guard: Guard, whole: str, left: int) -> bool:
    """Whether a part of a banned phrase is among what left."""
    (blocklist,) = (d for d in guard.detectors if d.card.id == "blocklist")
    found = blocklist.inspect(Artifact.from_text(whole), Context("output"))
    starts = [s.start for f in found if f.signal == "blocklist" for s in f.spans]
    shown = [s for f in found if f.signal == "secrets" for s in f.spans]
    return not shown and min(starts) < left
