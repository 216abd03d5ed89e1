"""Who generates: requests in, artifacts out, and a card that names the model."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from guard.media import Artifact, Modality
from guard.tokenmarks import TokenMark

__all__ = [
    "Ending",
    "GenerationRequest",
    "Generator",
    "ModelCard",
    "Segment",
    "TextStreamer",
    "Transcriber",
    "Transcript",
    "WordChooser",
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


@dataclass(frozen=True, slots=True)
class Ending:
    """How a text came to its end, by itself or at a stop text, or for want of room; its length in tokens."""

    reason: Literal["stop", "length"]
    prompt_tokens: int
    tokens: int


@runtime_checkable
class TextStreamer(Protocol):
    """A text model that can also speak piece by piece."""

    def stream(self, request: GenerationRequest) -> collections.abc.Generator[str, None, Ending | None]:
        """Pieces of one text, in order; in the end how it ended, where the model can tell."""


@runtime_checkable
class WordChooser(Protocol):
    """A text model that puts a request's `mark` into its choice of words.

    Whoever reads the mark needs the same `tokenizer` (one of transformers), and the size of the `vocabulary`
    that the model chooses from, which may be larger than the tokenizer's.
    """

    @property
    def tokenizer(self) -> Any: ...
    @property
    def vocabulary(self) -> int: ...


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
