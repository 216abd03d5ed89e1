"""A model behind an OpenAI-compatible API, as a `Generator` for code without an event loop."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from typing import Any

from guard.errors import GenerationError, InputError, UpstreamError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, ModelCard
from models.upstream.client import Upstream

__all__ = ["UpstreamGenerator"]

_CHAT = "chat/completions"


class UpstreamGenerator:
    """The upstream's model `model`, for text (chat completions) or pictures (image generations).

    `connect` opens a client; it is called once for each request, since connections belong to an event loop.
    Call from threads that run no event loop: code inside one has `Upstream` itself.
    """

    def __init__(self, model: str, modality: Modality, connect: Callable[[], Upstream]) -> None:
        if modality not in (Modality.TEXT, Modality.IMAGE):
            raise GenerationError(f"Upstream models make text and pictures, not {modality}.")
        self._connect = connect
        # Asked once here, so that wrong settings show when the model is loaded and not at the first request.
        self._card = ModelCard(
            name=model,
            version="unknown",
            modality=modality,
            provider=connect().origin,
            description="behind an API",
        )

    @property
    def card(self) -> ModelCard:
        return self._card

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` artifacts, as the upstream gave them; another number is an `UpstreamError`."""
        return asyncio.run(self._ask(request))

    def stream(self, request: GenerationRequest) -> Generator[str, None, None]:
        """Pieces of one text as they arrive."""
        with asyncio.Runner() as runner:
            pieces = self._pieces(request)
            try:
                while (piece := runner.run(_next(pieces))) is not None:
                    yield piece
            finally:
                runner.run(pieces.aclose())

    async def _ask(self, request: GenerationRequest) -> list[Artifact]:
        async with self._connect() as upstream:
            if self._card.modality is Modality.TEXT:
                answer = await upstream.post(_CHAT, self._body(request, messages=_messages(request)))
                artifacts = [_text(choice) for choice in _entries(answer.body, "choices")]
            else:
                answer = await upstream.post("images/generations", self._body(request, prompt=request.prompt))
                images = await upstream.filled(answer.body)
                artifacts = [_picture(item) for item in _entries(images, "data")]
            if len(artifacts) != request.n:
                raise UpstreamError(
                    f"The upstream gave {len(artifacts)} results; {request.n} were asked for."
                )
            return artifacts

    async def _pieces(self, request: GenerationRequest) -> AsyncGenerator[str]:
        body = self._body(request, messages=_messages(request))
        async with self._connect() as upstream, upstream.stream(_CHAT, body) as events:
            async for event in events:
                for choice in _entries(event.data, "choices"):
                    piece = _part(choice, "delta").get("content")
                    if isinstance(piece, str) and piece:
                        yield piece

    def _body(self, request: GenerationRequest, **content: Any) -> dict[str, Any]:
        optional = {"seed": request.seed, "n": request.n if request.n != 1 else None}
        given = {name: value for name, value in optional.items() if value is not None}
        return {**request.parameters, **given, **content, "model": self._card.name}


async def _next(pieces: AsyncGenerator[str]) -> str | None:
    return await anext(pieces, None)


def _messages(request: GenerationRequest) -> Sequence[Mapping[str, Any]]:
    return request.messages or [{"role": "user", "content": request.prompt}]


def _entries(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    entries = answer.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UpstreamError(f"The upstream's answer has no list '{name}'.")
    return entries


def _part(choice: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = choice.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(choice: Mapping[str, Any]) -> Artifact:
    message = _part(choice, "message")
    content = message.get("content")
    if not isinstance(content, str) or not content:
        end = str(choice.get("finish_reason"))
        raise UpstreamError(f"The upstream's model gave no text: {message.get('refusal') or end}.", code=end)
    try:
        return Artifact.from_text(content)
    except InputError as error:
        raise UpstreamError(f"The upstream's text cannot be used: {error.message}") from error


def _picture(item: Mapping[str, Any]) -> Artifact:
    try:
        artifact = Artifact.from_bytes(base64.b64decode(item["b64_json"], validate=True))
    except (ValueError, InputError) as error:
        raise UpstreamError(f"The upstream's picture cannot be used: {error}") from error
    if artifact.modality is not Modality.IMAGE:
        raise UpstreamError(f"The upstream's picture is {artifact.mime}.")
    return artifact
