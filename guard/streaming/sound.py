"""Sound that leaves while it is being made: no byte before its mark reads back and it is on record."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from guard.drafts import Draft, Origin, Release, entry, facts, released
from guard.errors import InputError, MarkError, UnsupportedMediaError
from guard.ledger import Receipt, Status
from guard.media import Artifact, Limits, Modality
from guard.media.formats import PCM, sniff_binary
from guard.media.soundstream import STREAMED
from guard.streaming.soundline import SoundLine
from guard.watermark import Mark, Payload, Strength
from guard.watermark.sounds import SoundStream, SoundWatermarker
from policies.base import Action, Decision, StreamMode

if TYPE_CHECKING:
    from guard.pipeline import Guard

__all__ = ["SoundRelease"]

_HEAD = 4096
"""Bytes that tell a type, a tag before it included."""
_FIRST_LOOK, _NEXT_LOOK = 4.0, 1.5
"""Seconds of marked sound after which the mark is looked for, and by how much longer it is each time then:
so all looks together cost no more than three at the whole."""
_LIKE_PCM = (None, "audio/mpeg", "audio/aac")
"""What samples without a header may be taken for."""


class SoundRelease:
    """The release path for a sound of which the bytes come in one after the other; `admit` its origin first.

    What comes out is the sound decoded, marked and encoded anew as the same type, some seconds behind. It
    waits until the mark reads back from what would leave, then for its row (`STREAMING`), which the end
    completes. The credential, which binds all bytes, is a sidecar in the ledger.

    A sound leaves whole instead, by `Guard.release`, where it ended before its mark could be read, and where
    it has to be heard to its end: for a detector, by a rule that asks for more than to let it go, under a
    policy that holds streams back, and for types and engines that know no streams. Safe between threads.
    """

    def __init__(self, guard: Guard, origin: Origin, limits: Limits, *, claimed: str | None = None) -> None:
        """`claimed` is `audio/pcm` where that was asked for, since its bytes do not show it."""
        self._guard = guard
        self._origin = origin
        self._limits = limits
        self._claimed = claimed
        self._payload = Payload.random()
        self._lock = RLock()
        self._came = bytearray()
        self._made = bytearray()
        self._left = 0
        self._opened = self._on_record = self._ended = False
        self._line: SoundLine | None = None
        self._decision: Decision | None = None
        self._mark: Mark | None = None
        self._look = _FIRST_LOOK
        self._mime = ""

    @property
    def id(self) -> str:
        """The release id of what leaves while it is made. What leaves whole has one of its own."""
        return self._payload.hex

    @property
    def mime(self) -> str:
        """Its type, told by its first bytes."""
        return self._mime

    @property
    def signed(self) -> bool:
        """Whether the policy wants a credential of it."""
        return self._decision is not None and self._decision.requirements.sign

    def feed(self, data: bytes) -> bytes:
        """Take the upstream's next bytes; returns what may leave now, often nothing.

        Raises `InputError` for bytes that are no sound, or too much of it, once some of it has left; before,
        `finish` tells. Raises `LedgerError` where the row could not be written.
        """
        with self._lock:
            self._came += data
            self._limits.check_bytes(len(self._came))
            if self._ended or (not self._opened and len(self._came) < _HEAD):
                return b""
            if not self._opened:
                data = self._open()
            self._pass(data)
            return self._leave() if self._cleared() else b""

    def finish(self) -> tuple[bytes, Release]:
        """It is all in: what is left to send, and the release. Where nothing had left, it is the whole file.

        Raises what `Guard.release` raises. What had left by then is on record as it is once `cut` was called.
        """
        with self._lock:
            if not self._on_record:
                return self._whole()
            assert self._line is not None
            self._made += self._line.finish()
            draft = self._draft(len(self._made))
            original = Artifact(Modality.AUDIO, self._mime, bytes(self._came), self._limits)
            draft = self._guard.sealed(draft, original, self._origin, embed=False)
            receipt = self._record(draft, Status.RELEASED)
            self._ended = True
            return self._leave(), released(draft, receipt)

    def cut(self, reason: str) -> None:
        """It ends early: record what had left. Does nothing where its end is on record already."""
        with self._lock:
            if self._line is not None:
                self._line.close()
            if self._on_record and not self._ended:
                self._record(self._draft(self._left), Status.CUT, reason)
            self._ended = True

    def _open(self) -> bytes:
        self._opened = True
        kind = sniff_binary(bytes(self._came))
        if self._claimed == PCM:
            kind = PCM if kind in _LIKE_PCM else None
        if kind in STREAMED:
            self._mime = kind
            self._line = self._begin(kind)
        return bytes(self._came)

    def _begin(self, mime: str) -> SoundLine | None:
        guard = self._guard
        heard = guard.screening(Modality.AUDIO)
        if heard or guard.policy.stream.mode is StreamMode.BUFFERED:
            return None
        decision = guard.policy.decide(facts(mime, Modality.AUDIO, (), self._origin, "output"))
        if guard.policy.stream.mode is StreamMode.SHADOW:
            decision = decision.in_shadow()
        if decision.action is not Action.ALLOW:
            return None
        self._decision = decision
        if not decision.requirements.mark:
            return SoundLine(mime, self._limits)
        engine = guard.watermarkers.get(Modality.AUDIO)
        begin = engine.stream if isinstance(engine, SoundWatermarker) else None
        if engine is None or begin is None:
            return None

        def marker(rate: int, channels: int) -> SoundStream:
            return begin(rate, channels, self._payload, key=guard.mark_key, strength=Strength.DEFAULT)

        self._mark = Mark(engine.name, engine.alg, self._payload)
        return SoundLine(mime, self._limits, marker)

    def _pass(self, data: bytes) -> None:
        """Bytes through the line. What it cannot take before anything left may still leave as a whole."""
        if self._line is None:
            return
        try:
            with self._guard.trace("mark"):
                self._made += self._line.feed(data)
        except (InputError, MarkError):
            if self._on_record:
                raise
            self._line.close()
            self._line = None

    def _cleared(self) -> bool:
        if self._on_record or self._line is None or not self._made:
            return self._on_record
        if self._mark is not None and not self._reads_back(self._line.seconds, self._mark):
            return False
        self._record(self._draft(0), Status.STREAMING)
        self._on_record = True
        return True

    def _reads_back(self, seconds: float, mark: Mark) -> bool:
        if seconds < self._look:
            return False
        self._look = seconds * _NEXT_LOOK
        with self._guard.trace("prove"):
            return self._guard.carries(self._draft(len(self._made)).artifact, mark)

    def _leave(self) -> bytes:
        piece = bytes(self._made[self._left :])
        self._left = len(self._made)
        return piece

    def _whole(self) -> tuple[bytes, Release]:
        if self._line is not None:
            self._line.close()
        artifact = Artifact.from_bytes(bytes(self._came), limits=self._limits, claimed=self._claimed)
        if artifact.modality is not Modality.AUDIO:
            raise UnsupportedMediaError(f"It is {artifact.mime}, and no sound.")
        (release,) = self._guard.release([artifact], self._origin)
        self._ended = True
        return release.artifact.data, release

    def _draft(self, size: int) -> Draft:
        """The first `size` bytes of what was made."""
        assert self._decision is not None
        artifact = Artifact(Modality.AUDIO, self._mime, bytes(self._made[:size]), self._limits)
        return Draft(self._payload, artifact, self._decision, (), self._mark)

    def _record(self, draft: Draft, status: Status, ended: str = "") -> Receipt:
        row = entry(draft, self._origin, self._guard.policy, status, ended)
        with self._guard.trace("record"):
            return self._guard.ledger.record([row])[0]
