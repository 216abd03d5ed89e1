"""An upstream's pictures, released in place of the originals."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from guard.api.answers import evidence
from guard.api.door import Door, upstreams_fault
from guard.api.jsontree import leaves
from guard.errors import UpstreamError
from guard.media import Artifact, Modality
from guard.pipeline import Origin, Release

__all__ = ["harmless", "images_object", "release_pictures"]

# A URL, or a run of base64: MIME breaks its lines after 76 characters, and a SHA-256 in hexadecimal has 64.
_PICTORIAL = re.compile(r"\A\s*(?:https?:|data:|//)|[\w+/=-]{72,}", re.ASCII | re.IGNORECASE)
_WORDS = frozenset({"error", "id", "prompt"})


def release_pictures(door: Door, answer: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """The upstream's images object with the released pictures in it.

    Its other fields stay, but for those that hold or point to a picture: some upstreams repeat theirs outside
    `data`. Raises what `Guard.release` raises, and `UpstreamError` where there is no picture to release.
    """
    items = answer["data"]
    if not items:
        raise UpstreamError("The upstream's answer has no pictures.")
    with upstreams_fault():
        for item in items:
            # A prompt that the upstream wrote in place of the caller's is text that nobody has screened yet.
            if isinstance(item.get("revised_prompt"), str):
                door.admit(replace(origin, prompt=item["revised_prompt"]))
        pictures = [_picture(item, door) for item in items]
    releases = door.release(pictures, origin)
    return images_object(releases, harmless(answer), [harmless(item) for item in items])


def images_object(
    releases: list[Release], fields: Mapping[str, Any], items: list[dict[str, Any]]
) -> dict[str, Any]:
    """OpenAI's images object over `releases`; `fields` and `items` hold what else stands in it."""
    data = [
        item
        | {"b64_json": base64.b64encode(release.artifact.data).decode("ascii"), "guard": evidence(release)}
        for item, release in zip(items, releases, strict=True)
    ]
    return {"created": int(time.time()), **fields, "data": data}


def harmless(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` without those that hold media or point to some; ids, errors and prompts are words."""
    return {
        name: value
        for name, value in fields.items()
        if name in _WORDS
        or name.endswith("_id")
        or not any(_PICTORIAL.search(leaf.text) for leaf in leaves([value], skip=()))
    }


def _picture(item: Mapping[str, Any], door: Door) -> Artifact:
    try:
        data = base64.b64decode(item["b64_json"], validate=True)
    except ValueError as error:
        raise UpstreamError(f"The upstream's picture is no base64: {error}.") from error
    artifact = Artifact.from_bytes(data, limits=door.limits)
    if artifact.modality is not Modality.IMAGE:
        raise UpstreamError(f"The upstream's picture is {artifact.mime}.")
    return artifact
