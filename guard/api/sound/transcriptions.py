"""`/v1/audio/transcriptions` and `/v1/audio/translations`: what is said in a sound, released as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json, event, forwarded, named
from guard.api.asked import Asked, open_asked, upstream_of
from guard.api.bodies import is_form, user_in, while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.errors import ApiError
from guard.api.sound.hearing import heard, sound_in
from guard.api.sound.transcript_stream import streamed
from guard.api.sound.transcripts import Heard, release_subtitles, release_transcript
from guard.api.words.generating import ROUTE
from guard.drafts import of_text
from guard.errors import UpstreamError
from guard.media.text import decode_text
from guard.pipeline import Origin
from models.base import ModelCard
from models.upstream import Form, RawAnswer

__all__ = ["router"]

_OBJECTS = ("json", "verbose_json", "diarized_json")
_FORMATS = (*_OBJECTS, "srt", "text", "vtt")
_READ = ("keywords", "known_speaker_names")
"""What the model reads beside its prompt."""
_NO_FILE = ("application/json", "text/html")

router = APIRouter()


@router.post("/v1/audio/transcriptions")
@router.post("/v1/audio/translations")
async def transcribe(request: Request) -> Response:
    """The transcript in the format that was asked for, or as events with `stream`."""
    door = door_of(request)
    if not is_form(request):
        raise ApiError(415, "Send the sound as multipart/form-data.", code="unsupported_content_type")
    path = cast(str, request.scope["path"]).removeprefix("/v1/")
    async with open_asked(request, door.limits.max_bytes) as asked:
        asked.check()
        kind = _format(asked)
        sound = await door.work(sound_in, asked, door.limits)
        ours = door.transcribers.get(asked.model)
        if ours is not None:
            origin = _origin(asked, ours.card.provider, request.state.caller, ours.card)
            await door.admitted(origin)
            found = await door.work(heard, ours, sound, asked, path, kind)
            return await door.work(_released, door, found, origin, kind, asked.stream)
        return await _proxied(request, path, asked, kind)


async def _proxied(request: Request, path: str, asked: Asked, kind: str) -> Response:
    door, upstream = door_of(request), upstream_of(request)
    origin = _origin(asked, upstream.origin, request.state.caller)
    await door.admitted(origin)
    if asked.stream:
        return await streamed(request, upstream, path, asked.body, origin)
    if kind in _OBJECTS:
        answer = await while_connected(request, upstream.post(path, asked.body))
        return await door.work(_released, door, answer.body, origin, kind, False, forwarded(answer.headers))
    raw = await while_connected(request, upstream.raw("POST", path, asked.body))
    return await door.work(_released, door, _file(raw), origin, kind, False, forwarded(raw.headers))


def _format(asked: Asked) -> str:
    kind = asked.fields.get("response_format") or "json"
    if kind not in _FORMATS:
        raise ApiError(
            400, f"'response_format' must be one of {', '.join(_FORMATS)}.", param="response_format"
        )
    return str(kind)


def _origin(asked: Asked, provider: str, caller: str | None, card: ModelCard | None = None) -> Origin:
    fields = asked.body.fields if isinstance(asked.body, Form) else ()
    read = [text for name, text in fields if name.removesuffix("[]") in _READ]
    prompt = "\n".join(filter(None, [asked.prompt, *read]))
    return Origin(
        model=asked.model,
        model_version=card.version if card else "",
        provider=provider,
        prompt=prompt or None,
        caller=caller,
        route=ROUTE,
        user=user_in(asked.fields),
    )


def _file(raw: RawAnswer) -> str:
    if raw.media_type in _NO_FILE:
        raise UpstreamError(f"The upstream answered with {raw.media_type} instead of a text.")
    with upstreams_fault():
        return decode_text(raw.data)


def _released(
    door: Door,
    found: Heard,
    origin: Origin,
    kind: str,
    stream: bool,
    headers: Mapping[str, str] | None = None,
) -> Response:
    if isinstance(found, str):
        return _text(door, found, origin, kind, headers or {})
    releases = release_transcript(door, found, origin)
    evidence = {"guard": {"releases": releases}}
    if not stream:
        return Json({**found, **evidence}, headers=headers)
    delta = event({"type": "transcript.text.delta", "delta": found["text"]})
    done = event({"type": "transcript.text.done", "text": found["text"], **evidence})
    return Response(delta + done, media_type="text/event-stream", headers={"cache-control": "no-cache"})


def _text(door: Door, text: str, origin: Origin, kind: str, headers: Mapping[str, str]) -> Response:
    media_type = "text/vtt" if kind == "vtt" else "text/plain"
    if not text:
        return Response(b"", media_type=media_type, headers=headers)
    if kind == "text":
        with upstreams_fault():
            artifact = of_text(text)
        (release,) = door.release([artifact], origin)
    else:
        release = release_subtitles(door, text, origin)
    return Response(release.artifact.data, media_type=media_type, headers={**headers, **named(release)})
