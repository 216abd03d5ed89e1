"""What a policy file may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from policies.base import Action, Mode, Outage, StreamMode, Timestamps

__all__ = ["PolicyFile", "Require", "Requirement", "RuleEntry", "Stage", "Stream"]

Stage = Literal["prompt", "output", "upload"]


def _number_as_text(value: Any) -> Any:
    """A whole number is the text that was written; 1.10 is not, YAML reads it as 1.1."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _bool_as_cel(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


_HIDES = (Action.BLUR, Action.REDACT)


def _not_hidden(value: Action) -> Action:
    if value in _HIDES:
        raise ValueError(
            f"a rule that failed has found nothing to {value}; use allow, label, review or block"
        )
    return value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requirement(_Strict):
    """What a release of one modality carries; what is left out is required."""

    mark: StrictBool | None = None
    sign: StrictBool | None = None


class Require(_Strict):
    """Requirements by modality, and for text that travels inside a chat reply."""

    text: Requirement = Requirement()
    image: Requirement = Requirement()
    audio: Requirement = Requirement()
    video: Requirement = Requirement()
    document: Requirement = Requirement()
    chat: Requirement = Requirement()


class Stream(_Strict):
    """How text that is streamed leaves; `window` is in tokens of `TOKEN` code points."""

    mode: StreamMode = StreamMode.WINDOWED
    window: Annotated[StrictInt, Field(ge=4, le=100_000)] = 64


class RuleEntry(_Strict):
    """One rule as it is written."""

    id: Name
    when: Annotated[Text, BeforeValidator(_bool_as_cel)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = ("prompt", "output", "upload")
    action: Action
    mode: Mode = Mode.ENFORCE
    on_error: Annotated[Action, AfterValidator(_not_hidden)] = Action.BLOCK
    reason: Text
    detector: Text | None = None
    labels: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _only_hiding_selects(self) -> Self:
        if self.action not in _HIDES and (self.detector or self.labels):
            raise ValueError(
                "'detector' and 'labels' choose what to redact or blur; this rule's action is another"
            )
        return self


class PolicyFile(_Strict):
    """A whole policy file."""

    name: Name
    version: Annotated[Text, BeforeValidator(_number_as_text)]
    description: str = ""
    require: Require = Require()
    stream: Stream = Stream()
    on_signer_outage: Outage = Outage.BLOCK
    timestamps: Timestamps = Timestamps.PREFERRED
    rules: tuple[RuleEntry, ...]
