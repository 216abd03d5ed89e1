"""`/v1/audio/speech`: sound that leaves marked, signed and recorded, whole or while it is being made."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import forwarded
from guard.api.asked import upstream_of
from guard.api.bodies import read_json, while_connected
from guard.api.door import Door, door_of, upstreams_fault
from guard.api.sound.sounds import sound_answer
from guard.api.sound.speaking import speak
from guard.api.sound.speech_stream import streamed
from guard.api.sound.speech_wish import SpeechWish
from guard.errors import UpstreamError
from guard.media import Artifact, Modality
from guard.pipeline import Origin, Release
from models.upstream import RawAnswer

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/audio/speech")
async def speech(request: Request) -> Response:
    """The sound itself, with its release in a header, or its events with `stream_format: "sse"`."""
    door = door_of(request)
    wish = SpeechWish.of(await read_json(request), request.headers)
    model = door.hosted(wish.model, Modality.AUDIO)
    if model is not None:
        release = await door.work(speak, door, model, wish, request.state.caller)
        return await door.work(sound_answer, release, wish.events)
    upstream = upstream_of(request)
    origin = wish.origin(upstream, request.state.caller)
    await door.admitted(origin)
    if wish.streams:
        return await streamed(request, upstream, wish, origin)
    asking = upstream.raw("POST", "audio/speech", wish.body, accept="audio/*")
    answer = await while_connected(request, asking)
    release = await door.work(_release, door, answer, origin, wish.claimed)
    return await door.work(sound_answer, release, False, forwarded(answer.headers))


def _release(door: Door, answer: RawAnswer, origin: Origin, claimed: str | None) -> Release:
    with upstreams_fault():
        artifact = Artifact.from_bytes(answer.data, limits=door.limits, claimed=claimed)
    if artifact.modality is not Modality.AUDIO:
        raise UpstreamError(f"The upstream's speech is {artifact.mime}.")
    (release,) = door.release([artifact], origin)
    return release
