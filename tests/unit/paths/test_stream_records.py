"""What is on record of texts that leave while they are written, and the characters they come in."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest

from guard.app import App
from guard.errors import (
    BlockedError,
    InputError,
    LedgerError,
    MalformedMediaError,
    MarkError,
)
from guard.ledger import Ledger, Receipt
from guard.media import Artifact, Modality
from guard.pipeline import Guard
from guard.watermark import Reading, ReadingState
from policies.policy import loads
from tests.unit.paths.streaming import BANNED, CHAT, HEAD, KEY, Capitals, rows, sha256


class TestRecords:
    def test_the_row_is_there_before_the_first_character(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        text.take("Good ")
        assert (text.cleared, text.waiting, answer.due) == (0, True, True)
        with pytest.raises(ValueError, match="cleared"):
            text.shown(0, 5)
        assert rows(app) == []
        answer.settle()
        assert (text.cleared, answer.due) == (5, False)
        (row,) = rows(app)
        assert (row["id"], row["status"], row["size"]) == (text.id, "streaming", 0)
        text.shown(0, 5)
        text.take("morning.")
        assert not answer.due
        (release,) = answer.finish()
        (row,) = rows(app)
        assert (row["id"], row["status"], row["sha256"]) == (
            release.id,
            "released",
            sha256("Good morning."),
        )
        answer.cut("too late")
        assert [row["status"] for row in rows(app)] == ["released"]

    def test_one_that_ends_before_it_began_needs_one_row_only(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        answer.text("t").take("Good morning.")
        assert answer.finish()[0].receipt.index == 1

    @pytest.mark.parametrize(("shown", "expected"), [(0, ""), (3, "Goo"), (9, "Good [cre")])
    def test_a_cut_answer_records_what_had_left(
        self, app: App, guard: Guard, shown: int, expected: str
    ) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        text.feed(f"Good {KEY} ")
        assert text.cleared == 5 + len(KEY) + 1
        left = text.shown(0, shown)
        other = answer.text("u")
        other.take("Never left.")
        answer.cut("the caller left")
        (row,) = rows(app)
        assert (row["status"], row["size"]) == ("cut", len(left))
        assert left == ("Good [credential]" if shown == 9 else expected)
        assert row["sha256"] == sha256(left)
        assert row["decision"]["ended"] == "the caller left"
        answer.cut("again")
        assert len(rows(app)) == 1

    def test_a_block_is_on_record_once(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        text.feed("Say ")
        text.shown(0, 3)
        with pytest.raises(BlockedError) as caught:
            text.feed(f"{BANNED} ")
        assert caught.value.release_id == text.id
        for again in (lambda: text.feed("more"), answer.finish, text.finish):
            with suppress(BlockedError):
                again()
        answer.cut("done")
        assert text.cleared == 4
        (row,) = rows(app)
        assert (row["status"], row["size"], row["action"]) == ("blocked", 3, "block")

    def test_one_that_shows_at_the_end_only(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        text.feed(f"Say {BANNED}")
        with pytest.raises(BlockedError):
            text.finish()
        assert [row["status"] for row in rows(app)] == ["blocked"]

    def test_a_ledger_that_cannot_write_clears_nothing(
        self, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> list[Receipt]:
            raise LedgerError("disk full")

        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "record", fail)
            answer = guard.stream(CHAT)
            text = answer.text("t")
            with pytest.raises(LedgerError):
                text.feed("Good ")
            assert (text.cleared, answer.due) == (0, True)
            with pytest.raises(LedgerError):
                answer.finish()
            assert text.cleared == 0
        assert text.size == 5
        assert answer.finish()[0].artifact.text == "Good "

    def test_a_refusal_that_cannot_be_recorded_is_no_way_out(
        self, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> list[Receipt]:
            raise LedgerError("disk full")

        answer = guard.stream(CHAT)
        text = answer.text("t")
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "record", fail)
            with pytest.raises(LedgerError):
                text.feed(f"{BANNED} ")
        with pytest.raises(BlockedError):
            answer.settle()
        assert text.cleared == 0

    def test_marks_and_signatures_that_fail_release_nothing(self, app: App, guard: Guard) -> None:
        class Deaf(Capitals):
            def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
                return Reading(ReadingState.ABSENT, self.name)

        marking = dataclasses.replace(
            guard,
            policy=loads(HEAD.replace("mark: false", "mark: true") + "rules: []"),
            watermarkers={Modality.TEXT: Deaf()},
        )
        answer = marking.stream(CHAT)
        answer.text("t").feed("Good ")
        with pytest.raises(MarkError):
            answer.finish()
        assert rows(app) == []

    def test_many_threads(self, app: App, guard: Guard) -> None:
        answer = guard.stream(CHAT)

        def write(name: int) -> None:
            for piece in ["word "] * 20:
                answer.text(name).feed(piece)

        threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [release.artifact.text for release in answer.finish()] == ["word " * 20] * 4


class TestCharacters:
    def test_halves_of_pairs(self, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        text = answer.text("t")
        sizes = []
        for piece in ("a", "\ud83d", "\ude00", "\ud83d\ude00\ud83d", "", "\ude00"):
            text.feed(piece)
            sizes.append(text.size)
        assert sizes == [1, 1, 2, 3, 3, 4]
        assert answer.finish()[0].artifact.text == "a😀😀😀"

    @pytest.mark.parametrize("pieces", [["a\x00"], ["\ude00"], ["\ud83d", "a"], ["é\ud83d", "\ud83d"]])
    def test_what_no_text_holds(self, guard: Guard, pieces: list[str]) -> None:
        text = guard.stream(CHAT).text("t")
        *fine, bad = pieces
        for piece in fine:
            text.feed(piece)
        with pytest.raises(MalformedMediaError):
            text.feed(bad)

    def test_half_a_character_at_the_end(self, guard: Guard) -> None:
        answer = guard.stream(CHAT)
        answer.text("t").feed("a\ud83d")
        with pytest.raises(MalformedMediaError):
            answer.finish()

    def test_nothing_comes_after_the_end(self, guard: Guard) -> None:
        text = guard.stream(CHAT).text("t")
        text.feed("Good.")
        assert text.finish() == ""
        with pytest.raises(InputError, match="after its end"):
            text.feed(" More.")
