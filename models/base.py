"""Who generates: requests in, artifacts out, and a card that names the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from guard.media import Artifact, Modality

__all__ = ["GenerationRequest", "Generator", "ModelCard", "TextStreamer"]


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
    """

    prompt: str
    modality: Modality
    n: int = 1
    seed: int | None = None
    mime: str | None = None
    messages: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    caller: str | None = None


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
