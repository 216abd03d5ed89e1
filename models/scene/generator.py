"""The scene model behind the interface that every model has: scenes as pictures, and as sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, ModelCard
from models.local.parameters import number, only, seed_or_random
from models.local.parameters import size as read_size
from models.scene.grammar import Scene
from models.scene.reading import parse
from models.scene.sampling import sample

__all__ = ["SceneGenerator", "draw"]

_CARDS = {
    modality: ModelCard(
        name="scene",
        version="1",
        modality=modality,
        provider="guard",
        licence="Apache-2.0",
        description=description,
    )
    for modality, description in (
        (Modality.IMAGE, "Draws small scenes from a caption grammar by rule; no learned weights."),
        (Modality.AUDIO, "Plays small scenes from a caption grammar by synthesis; no learned weights."),
    )
}
_SIDES = range(64, 2049)
_MOST = 10
_SEEDS = 2**63
_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 10.0, 1.0, 120.0


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
    """The built-in model of pictures, or of sound if `modality` says so. It needs no download.

    Parameters of pictures: `size` (`WIDTHxHEIGHT` or `auto`; 1024x1024); of sound: `seconds` (1 to 120; 10).
    Artifact i of a request with a seed has the seed + i, so each can be made again alone. What the prompt
    leaves open is chosen by that seed, alike for a picture and for its sound; words that the grammar does not
    know are ignored, but for those that name a sound, such as "church bells" or "wind".
    """

    def __init__(self, modality: Modality = Modality.IMAGE) -> None:
        if modality not in _CARDS:
            raise InputError(f"The scene model makes images and audio, not {modality}.")
        self._card = _CARDS[modality]

    @property
    def card(self) -> ModelCard:
        return self._card

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` artifacts of type `request.mime`, else PNG or WAV (44.1 kHz, stereo, 16 bits).

        Raises `InputError` for an empty prompt, another modality than the card's, `n` outside 1 to 10, or
        wrong parameters.
        """
        self._check(request)
        make = _pictures if self._card.modality is Modality.IMAGE else _sounds
        return make(request, seed_or_random(request.seed))

    def _check(self, request: GenerationRequest) -> None:
        makes = self._card.modality
        if request.modality is not makes:
            raise InputError(
                f"The scene model makes {'images' if makes is Modality.IMAGE else 'sound'}, "
                f"not {request.modality}.",
                f"Ask for {makes}, or choose another model.",
            )
        if not request.prompt.strip():
            raise InputError("The prompt is empty.", "Say what is there, such as 'a lighthouse at sunset'.")
        if not 1 <= request.n <= _MOST:
            raise InputError(f"n is {request.n}.", f"Ask for 1 to {_MOST} at a time.")


def _pictures(request: GenerationRequest, first: int) -> list[Artifact]:
    from guard.media.picture import Picture

    size = _size(request)
    wish = parse(request.prompt)
    pictures = (draw(sample(seed, wish), size, seed) for seed in range(first, first + request.n))
    return [Artifact.from_picture(Picture.from_array(p), request.mime or "image/png") for p in pictures]


def _size(request: GenerationRequest) -> tuple[int, int]:
    only(request.parameters, ("size",))
    asked = request.parameters.get("size", "auto")
    return (1024, 1024) if asked == "auto" else read_size(asked)


def _sounds(request: GenerationRequest, first: int) -> list[Artifact]:
    from guard.media.stream import Samples
    from models.scene.sound import RATE, play, wishes

    only(request.parameters, ("seconds",))
    seconds = number(request.parameters, "seconds", _SECONDS, _LEAST_SECONDS, _MOST_SECONDS)
    wish, wished = wishes(parse(request.prompt))
    sounds = (play(sample(s, wish), seconds, s % _SEEDS, wished) for s in range(first, first + request.n))
    return [Artifact.from_samples(Samples(RATE, sound), request.mime or "audio/wav") for sound in sounds]
