"""LiteLLM's generic guardrail API: its proxy asks here before and after each of its own calls.

The protocol stands on https://docs.litellm.ai/docs/adding_provider/generic_guardrail_api, and in the client
that the litellm package holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import read_json
from guard.api.checks.screening import Screened, Stage, held_back, screen, unseen
from guard.api.dataurls import from_data_url
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.api.jsontree import leaves
from guard.drafts import of_text
from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.pipeline import Origin

__all__ = ["router"]

router = APIRouter()


@router.post("/beta/litellm_basic_guardrail_api")
async def guardrail(request: Request) -> Response:
    """`BLOCKED`, `GUARDRAIL_INTERVENED` with the texts to use instead, or `NONE`. Nothing is recorded."""
    door = door_of(request)
    body = await read_json(request)
    return await door.work(_answer, door, body, request.state.caller)


def _answer(door: Door, body: Mapping[str, Any], caller: str | None) -> Response:
    stage, origin, texts = _stage(body), _origin(body, caller), _strings(body, "texts")
    try:
        screened = [screen(door, _text(text), origin, stage) for text in texts]
        fixed = list(_fixed(door, body, origin, stage))
    except InputError as error:
        return _blocked(f"It cannot be screened: {error.message}")
    for each in (*screened, *fixed):
        if not each.allowed:
            return _blocked(f"Blocked by rule '{each.decision.rule}': {each.decision.reason}")
    for each in fixed:
        if each.changed:
            return _blocked(f"'{each.decision.action}' is asked for where LiteLLM lets nothing be changed.")
    shown = [each.shown.text for each in screened if each.shown is not None]
    answer: dict[str, Any] = {"action": "NONE"}
    if shown != texts:
        answer = {"action": "GUARDRAIL_INTERVENED", "texts": shown}
    if stage == "output":
        # Of a stream, LiteLLM sends the text so far each time, and lets all but this many characters leave.
        held = [held_back(door, text, each, origin) for text, each in zip(texts, screened, strict=True)]
        answer["stream_holdback_chars"] = held
    return Json(answer)


def _blocked(reason: str) -> Response:
    return Json({"action": "BLOCKED", "blocked_reason": reason})


def _stage(body: Mapping[str, Any]) -> Stage:
    match body.get("input_type"):
        case "request":
            return "prompt"
        case "response":
            return "output"
    raise ApiError(400, "'input_type' must be 'request' or 'response'.", param="input_type")


def _origin(body: Mapping[str, Any], caller: str | None) -> Origin:
    model, about = body.get("model"), body.get("request_data")
    user = about.get("user_api_key_end_user_id") if isinstance(about, dict) else None
    return Origin(
        model=model if isinstance(model, str) and model else "unspecified",
        caller=caller,
        route="check",
        user={"id": user} if isinstance(user, str) else {},
    )


def _strings(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(400, f"'{name}' must be a list of texts.", param=name)
    return value


def _text(text: str) -> Artifact:
    """A text as an artifact. Streams come here half done, so what begins like JSON counts as such."""
    return of_text(text, program=text.lstrip().startswith(("{", "[")))


def _fixed(door: Door, body: Mapping[str, Any], origin: Origin, stage: Stage) -> Iterator[Screened]:
    """What can pass or be blocked, but not be exchanged: texts in tool calls, and pictures."""
    for leaf in leaves(body.get("tool_calls")):
        yield screen(door, _text(leaf.text), origin, stage)
    for image in _strings(body, "images"):
        if image.startswith(("http://", "https://")):
            # Never fetched: anyone may have put it there. The policy decides about a picture nobody saw.
            yield unseen(door, Modality.IMAGE, origin, stage)
        else:
            yield screen(door, from_data_url(image, door.limits), origin, stage)
