"""A text-to-image pipeline of diffusers, hosted in this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact
from guard.media.picture import Picture
from models.base import GenerationRequest, ModelCard
from models.local.checkpoint import Checkpoint, card_of
from models.local.parameters import integer, number, only, seed_or_random, size

__all__ = ["LocalImage"]

_KNOWN = ("guidance", "negative_prompt", "size", "steps")
_MAX_SIDE = 4096


class LocalImage:
    """The text-to-image pipeline in a checkpoint: safetensors alone, no code from it, no network.

    Parameters: `size` (`WIDTHxHEIGHT`; the pipeline's own), `steps` and `guidance` (the pipeline's own),
    `negative_prompt`. Picture i of a request with a seed has the seed + i, so each can be made again alone.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._pipeline = _loaded(checkpoint)
        self._card = card_of(checkpoint)
        self._one_at_a_time = threading.Lock()  # a pipeline keeps its schedule in itself

    @property
    def card(self) -> ModelCard:
        return self._card

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` pictures of type `request.mime`, else PNG.

        Raises `InputError` for wrong parameters, and `GenerationError` where the pipeline fails, where it
        gives numbers that are none, or where its own safety checker blacked a picture out.
        """
        options = self._options(request)
        with self._one_at_a_time:
            try:
                result = self._pipeline(request.prompt, output_type="np", **options)
            except Exception as error:  # whatever torch or the pipeline's code raises: the model failed
                raise GenerationError(f"The model {self._card.name} failed: {error}") from error
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise GenerationError(
                "The model's own safety checker held the picture back.", "Ask for something else."
            )
        return [_artifact(pixels, request.mime or "image/png") for pixels in result.images]

    def _options(self, request: GenerationRequest) -> dict[str, Any]:
        import torch

        only(request.parameters, _KNOWN)
        first = seed_or_random(request.seed)
        options: dict[str, Any] = {
            "num_images_per_prompt": request.n,
            # The processor's generators, so that a seed means the same with and without an accelerator.
            "generator": [torch.Generator().manual_seed(first + i) for i in range(request.n)],
        }
        if "steps" in request.parameters:
            options["num_inference_steps"] = integer(request.parameters, "steps", 1, 1, 1000)
        if "guidance" in request.parameters:
            options["guidance_scale"] = number(request.parameters, "guidance", 1.0, 0.0, 100.0)
        if "negative_prompt" in request.parameters:
            options["negative_prompt"] = str(request.parameters["negative_prompt"])
        if "size" in request.parameters:
            options["width"], options["height"] = _checked(size(request.parameters["size"]))
        return options


def _checked(sides: tuple[int, int]) -> tuple[int, int]:
    # Latents are an eighth of the picture: pipelines refuse other sides, each in its own words.
    if any(side % 8 or not 8 <= side <= _MAX_SIDE for side in sides):
        raise InputError(f"The sides of a picture must be multiples of 8, up to {_MAX_SIDE}, not {sides}.")
    return sides


def _loaded(checkpoint: Checkpoint) -> Any:
    try:
        import torch
        from diffusers import AutoPipelineForText2Image
    except (ImportError, RuntimeError) as error:  # diffusers hides a part it misses in a RuntimeError
        raise MissingExtraError("Hosting a picture model", "local") from error
    try:
        pipeline = AutoPipelineForText2Image.from_pretrained(
            checkpoint.folder, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # many types, and each says that this is no such checkpoint
        raise ModelNotFoundError(
            f"{checkpoint.name} does not load as a text-to-image pipeline: {error}",
            "It must be a text-to-image pipeline of diffusers, with its weights in safetensors.",
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if torch.cuda.is_available() else "cpu")


def _artifact(pixels: NDArray[np.float32], mime: str) -> Artifact:
    """The artifact of RGB (H, W, 3) in [0, 1]."""
    # Half-precision decoders overflow; rounded to integers that would pass as a black picture.
    if not np.isfinite(pixels).all():
        raise GenerationError(
            "The model gave a picture of numbers that are none.", "Try another seed or precision."
        )
    return Artifact.from_picture(Picture.from_array(np.rint(pixels * 255).astype(np.uint8)), mime)
