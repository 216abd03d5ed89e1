"""A text-to-sound model of transformers, hosted in this process: speech or music."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact
from guard.media.stream import Samples
from models.base import GenerationRequest, ModelCard
from models.local.checkpoint import Checkpoint, card_of, model_type
from models.local.music import MusicGen
from models.local.parameters import only, seed_or_random
from models.local.seeding import seeded
from models.local.speakers import Bark, Make, SpeechT5, Vits

__all__ = ["LocalSound"]


class _Engine(Protocol):
    rate: int

    @property
    def known(self) -> Sequence[str]: ...

    def plan(self, text: str, parameters: Mapping[str, Any]) -> Make:
        """What makes the sound, with everything checked. Raises `InputError`."""


class LocalSound:
    """The VITS, SpeechT5, Bark or MusicGen model in a checkpoint: safetensors alone, no code, no network.

    Parameters: those of its family, as `models.local.speakers` and `models.local.music` say. `vocoder` makes
    SpeechT5's spectrograms audible. Sound i of a request with a seed has the seed + i.
    """

    def __init__(self, checkpoint: Checkpoint, vocoder: Checkpoint | None = None) -> None:
        self._engine = _loaded(checkpoint, vocoder)
        self._card = card_of(checkpoint)
        if vocoder is not None:
            self._card = replace(self._card, description=f"with the vocoder {vocoder.name}")

    @property
    def card(self) -> ModelCard:
        return self._card

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        """`request.n` sounds of type `request.mime`, else WAV, at the model's own rate.

        Raises `InputError` for an empty or too long text and wrong parameters, `GenerationError` for all
        else.
        """
        only(request.parameters, self._engine.known)
        if not request.prompt.strip():
            raise InputError("The text is empty.", "Write what shall be heard.")
        make = self._engine.plan(request.prompt, request.parameters)
        first = seed_or_random(request.seed)
        sounds = (self._run(make, first + i) for i in range(request.n))
        return [Artifact.from_samples(sound, request.mime or "audio/wav") for sound in sounds]

    def _run(self, make: Make, seed: int) -> Samples:
        import torch

        try:
            with seeded(seed), torch.no_grad():
                wave = make().to("cpu", torch.float32).numpy()
        except Exception as error:  # whatever torch or the model's code raises: the model failed
            raise GenerationError(f"The model {self._card.name} failed: {error}") from error
        return Samples(self._engine.rate, _checked(wave))


def _checked(wave: Any) -> Any:
    """Samples (n, channels) within full scale, of an array (…, n)."""
    data = np.atleast_2d(wave.squeeze()).T
    if not data.size or not np.isfinite(data).all():
        raise GenerationError("The model gave no sound, or numbers that are none.", "Try another seed.")
    return np.ascontiguousarray(data / max(1.0, float(np.abs(data).max())))


def _loaded(checkpoint: Checkpoint, vocoder: Checkpoint | None) -> _Engine:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError:
        raise MissingExtraError("Hosting a sound model", "local") from None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = model_type(checkpoint.folder)
    try:
        if kind == "speecht5" and vocoder is not None:
            return SpeechT5(checkpoint.folder, device, vocoder.folder)
        engines: Mapping[str, Callable[[Path, str], _Engine]]
        engines = {"vits": Vits, "bark": Bark, "musicgen": MusicGen}
        return engines[kind](checkpoint.folder, device)
    except Exception as error:  # many types, and each says that this is no such checkpoint
        raise ModelNotFoundError(
            f"{checkpoint.name} does not load as a sound model: {type(error).__name__}: {error}",
            "It must be a VITS, SpeechT5, Bark or MusicGen model of transformers, in safetensors.",
        ) from error
