"""Who generates: requests in, artifacts out, and a card that names the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from guard.media import Artifact, Modality
from guard.tokenmarks import TokenMark

__all__ = [
    "GenerationRequest",
    "Generator",
    "ModelCard",
    "Segment",
    "TextStreamer",
    "Transcriber",
    "Transcript",
]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Names a model well enough to find the same one again."""

    name: str
    version: str
    modality: Modality
    provider: str
    licence: str = "unknown"
    revision: str | None = None
    sha256: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a caller asks of a model.

    `messages` is the conversation in OpenAI's chat form for text models; `prompt` is its last user text.
    `parameters` are the model's own knobs (size, steps, temperature, max_tokens, …), passed on as they are.
    `mark` is put into the choice of words by text models hosted here, and by no others.
    """

    prompt: str
    modality: Modality
    n: int = 1
    seed: int | None = None
    mime: str | None = None
    messages: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    caller: str | None = None
    mark: TokenMark | None = None


class Generator(Protocol):
    """A hosted or proxied model."""

    @property
    def card(self) -> ModelCard: ...

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` artifacts. Raises `GenerationError`; never returns fewer in silence."""


@runtime_checkable
class TextStreamer(Protocol):
    """A text model that can also speak piece by piece."""

    def stream(self, request: GenerationRequest) -> Iterator[str]:
        """Pieces of one text, in order."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, `start` to `end` in seconds, and its words."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a sound; `language` is the one that was asked for."""

    text: str
    segments: Sequence[Segment] = ()
    language: str | None = None


class Transcriber(Protocol):
    """A model that writes down what is said."""

    @property
    def card(self) -> ModelCard: ...

    def transcribe(self, artifact: Artifact, *, language: str | None = None) -> Transcript:
        """The words in a sound. Raises `GenerationError`, or `InputError` for an unknown language."""
