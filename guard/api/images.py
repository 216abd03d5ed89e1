"""`/v1/images/generations`: pictures that leave marked, signed and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from guard.api.answers import Json
from guard.api.bodies import read_json, user_in, while_connected
from guard.api.door import Door, door_of
from guard.api.errors import ApiError
from guard.api.pictures import images_object, release_pictures
from guard.errors import ModelNotFoundError
from guard.media import Modality
from guard.pipeline import Origin
from models.base import GenerationRequest, Generator

__all__ = ["router"]

_MOST = 10
_MIMES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_NOT_FOR_MODELS = frozenset(
    {
        # Wishes of OpenAI's form that a model of ours has no knob for.
        "background",
        "moderation",
        "quality",
        "style",
        # Read here, or by the request itself.
        "model",
        "n",
        "output_format",
        "partial_images",
        "prompt",
        "response_format",
        "safety_identifier",
        "seed",
        "stream",
        "user",
    }
)

router = APIRouter()


@router.post("/v1/images/generations")
async def generations(request: Request) -> Response:
    """`n` pictures as base64, each with its evidence under `guard`."""
    door = door_of(request)
    body = await read_json(request)
    _check(body)
    caller = request.state.caller
    generator = _built_in(door, body.get("model"))
    if generator is not None:
        return await door.work(_generate, door, generator, body, caller)
    if door.upstream is None:
        raise ModelNotFoundError(
            f"No model goes by the name {body['model']!r}.", "GET /v1/models lists them."
        )
    origin = Origin(
        model=body.get("model") or "unspecified",
        provider=door.upstream.origin,
        prompt=body["prompt"],
        caller=caller,
        route="images",
        user=user_in(body),
    )
    await door.work(door.admit, origin)
    answer = await while_connected(request, door.upstream.images(body))
    return await door.work(_release, door, answer, origin)


def _release(door: Door, answer: Mapping[str, Any], origin: Origin) -> Response:
    return Json(release_pictures(door, answer, origin))


def _check(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise ApiError(400, "'prompt' must be a text, and not an empty one.", param="prompt")
    if not isinstance(body.get("model"), str | None):
        raise ApiError(400, "'model' must name a model.", param="model")
    n = body.get("n")
    if n is not None and (type(n) is not int or not 1 <= n <= _MOST):
        raise ApiError(400, f"'n' must be a whole number from 1 to {_MOST}.", param="n")
    for name in ("stream", "partial_images"):
        if body.get(name):
            # A picture that is not finished yet carries neither mark nor signature.
            raise ApiError(
                400, f"'{name}' is not available: only finished pictures are released.", param=name
            )


def _built_in(door: Door, model: str | None) -> Generator | None:
    """The built-in model of that name; without a name and without an upstream, the first that draws."""
    if model is not None:
        return _draws(door.generators.get(model))
    if door.upstream is not None:
        return None
    found = next(filter(_draws, door.generators.values()), None)
    if found is None:
        raise ModelNotFoundError("There is no model that makes pictures.", "Set an upstream.")
    return found


def _draws(generator: Generator | None) -> Generator | None:
    return generator if generator is not None and generator.card.modality is Modality.IMAGE else None


def _generate(door: Door, generator: Generator, body: Mapping[str, Any], caller: str | None) -> Response:
    request = GenerationRequest(
        prompt=body["prompt"],
        modality=Modality.IMAGE,
        n=body.get("n") or 1,
        seed=_seed(body),
        mime=_mime(body),
        parameters={name: value for name, value in body.items() if name not in _NOT_FOR_MODELS},
        caller=caller,
    )
    releases = door.guard.generate(generator, request, route="images")
    return Json(images_object(releases, {}, [{} for _ in releases]))


def _seed(body: Mapping[str, Any]) -> int | None:
    seed = body.get("seed")
    if seed is not None and type(seed) is not int:
        raise ApiError(400, "'seed' must be a whole number.", param="seed")
    return seed


def _mime(body: Mapping[str, Any]) -> str | None:
    wanted = body.get("output_format")
    if wanted is None:
        return None
    if not isinstance(wanted, str) or wanted not in _MIMES:
        raise ApiError(400, f"'output_format' must be one of {', '.join(_MIMES)}.", param="output_format")
    return _MIMES[wanted]
