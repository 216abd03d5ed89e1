"""Answers that leave while they are still being written: no text before it is cleared and on record."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from threading import RLock
from typing import TYPE_CHECKING

from guard.drafts import Origin, Release, refusal, released
from guard.ledger import Entry, Receipt, Status
from guard.streaming.text import TextStream

if TYPE_CHECKING:
    from guard.pipeline import Guard

__all__ = ["AnswerStream", "TextStream"]


class AnswerStream:
    """One model's answer, of any number of texts that come in side by side.

    `TextStream.feed` and `finish` write to the ledger where they must. A caller in an event loop rather
    calls `take`, which never does, and `settle` in a worker thread whenever something is `due`.
    """

    def __init__(self, guard: Guard, origin: Origin) -> None:
        self.guard = guard
        self.origin = origin
        self.lock = RLock()
        self.due = False
        self.texts: dict[Hashable, TextStream] = {}
        self.ended = False

    def text(self, key: Hashable, json: bool = False, signing: bool = False) -> TextStream:
        """The text of that name, opened when first asked for; `json` where a program is to read it, `signing`
        where it gets a credential even if the policy asks for none, as far as it turns out to be plain text.
        """
        with self.lock:
            if key not in self.texts:
                self.texts[key] = TextStream(self, json, signing)
            return self.texts[key]

    def settle(self) -> None:
        """Write what is due: rows of texts whose first code points are cleared, or the refusal of one.

        Raises `BlockedError` once a refusal is on record: nothing more of the answer leaves. Raises
        `LedgerError` where nothing could be written; nothing that was not on record leaves then, either.
        """
        with self.lock:
            refused = [text for text in self.texts.values() if text.refused]
            if refused:
                self._end("another text of the answer was refused")
                raise refusal(refused[0].draft)
            waiting = [text for text in self.texts.values() if text.waiting]
            self._record(text.entry(Status.STREAMING) for text in waiting)
            for text in waiting:
                text.on_record = True
            self.due = False

    def finish(self) -> list[Release]:
        """Everything is in: screen what is left and record all texts as released, in the order of opening.

        Texts without a single code point are not among them. Raises what `Guard.release` raises; of what
        had not left by then nothing leaves.
        """
        with self.lock:
            texts = [text for text in self.texts.values() if text.complete()]
            if any(text.refused for text in texts):
                self.settle()
            receipts = self._record(text.entry(Status.RELEASED) for text in texts)
            self.ended, self.due = True, False
            for text in texts:
                text.on_record = True
            return [released(text.final, receipt) for text, receipt in zip(texts, receipts, strict=True)]

    def cut(self, reason: str) -> None:
        """The answer ends early: record what had left. Does nothing where its end is on record already."""
        with self.lock:
            self._end(reason)

    def _end(self, reason: str) -> None:
        if self.ended:
            return
        ends = [
            text.entry(text.draft.status if text.refused else Status.CUT, "" if text.refused else reason)
            for text in self.texts.values()
            if text.refused or text.on_record
        ]
        self._record(ends)
        self.ended, self.due = True, False

    def _record(self, entries: Iterable[Entry]) -> list[Receipt]:
        with self.guard.trace("record"):
            return self.guard.ledger.record(list(entries))
