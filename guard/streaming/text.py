"""One text that leaves while it is still being written."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from detectors.watching import Watching
from guard.drafts import JSON, REFUSALS, Draft, entry, facts, of_text
from guard.errors import CredentialError, InputError
from guard.ledger import Entry, Status
from guard.media import Modality
from guard.media.formats import PLAIN_TEXT
from guard.media.text import encode_text, sniff_text
from guard.obligations import spans_to_redact, unmet
from guard.streaming.leaving import Leaving
from guard.watermark import Payload
from policies.base import TOKEN, Action, Decision, StreamMode

if TYPE_CHECKING:
    from guard.streaming.answer import AnswerStream

__all__ = ["TextStream"]

_HEAD = 1024


class TextStream:
    """One text of an answer. Positions are code points of the original, as the model wrote it."""

    def __init__(self, answer: AnswerStream, json: bool, signing: bool = False) -> None:
        guard, origin = answer.guard, answer.origin
        self.on_record = False
        self.refused = False
        self._answer = answer
        self._policy = guard.policy
        self._mime = JSON if json else ""
        self._payload = Payload.random()
        requirements = guard.policy.requirements(Modality.TEXT, origin.route)
        self._signing = signing and not json
        self._requirements = replace(requirements, sign=True) if self._signing else requirements
        self._leaving = Leaving()
        self._watching = Watching(
            guard.detectors,
            guard.context("output", origin),
            guard.policy.stream.window * TOKEN,
        )
        self._decision: Decision | None = None
        self._final: Draft | None = None
        self._judged: object = None
        self._safe = 0
        self._half = ""
        self._last = ""
        self._normal = True
        self._tail = ""

    @property
    def id(self) -> str:
        """The release id."""
        return self._payload.hex

    @property
    def size(self) -> int:
        """How many code points have come in; half a surrogate pair counts once the other half is there."""
        return self._leaving.size

    @property
    def cleared(self) -> int:
        """How many code points from the start may leave: 0 before the text is on record."""
        return self._safe if self.on_record else 0

    @property
    def waiting(self) -> bool:
        """Whether something is cleared but for the record."""
        return self._safe > 0 and not self.on_record

    def feed(self, piece: str) -> int:
        """Take the upstream's next piece; returns `cleared`.

        Raises `BlockedError` once a rule forbids the text (the refusal is recorded), `MalformedMediaError`
        for what no text holds, `LedgerError` where its row could not be written.
        """
        with self._answer.lock:
            self.take(piece)
            if self._answer.due:
                self._answer.settle()
            return self.cleared

    def take(self, piece: str) -> None:
        """`feed` without writing anything: when it made something `due`, the answer wants to `settle`."""
        with self._answer.lock:
            if self._final is not None:
                raise InputError("The text goes on after its end.")
            if self.refused:
                return
            if self._half or not piece.isascii():
                piece = self._paired(piece)
            encode_text(piece)
            self._leaving.add(piece)
            with self._answer.guard.trace("screen"):
                safe = self._watching.feed(piece)
            if self._requirements.sign:
                self._keep_normal(piece)
            self._advance(min(safe, self.size))

    def shown(self, start: int, end: int) -> str:
        """What leaves in place of these code points of the original; they count as left from now on.

        Raises `ValueError` where they are not cleared.
        """
        with self._answer.lock:
            if end > self.cleared:
                raise ValueError(f"Only {self.cleared} code points are cleared, not {end}.")
            return self._leaving.leave(start, end)

    def finish(self) -> str:
        """It is all in: screen the rest, which is cleared then. Returns what to send after the last piece,
        mostly nothing. Raises what `feed` raises, and `MarkError` or `CredentialError`."""
        with self._answer.lock:
            self.complete()
            if self._answer.due:
                self._answer.settle()
            return self._tail

    @property
    def tail(self) -> str:
        """What to send after the last piece, once the text is finished."""
        return self._tail

    @property
    def draft(self) -> Draft:
        """The part that has left, under the decision so far."""
        assert self._decision is not None
        gone = of_text(self._leaving.shown(0, self._leaving.left), program=self._mime == JSON)
        return Draft(self._payload, gone, self._decision, self._watching.findings)

    @property
    def final(self) -> Draft:
        """All of it, once the text is finished."""
        assert self._final is not None
        return self._final

    def entry(self, status: Status, ended: str = "") -> Entry:
        """The text's row: of what has left, or of all where it is released."""
        draft = self.final if status is Status.RELEASED else self.draft
        return entry(draft, self._answer.origin, self._policy, status, ended)

    def complete(self) -> bool:
        """`finish` without writing anything; whether there is any text at all."""
        with self._answer.lock:
            encode_text(self._half)
            if self.size and self._final is None and not self.refused:
                self._complete()
            return self.size > 0

    def _complete(self) -> None:
        with self._answer.guard.trace("screen"):
            self._watching.finish()
        original = of_text(self._leaving.original(), program=self._mime == JSON)
        self._judge(original.mime, final=True)
        if not self.refused:
            assert self._decision is not None
            shown = replace(original, data=self._leaving.whole().encode())
            draft = Draft(self._payload, shown, self._decision, self._watching.findings)
            self._final = self._answer.guard.evidenced(draft, original, self._answer.origin)
            self._tail = self._end_as(self._final.artifact.text)
            self._safe = self.size
        self._answer.due |= self.refused or self.waiting

    def _end_as(self, final: str) -> str:
        tail = self._leaving.become(final)
        if tail is None:
            raise CredentialError(
                "The signature asks for another form of what has left already.",
                "Use a policy with `stream: {mode: buffered}`, or one that does not sign chats.",
            )
        return tail

    def _advance(self, safe: int) -> None:
        if (safe or self._shadow) and self._watching.findings is not self._judged:
            self._judge(self._mime or sniff_text(self._leaving.head(_HEAD)))
        if not self.refused:
            self._safe = max(self._safe, self._allowed(safe))
        if self.refused or self.waiting:
            self._answer.due = True

    def _judge(self, mime: str, *, final: bool = False) -> None:
        findings, origin = self._watching.findings, self._answer.origin
        self._judged = findings
        with self._answer.guard.trace("decide"):
            decision = self._policy.decide(facts(mime, Modality.TEXT, findings, origin, "output"))
        if self._signing and mime == PLAIN_TEXT:
            decision = decision.signed()
        if self._shadow:
            decision = decision.in_shadow()
        if decision.action not in REFUSALS:
            with self._answer.guard.trace("oblige"):
                decision = self._obliged(decision, mime, final)
        self._decision = decision
        self.refused = decision.action in REFUSALS

    def _obliged(self, decision: Decision, mime: str, final: bool) -> Decision:
        """The decision, its obligations met on what has not left; one to block where that is too late."""
        spans = spans_to_redact(decision, self._watching.findings, self._policy)
        if decision.obliges(Action.REDACT) and not spans:
            return unmet(decision, Action.REDACT, "nothing in this text can be redacted.")
        if not self._leaving.redact(spans):
            return unmet(decision, Action.REDACT, "what it cuts out has left already.")
        if decision.obliges(Action.BLUR):
            return unmet(decision, Action.BLUR, "nothing in this text can be blurred.")
        if decision.obliges(Action.LABEL) and mime != JSON and (final or not self._like_json):
            self._leaving.label()
        return decision

    def _allowed(self, safe: int) -> int:
        """How much of what is cleared may leave before the text is all in."""
        if self._requirements.mark or self._policy.stream.mode is StreamMode.BUFFERED:
            return 0  # a mark is put on the whole
        if self._shadow:
            return self.size
        if self._decision and self._decision.obliges(Action.LABEL) and self._like_json:
            return 0  # what turns out to be JSON is read by a program, which a label would break
        if self._requirements.sign:
            return min(safe, self.size - 1) if self._normal else 0
        return safe

    @property
    def _shadow(self) -> bool:
        return self._policy.stream.mode is StreamMode.SHADOW

    @property
    def _like_json(self) -> bool:
        return self._mime != JSON and self._leaving.head(_HEAD).lstrip()[:1] in ("", "{", "[")

    def _keep_normal(self, piece: str) -> None:
        """C2PA signs text in NFC: what is not in that form waits for the whole, which is then rewritten."""
        self._normal = self._normal and unicodedata.is_normalized("NFC", self._last + piece)
        self._last = piece[-1:] or self._last

    def _paired(self, piece: str) -> str:
        """The piece with halves of surrogate pairs put together, also where they came in two pieces."""
        text = (self._half + piece).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return text.removesuffix(self._half)
