"""Sound from the models that Guard hosts itself."""

from __future__ import annotations

from guard.api.door import Door
from guard.api.errors import ApiError
from guard.api.sound.speech_wish import ROUTE, SpeechWish
from guard.media import Modality
from guard.pipeline import Release
from models.base import GenerationRequest, Generator

__all__ = ["speak"]

_NOT_FOR_MODELS = frozenset(
    {
        # Wishes of OpenAI's form that a model of ours has no knob for.
        "instructions",
        # Read here, or by the request itself.
        "input",
        "model",
        "response_format",
        "safety_identifier",
        "seed",
        "stream",
        "stream_format",
        "user",
    }
)
_THEIR_VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
    *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
)
"""OpenAI's client demands a voice: one of OpenAI's means the model's own here."""


def speak(door: Door, generator: Generator, wish: SpeechWish, caller: str | None) -> Release:
    """The model's sound, released. What a model of ours makes is there at once, so it leaves whole."""
    fields = wish.body
    parameters = {name: value for name, value in fields.items() if name not in _NOT_FOR_MODELS}
    if parameters.get("voice") in _THEIR_VOICES:
        del parameters["voice"]
    if parameters.get("speed") == 1:
        del parameters["speed"]
    seed = fields.get("seed")
    if seed is not None and type(seed) is not int:
        raise ApiError(400, "'seed' must be a whole number.", param="seed")
    request = GenerationRequest(
        prompt=fields["input"],
        modality=Modality.AUDIO,
        seed=seed,
        mime=wish.mime,
        parameters=parameters,
        caller=caller,
    )
    (release,) = door.guard.generate(generator, request, route=ROUTE)
    return release
