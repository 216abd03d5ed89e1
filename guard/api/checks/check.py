"""`/v1/check`: may this pass? A webhook for gateways that generate and release by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import is_form, open_form, read_json, user_in
from guard.api.checks.screening import Stage, screen
from guard.api.dataurls import from_base64
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.api.words.texts import prompt_in
from guard.drafts import of_text
from guard.media import Artifact
from guard.pipeline import Origin

__all__ = ["router"]

_KINDS = ("text", "messages", "media")
_FORM_BYTES = 64 << 10

router = APIRouter()


@router.post("/v1/check")
async def check(request: Request) -> Response:
    """The decision on one text, one list of messages or one file, always with status 200.

    JSON with `text`, `messages` or `media` (base64), or a form with `file`; `stage`, `model` and `user` say
    what it is. Nothing is recorded: the ledger holds what Guard itself released or refused to release.
    """
    door = door_of(request)
    if not is_form(request):
        return await door.work(_answer, door, await read_json(request), None, request.state.caller)
    async with _form(request, door.limits.max_bytes) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return await door.work(_answer, door, fields, await _file(form), request.state.caller)


def _form(request: Request, limit: int) -> AbstractAsyncContextManager[FormData]:
    """A form with a file of at most `limit` bytes and a few short fields."""
    return open_form(request, limit + _FORM_BYTES, files=1, fields=8, field_bytes=_FORM_BYTES)


async def _file(form: FormData) -> bytes:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ApiError(400, "The form has no file in its field 'file'.", param="file")
    return await file.read()


def _answer(door: Door, fields: Mapping[str, Any], file: bytes | None, caller: str | None) -> Response:
    stage = _stage(fields)
    artifact = _artifact(fields, door) if file is None else Artifact.from_bytes(file, limits=door.limits)
    screened = screen(door, artifact, _origin(fields, caller), stage, everything=True)
    answer = {"object": "check", "stage": stage, **screened.as_json()}
    if "text" in fields and file is None and screened.shown is not None:
        answer["text"] = screened.shown.text
    return Json(answer)


def _stage(fields: Mapping[str, Any]) -> Stage:
    match fields.get("stage", "output"):
        case "prompt":
            return "prompt"
        case "output":
            return "output"
    raise ApiError(400, "'stage' must be 'prompt' or 'output'.", param="stage")


def _artifact(fields: Mapping[str, Any], door: Door) -> Artifact:
    given = [kind for kind in _KINDS if fields.get(kind) is not None]
    if len(given) != 1:
        raise ApiError(400, f"Send one of {', '.join(map(repr, _KINDS))}, or a form with a file.")
    value = fields[given[0]]
    if given == ["messages"]:
        if not isinstance(value, list):
            raise ApiError(400, "'messages' must be a list.", param="messages")
        return Artifact.from_text(prompt_in(value))
    if not isinstance(value, str):
        raise ApiError(400, f"'{given[0]}' must be a text.", param=given[0])
    if given == ["media"]:
        return from_base64(value, door.limits)
    return of_text(value)


def _origin(fields: Mapping[str, Any], caller: str | None) -> Origin:
    model = fields.get("model")
    if not isinstance(model, str | None):
        raise ApiError(400, "'model' must name a model.", param="model")
    return Origin(model=model or "unspecified", caller=caller, route="check", user=user_in(fields))
