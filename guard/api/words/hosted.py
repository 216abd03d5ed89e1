"""Text from the models that Guard hosts itself, asked for and answered in OpenAI's form."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from guard.api.door import Door
from guard.api.errors import ApiError
from guard.api.words.texts import prompt_in
from guard.media import Modality
from guard.watermark import Watermarker
from models import base
from models.base import Ending, GenerationRequest, TextStreamer
from models.upstream import Answer, Event, EventStream

__all__ = ["Hosted", "hosted"]

_MOST_CHOICES = 16
_KNOBS = ("max_tokens", "stop", "temperature", "top_p")
_READ_HERE = frozenset(
    {
        "max_completion_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "prompt",
        "safety_identifier",
        "seed",
        "stream",
        "stream_options",
        "user",
    }
)
_NEUTRAL: Mapping[str, Any] = {
    "best_of": 1,
    "echo": False,
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "modalities": ["text"],
    "presence_penalty": 0,
    "response_format": {"type": "text"},
    "store": False,
    "tools": [],
}
"""What clients send without being asked, and what it must say: that nothing is wanted."""


def hosted(door: Door, path: str, body: Mapping[str, Any]) -> Hosted | None:
    """The hosted text model that `body` asks for, or None. Raises `ApiError` for wishes it cannot meet."""
    model = door.hosted(body["model"], Modality.TEXT)
    if model is None:
        return None
    request = GenerationRequest("", Modality.TEXT, parameters=_parameters(body))
    request, words = door.guard.with_mark(model, request)
    requests = [
        replace(request, prompt=prompt, messages=messages, seed=seed)
        for prompt, messages in _prompts(body)
        for seed in _seeds(body)
    ]
    if len(requests) > _MOST_CHOICES:
        raise ApiError(400, f"More than {_MOST_CHOICES} choices cannot be asked for at once.", param="n")
    return Hosted(model, words, requests, chat=path == "chat/completions", usage=_usage_wanted(body))


class _Ended(NamedTuple):
    how: Ending | None


@dataclass(frozen=True)
class Hosted:
    """One answer of a hosted model, asked for like an upstream's; a request for each choice.

    `words` reads the mark that the model puts into its choice of words, where it does.
    """

    model: base.Generator
    words: Watermarker | None
    requests: Sequence[GenerationRequest]
    chat: bool
    usage: bool
    _id: str = field(default_factory=lambda: secrets.token_hex(12))
    _created: int = field(default_factory=lambda: int(time.time()))

    @property
    def origin(self) -> str:
        """Who provides the model."""
        return self.model.card.provider

    @property
    def version(self) -> str:
        """The model's version, known before it answers."""
        return self.model.card.version

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """The completion object. Cancelling the call stops the model, as it does in a stream."""
        del path, body  # read already
        choices, endings = [], []
        for index, request in enumerate(self.requests):
            text, ending = "", None
            async with aclosing(_steps(self.model, request)) as steps:
                async for step in steps:
                    if isinstance(step, _Ended):
                        ending = step.how
                    else:
                        text += step
            choices.append(self._choice(index, text, _reason(ending)))
            endings.append(ending)
        return Answer(self._object(choices) | self._used(endings), {})

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[EventStream]:
        """The chunks, one choice after the other. Leaving the block stops the model."""
        del path, body
        async with aclosing(self._events()) as events:
            yield EventStream({}, events)

    async def _events(self) -> AsyncGenerator[Event]:
        endings = []
        for index, request in enumerate(self.requests):
            if self.chat:
                yield self._chunk({"index": index, "delta": {"role": "assistant", "content": ""}})
            async with aclosing(_steps(self.model, request)) as steps:
                async for step in steps:
                    if isinstance(step, _Ended):
                        endings.append(step.how)
                        yield self._chunk(self._piece(index, None), _reason(step.how))
                    else:
                        yield self._chunk(self._piece(index, step))
        if self.usage and (used := self._used(endings)):
            yield Event("message", self._object([], chunk=True) | used)

    def _choice(self, index: int, text: str, reason: str) -> dict[str, Any]:
        said = {"role": "assistant", "content": text, "refusal": None}
        what = {"message": said} if self.chat else {"text": text}
        return {"index": index, **what, "logprobs": None, "finish_reason": reason}

    def _piece(self, index: int, text: str | None) -> dict[str, Any]:
        if self.chat:
            return {"index": index, "delta": {} if text is None else {"content": text}}
        return {"index": index, "text": text or ""}

    def _chunk(self, choice: dict[str, Any], reason: str | None = None) -> Event:
        whole = {**choice, "logprobs": None, "finish_reason": reason}
        return Event("message", self._object([whole], chunk=True))

    def _used(self, endings: Sequence[Ending | None]) -> dict[str, Any]:
        """OpenAI's count of tokens, where the model tells it. A prompt counts once, however many choices."""
        known = [ending for ending in endings if ending is not None]
        if len(known) < len(endings):
            return {}
        pairs = zip(self.requests, known, strict=True)
        asked = sum({request.prompt: each.prompt_tokens for request, each in pairs}.values())
        said = sum(each.tokens for each in known)
        return {"usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}}

    def _object(self, choices: list[dict[str, Any]], *, chunk: bool = False) -> dict[str, Any]:
        kind = "chat.completion" + ".chunk" * chunk if self.chat else "text_completion"
        return {
            "id": f"{'chatcmpl' if self.chat else 'cmpl'}-{self._id}",
            "object": kind,
            "created": self._created,
            "model": self.model.card.name,
            "choices": choices,
        }


async def _steps(model: base.Generator, request: GenerationRequest) -> AsyncGenerator[str | _Ended]:
    """The pieces of one text, waited for in a thread of their own. Closing it stops the model."""
    # No shared pool: generations are long, and must keep nothing else waiting meanwhile.
    pieces, thread = _pieces(model, request), ThreadPoolExecutor(1, "generation")
    try:
        step: str | _Ended = ""
        while not isinstance(step, _Ended):
            step = await asyncio.wrap_future(thread.submit(_next, pieces))
            yield step
    finally:
        # Not awaited, since whoever is cancelled may be so again here; the thread gets to it after its step.
        thread.submit(pieces.close)
        thread.shutdown(wait=False)


def _pieces(model: base.Generator, request: GenerationRequest) -> Generator[str, None, Ending | None]:
    if isinstance(model, TextStreamer):
        return (yield from model.stream(request))
    (artifact,) = model.generate(request)
    yield artifact.text
    return None


def _next(pieces: Generator[str, None, Ending | None]) -> str | _Ended:
    try:
        return next(pieces)
    except StopIteration as end:  # which no coroutine may raise
        return _Ended(end.value)


def _prompts(body: Mapping[str, Any]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """What to go on from: one conversation, or each of the prompts."""
    if "messages" not in body:
        prompt = body["prompt"]
        return [(text, ()) for text in (prompt if isinstance(prompt, list) else [prompt])]
    users = [message for message in body["messages"] if message.get("role") == "user"]
    return [(prompt_in(users[-1:]), body["messages"])]


def _seeds(body: Mapping[str, Any]) -> list[int | None]:
    """A seed for each choice: one that is given is the first's, and the others count on from it."""
    n, seed = body.get("n"), body.get("seed")
    if seed is not None and type(seed) is not int:
        raise ApiError(400, "'seed' must be a whole number.", param="seed")
    if n is not None and (type(n) is not int or not 1 <= n <= _MOST_CHOICES):
        raise ApiError(400, f"'n' must be a whole number from 1 to {_MOST_CHOICES}.", param="n")
    return [None if seed is None else seed + number for number in range(n or 1)]


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The model's knobs; null means what leaving it out means."""
    given = {name: value for name, value in body.items() if value is not None and name not in _READ_HERE}
    for name in given.keys() - set(_KNOBS):
        if name not in _NEUTRAL or given[name] != _NEUTRAL[name]:
            raise ApiError(
                400,
                f"The model {body['model']!r} has no parameter '{name}'.",
                code="unsupported_parameter",
                param=name,
            )
    longest = body.get("max_completion_tokens")
    knobs = {name: given[name] for name in _KNOBS if name in given}
    return knobs if longest is None else knobs | {"max_tokens": longest}


def _usage_wanted(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _reason(ending: Ending | None) -> str:
    return ending.reason if ending else "stop"
