"""What policies see (`Facts`) and what they conclude (`Decision`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from guard.media import Modality

__all__ = [
    "TOKEN",
    "Action",
    "Decision",
    "Facts",
    "Fired",
    "Mode",
    "Outage",
    "Requirements",
    "StreamMode",
    "Timestamps",
]

TOKEN = 4
"""Code points that count as one token of a window: about what a token of English text has."""


class Action(StrEnum):
    """What a rule asks for, from the mildest to the strictest."""

    ALLOW = "allow"
    LABEL = "label"
    BLUR = "blur"
    REDACT = "redact"
    REVIEW = "review"
    BLOCK = "block"


class Mode(StrEnum):
    """Whether a rule acts, or only says what it would have done."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class StreamMode(StrEnum):
    """How text that is streamed leaves: as soon as its window is cleared, when it is all in, or at once
    with what rules would have done on record."""

    WINDOWED = "windowed"
    BUFFERED = "buffered"
    SHADOW = "shadow"


class Outage(StrEnum):
    """What becomes of a release whose signer is out of reach: it is lost, or kept to be sent later."""

    BLOCK = "block"
    QUEUE = "queue"


class Timestamps(StrEnum):
    """Whether signatures carry a time stamp: always, where an authority answers, or never."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a rule may look at. `scores` maps a signal to its highest score; a detector that failed
    has no score, so a rule that asks for it fails and its `on_error` applies. `inconclusive` maps a signal
    that every detector of it abstains from to the reason: a rule that asks for its score does not hold."""

    stage: Literal["prompt", "output", "upload"]
    modality: Modality
    mime: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    route: str = ""
    user: Mapping[str, str] = field(default_factory=dict)
    inconclusive: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule whose condition held, or failed to evaluate (`error`)."""

    rule: str
    action: Action
    mode: Mode
    reason: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a release of some modality must carry before it leaves."""

    mark: bool
    sign: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The strictest enforced action, the rule that asked for it, and every rule that fired.

    Obligations (label, blur, redact) are the enforced fired rules of those actions; `fired` keeps the
    policy's order.
    """

    action: Action
    rule: str | None
    reason: str
    fired: tuple[Fired, ...]
    requirements: Requirements
    policy: str
    policy_sha256: str

    def in_shadow(self) -> Decision:
        """The same, without effect: what fired is on record as if every rule were in shadow."""
        fired = tuple(replace(hit, mode=Mode.SHADOW) for hit in self.fired)
        reason = "No enforced rule fired."
        return replace(self, action=Action.ALLOW, rule=None, reason=reason, fired=fired)

    def signed(self) -> Decision:
        """The same, for a release that carries a credential whether or not the policy requires one."""
        return replace(self, requirements=replace(self.requirements, sign=True))

    def obliges(self, action: Action) -> bool:
        """Whether an enforced rule asked for this action."""
        return any(f.action is action and f.mode is Mode.ENFORCE for f in self.fired)
