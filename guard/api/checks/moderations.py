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
from guard.api.dataurls import from_data_url
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.app import SYNTHETIC
from guard.errors import DetectorError
from guard.media import Artifact

__all__ = ["router"]

router = APIRouter()


@router.post("/v1/moderations")
async def moderations(request: Request) -> Response:
    """One result for each text of a list, one in all for a list of parts.

    A category is a detector's signal, or `signal/group` of the block list. One that no detector scored is
    left out: it is not known to be absent.
    """
    door = door_of(request)
    body = await read_json(request)
    return await door.work(_answer, door, body, request.state.caller)


def _answer(door: Door, body: Mapping[str, Any], caller: str | None) -> Response:
    context = Context("upload", caller=caller)
    # Whether a picture is generated is what /v1/verify tells; it makes no picture unfit to be shown.
    detectors = [detector for detector in door.app.detectors if detector.card.signal != SYNTHETIC]
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
    seen = [(part, _inspected(detectors, part, context)) for part in parts]
    scores: dict[str, float] = {}
    flags: dict[str, bool] = {}
    applied: dict[str, list[str]] = {}
    for part, findings in seen:
        for finding in findings:
            if finding.score is None:
                continue
            signal = finding.signal
            scores[signal] = max(finding.score, scores.get(signal, 0.0))
            flags[signal] = finding.flagged or flags.get(signal, False)
            if part.modality.value not in applied.setdefault(signal, []):
                applied[signal].append(part.modality.value)
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": applied,
        "guard": {"failed_detectors": _failed(finding for _, found in seen for finding in found)},
    }


def _inspected(detectors: Sequence[Detector], part: Artifact, context: Context) -> list[Finding]:
    """The findings on one part. Raises where nothing was scored: `flagged` would say it is harmless."""
    part.decode()
    findings = inspect_all(detectors, part, context)
    if not findings:
        raise ApiError(
            400,
            f"No detector of this server looks at {part.modality}.",
            code="unsupported_media",
            param="input",
        )
    if all(finding.score is None for finding in findings):
        raise DetectorError(f"No detector could score the {part.modality}.")
    return findings


def _failed(findings: Any) -> list[str]:
    """The detectors without an answer. What they said of it is for the operator."""
    return sorted({f"{f.detector}@{f.version}" for f in findings if f.error is not None})
