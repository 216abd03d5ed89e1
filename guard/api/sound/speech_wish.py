"""What a caller wants to hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guard.api.asked import Asked
from guard.api.bodies import user_in
from guard.api.errors import ApiError
from guard.media.formats import PCM
from guard.pipeline import Origin
from models.upstream import Upstream

__all__ = ["ROUTE", "STREAM", "SpeechWish"]

ROUTE = "audio"

STREAM = "x-guard-stream"
"""The header by which a caller asks for sound while it is being made: `stream_format: "audio"` alone does not
say whether somebody listens to it as it comes."""

_MIMES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": PCM,
}
_STREAM_FORMATS = ("audio", "sse")
_YES = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class SpeechWish:
    """A request for speech; `body` goes to the upstream as it is."""

    body: Mapping[str, Any]
    streams: bool

    @classmethod
    def of(cls, body: Mapping[str, Any], headers: Mapping[str, str]) -> SpeechWish:
        """The wish in a request. Raises `ApiError` for values of the wrong kind."""
        for name in ("model", "input"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise ApiError(400, f"'{name}' must be a text, and not an empty one.", param=name)
        if not isinstance(body.get("instructions"), str | None):
            raise ApiError(400, "'instructions' must be a text.", param="instructions")
        _one_of(body, "response_format", _MIMES)
        _one_of(body, "stream_format", _STREAM_FORMATS)
        streams = body.get("stream_format") == "sse" or Asked(body, body).stream
        return cls(body, streams or headers.get(STREAM, "").strip().lower() in _YES)

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def mime(self) -> str:
        """The type of sound that is wanted."""
        return _MIMES[self.body.get("response_format") or "mp3"]

    @property
    def claimed(self) -> str | None:
        """`audio/pcm` where that is wanted. All other types show what they are."""
        return PCM if self.mime == PCM else None

    @property
    def events(self) -> bool:
        """Whether the sound is wanted in events."""
        return self.body.get("stream_format") == "sse"

    @property
    def prompt(self) -> str:
        """What is to be said, and how, and what stands in any field that is called some kind of prompt."""
        texts = (self.body["input"], self.body.get("instructions"), Asked(self.body, self.body).prompt)
        return "\n".join(text for text in texts if text)

    def origin(self, upstream: Upstream, caller: str | None) -> Origin:
        """Where the upstream's answer to this comes from."""
        return Origin(
            model=self.model,
            provider=upstream.origin,
            prompt=self.prompt,
            caller=caller,
            route=ROUTE,
            user=user_in(self.body),
        )


def _one_of(body: Mapping[str, Any], name: str, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or value not in known):
        raise ApiError(400, f"'{name}' must be one of {', '.join(known)}.", param=name)
