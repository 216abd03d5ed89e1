"""The scene model behind the interface that every model has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, ModelCard
from models.local.parameters import only, seed_or_random
from models.local.parameters import size as read_size
from models.scene.grammar import Scene
from models.scene.reading import parse
from models.scene.sampling import sample

__all__ = ["CARD", "SceneGenerator", "draw"]

CARD = ModelCard(
    name="scene",
    version="1",
    modality=Modality.IMAGE,
    provider="guard",
    licence="Apache-2.0",
    description="Draws small scenes from a caption grammar by rule; no learned weights.",
)

_SIDES = range(64, 2049)
_MOST = 10
_SEEDS = 2**63


def draw(scene: Scene, size: tuple[int, int] = (1024, 1024), seed: int = 0) -> NDArray[np.uint8]:
    """`scene` as RGB pixels (height, width, 3); `size` is (width, height), each 64 to 2048 pixels.

    The same scene, size and seed give the same pixels; another seed arranges and textures it anew. Raises
    `InputError` for sizes out of bounds.
    """
    from models.scene.paint import draw as paint

    if any(side not in _SIDES for side in size):
        raise InputError(
            f"A picture of {size[0]}x{size[1]} pixels cannot be drawn.",
            f"Ask for {_SIDES.start} to {_SIDES.stop - 1} pixels a side.",
        )
    return paint(scene, size, seed % _SEEDS)


class SceneGenerator:
    """The built-in image model. It runs anywhere and needs no download.

    Parameters: `size` (`WIDTHxHEIGHT` or `auto`; 1024x1024). Picture i of a request with a seed has the
    seed + i, so each can be made again alone. What the prompt leaves open is chosen by that seed; words
    that the grammar does not know are ignored.
    """

    @property
    def card(self) -> ModelCard:
        return CARD

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` pictures of type `request.mime`, else PNG.

        Raises `InputError` for an empty prompt, another modality than image, `n` outside 1 to 10, or a bad
        size.
        """
        from guard.media.picture import Picture

        _check(request)
        size = _size(request)
        wish = parse(request.prompt)
        first = seed_or_random(request.seed)
        pictures = (draw(sample(first + i, wish), size, first + i) for i in range(request.n))
        return [Artifact.from_picture(Picture.from_array(p), request.mime or "image/png") for p in pictures]


def _check(request: GenerationRequest) -> None:
    if request.modality is not Modality.IMAGE:
        raise InputError(
            f"The scene model makes images, not {request.modality}.",
            "Ask for an image, or choose another model.",
        )
    if not request.prompt.strip():
        raise InputError("The prompt is empty.", "Say what to draw, such as 'a lighthouse at sunset'.")
    if not 1 <= request.n <= _MOST:
        raise InputError(f"n is {request.n}.", f"Ask for 1 to {_MOST} pictures at a time.")


def _size(request: GenerationRequest) -> tuple[int, int]:
    only(request.parameters, ("size",))
    asked = request.parameters.get("size", "auto")
    return (1024, 1024) if asked == "auto" else read_size(asked)
