"""Pictures from the models that Guard hosts itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guard.api.asked import Asked
from guard.api.door import Door
from guard.api.errors import ApiError
from guard.api.visual.pictures import images_object
from guard.errors import ModelNotFoundError
from guard.media import Modality
from guard.pipeline import Release
from models.base import GenerationRequest, Generator

__all__ = ["draw", "drawer"]

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


def drawer(door: Door, name: str | None) -> Generator | None:
    """The hosted model of that name; without a name and without an upstream, the first that draws. Raises
    `ModelNotFoundError` where there is none to choose from."""
    found = door.hosted(name, Modality.IMAGE)
    if found is None and name is None and door.upstream is None:
        raise ModelNotFoundError("There is no model that makes pictures.", "Set an upstream.")
    return found


def draw(door: Door, generator: Generator, asked: Asked, caller: str | None) -> dict[str, Any]:
    """OpenAI's images object with the released pictures; for a stream its items are completed events."""
    fields = asked.fields
    request = GenerationRequest(
        prompt=fields["prompt"],
        modality=Modality.IMAGE,
        n=asked.number or 1,
        seed=_seed(fields),
        mime=_mime(fields),
        parameters={name: value for name, value in fields.items() if name not in _NOT_FOR_MODELS},
        caller=caller,
    )
    releases = door.guard.generate(generator, request, route="images")
    return images_object(releases, {}, [_event(release) if asked.stream else {} for release in releases])


def _event(release: Release) -> dict[str, Any]:
    """What OpenAI's event says of a picture. No tokens were spent on it."""
    picture = release.artifact.picture
    return {
        "type": "image_generation.completed",
        "background": "auto",
        "output_format": release.artifact.mime.removeprefix("image/"),
        "quality": "auto",
        "size": f"{picture.width}x{picture.height}",
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
    }


def _seed(fields: Mapping[str, Any]) -> int | None:
    seed = fields.get("seed")
    if seed is not None and type(seed) is not int:
        raise ApiError(400, "'seed' must be a whole number.", param="seed")
    return seed


def _mime(fields: Mapping[str, Any]) -> str | None:
    wanted = fields.get("output_format")
    if wanted is None:
        return None
    if not isinstance(wanted, str) or wanted not in _MIMES:
        raise ApiError(400, f"'output_format' must be one of {', '.join(_MIMES)}.", param="output_format")
    return _MIMES[wanted]
