"""`/v1/moderations`: what Guard's own detectors see, in OpenAI's form."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from detectors.base import Context, Detector, Finding
from detectors.run import inspect_all
from guard import __version__
from guard.api.answers import Json
from guard.api.bodies import read_json
from guard.api.checks.categories import Tally
from guard.api.dataurls import from_data_url
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.app import SYNTHETIC
from guard.errors import DetectorError
from guard.media import Artifact

__all__ = ["router"]

_NO_MATTER = frozenset({SYNTHETIC, "face", "personal_data", "visible_text"})
"""Signals that make nothing unfit to be shown: `/v1/verify` and `/v1/check` tell of them."""

router = APIRouter()


@router.post("/v1/moderations")
async def moderations(request: Request) -> Response:
    """One result for each text of a list, one in all for a list of parts.

    A category is a detector's signal, `signal/group` of the block list, or one of OpenAI's. OpenAI's are
    always there, as its clients expect; what nothing screened for scores 0 and is in `guard.not_screened`.
    """
    door = door_of(request)
    body = await read_json(request)
    return await door.work(_answer, door, body, request.state.caller)


def _answer(door: Door, body: Mapping[str, Any], caller: str | None) -> Response:
    context = Context("upload", caller=caller)
    detectors = [detector for detector in door.app.detectors if detector.card.signal not in _NO_MATTER]
    results = [_result(detectors, parts, context) for parts in _inputs(body.get("input"), door)]
    return Json({"id": f"modr-{secrets.token_hex(12)}", "model": f"guard-{__version__}", "results": results})


def _inputs(value: object, door: Door) -> list[list[Artifact]]:
    """What each result is about."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and value:
        if all(isinstance(item, str) for item in value):
            return [[Artifact.from_text(text, limits=door.limits)] for text in value]
        if all(isinstance(item, dict) for item in value):
            return [[_part(item, door) for item in value]]
    raise ApiError(400, "'input' must be a text, a list of texts, or a list of parts.", param="input")


def _part(part: Mapping[str, Any], door: Door) -> Artifact:
    kind, text, image = part.get("type"), part.get("text"), part.get("image_url")
    if kind == "text" and isinstance(text, str):
        return Artifact.from_text(text, limits=door.limits)
    if kind == "image_url" and isinstance(image, dict) and isinstance(image.get("url"), str):
        return from_data_url(image["url"], door.limits)
    raise ApiError(
        400, "A part of 'input' is a 'text' with its 'text' or an 'image_url' with its 'url'.", param="input"
    )


def _result(detectors: Sequence[Detector], parts: Sequence[Artifact], context: Context) -> dict[str, Any]:
    tally = Tally()
    for part in parts:
        for finding in _inspected(detectors, part, context):
            tally.add(finding, part.modality)
    return tally.as_json()


def _inspected(detectors: Sequence[Detector], part: Artifact, context: Context) -> list[Finding]:
    """The findings on one part. Raises where nothing was scored: `flagged` would say it is harmless."""
    part.decode()
    findings = inspect_all(detectors, part, context)
    if all(finding.state == "inconclusive" for finding in findings):
        raise ApiError(
            400,
            f"No detector of this server looks at {part.modality}.",
            code="unsupported_media",
            param="input",
        )
    if all(finding.score is None for finding in findings):
        raise DetectorError(f"No detector could score the {part.modality}.")
    return findings
