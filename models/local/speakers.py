"""How each family of text-to-speech models is loaded and asked: VITS, SpeechT5, Bark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from guard.errors import InputError
from models.local.parameters import number
from models.local.tokenizer import tokenizer_of
from models.local.voices import VOICES, load_arrays, voice_names

__all__ = ["Bark", "Make", "SpeechT5", "Vits", "checked_length"]

Make = Callable[[], Any]
"""Runs the model once; gives a tensor of samples, (n,) or (channels, n), maybe with leading ones."""

_SAFELY = {"local_files_only": True, "trust_remote_code": False}
_BARK_PARTS = {"semantic_prompt": 1, "coarse_prompt": 2, "fine_prompt": 2}
_MOST_LETTERS = 4096


def checked_length(tokens: int, most: int) -> None:
    """Raise `InputError` for a text of no tokens, or of more than `most`."""
    if not tokens:
        raise InputError("The text holds nothing that this model can say.", "Write words in its language.")
    if tokens > most:
        raise InputError(f"The text has {tokens} tokens; the model takes {most}.", "Shorten or split it.")


class Vits:
    """VITS and MMS-TTS. Parameters: `speed` (0.25 to 4; 1), `voice` (a speaker's number, if it has many)."""

    known = ("speed", "voice")

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import VitsModel

        self._tokenizer = tokenizer_of(folder)
        self._model = VitsModel.from_pretrained(folder, use_safetensors=True, **_SAFELY).to(device).eval()
        self.rate = int(self._model.config.sampling_rate)

    def plan(self, text: str, parameters: Mapping[str, Any]) -> Make:
        speed = number(parameters, "speed", 1.0, 0.25, 4.0)
        speaker = self._speaker(parameters.get("voice"))
        inputs = self._tokenizer(text, return_tensors="pt").to(self._model.device)
        checked_length(inputs["input_ids"].shape[1], _MOST_LETTERS)
        rate = speed * self._model.config.speaking_rate
        return lambda: self._model(**inputs, speaker_id=speaker, speaking_rate=rate).waveform

    def _speaker(self, voice: object) -> int | None:
        speakers = self._model.config.num_speakers
        if speakers < 2:
            if voice is None:
                return None
            raise InputError("This model has one voice.", "Leave the voice out.")
        names = [str(speaker) for speaker in range(speakers)]
        return names.index(_chosen("0" if voice is None else voice, names))


class SpeechT5:
    """SpeechT5 with its vocoder. Parameter: `voice`, a file in the checkpoint's `voices` folder.

    Such a file holds one x-vector of the speaker, as many numbers as the model's `speaker_embedding_dim`.
    """

    known = ("voice",)

    def __init__(self, folder: Path, device: str, vocoder: Path) -> None:
        from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan

        safely = {"use_safetensors": True, **_SAFELY}
        self._tokenizer = tokenizer_of(folder)
        self._model = SpeechT5ForTextToSpeech.from_pretrained(folder, **safely).to(device).eval()
        self._vocoder = SpeechT5HifiGan.from_pretrained(vocoder, **safely).to(device).eval()
        self._voices = folder / VOICES
        self.rate = int(self._vocoder.config.sampling_rate)

    def plan(self, text: str, parameters: Mapping[str, Any]) -> Make:
        speaker = self._speaker(parameters.get("voice"))
        inputs = self._tokenizer(text, return_tensors="pt").to(self._model.device)
        # The closing token alone is no text.
        length = inputs["input_ids"].shape[1]
        checked_length(length if length > 1 else 0, self._model.config.max_text_positions)
        return lambda: self._model.generate(**inputs, speaker_embeddings=speaker, vocoder=self._vocoder)

    def _speaker(self, voice: object) -> Any:
        import torch

        names = voice_names(self._voices)
        if not names:
            raise InputError(
                f"The model has no voices: its folder has no {VOICES}/.",
                "Put speaker embeddings there, as .npy or .safetensors.",
            )
        name = _chosen(names[0] if voice is None else voice, names)
        path = next(p for p in (self._voices / f"{name}{s}" for s in (".npy", ".safetensors")) if p.is_file())
        [vector] = load_arrays(path).values() or [np.zeros(0)]
        wanted = self._model.config.speaker_embedding_dim
        if vector.size != wanted or not np.isfinite(np.asarray(vector, np.float64)).all():
            raise InputError(f"The voice {name} holds {vector.shape} numbers, not {wanted}.")
        return torch.tensor(vector.reshape(1, wanted), dtype=torch.float32, device=self._model.device)


class Bark:
    """Bark. Parameters: `voice` (a preset in `speaker_embeddings/`, such as `v2/en_speaker_6`; none, so that
    each seed has its own), `temperature` (0.1 to 2; the checkpoint's own)."""

    known = ("temperature", "voice")

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import BarkModel

        self._tokenizer = tokenizer_of(folder)
        self._model = BarkModel.from_pretrained(folder, use_safetensors=True, **_SAFELY).to(device).eval()
        self._presets = folder / "speaker_embeddings"
        self._most = int(self._model.generation_config.semantic_config["max_input_semantic_length"])
        self.rate = int(self._model.generation_config.sample_rate)

    def plan(self, text: str, parameters: Mapping[str, Any]) -> Make:
        options: dict[str, Any] = {}
        if "temperature" in parameters:
            options["temperature"] = number(parameters, "temperature", 1.0, 0.1, 2.0)
        if parameters.get("voice") is not None:
            options["history_prompt"] = self._preset(parameters["voice"])
        plain = {"add_special_tokens": False, "return_token_type_ids": False, "return_tensors": "pt"}
        checked_length(self._tokenizer(text, **plain)["input_ids"].shape[1], self._most)
        inputs = self._tokenizer(text, **plain, max_length=self._most, padding="max_length")
        inputs = inputs.to(self._model.device)
        return lambda: self._model.generate(**inputs, **options)

    def _preset(self, voice: object) -> dict[str, Any]:
        import torch

        name = _chosen(voice, voice_names(self._presets, ["_semantic_prompt.npy"]))
        preset = {}
        for part, dimensions in _BARK_PARTS.items():
            codes = load_arrays(self._presets / f"{name}_{part}.npy")[""]
            if codes.ndim != dimensions or not np.issubdtype(codes.dtype, np.integer):
                raise InputError(
                    f"The voice {name} has a {part} of {codes.ndim} dimensions and {codes.dtype}."
                )
            preset[part] = torch.tensor(codes.astype(np.int64), device=self._model.device)
        return preset


def _chosen(voice: object, names: list[str]) -> str:
    """`voice`, if it is among `names`: what a caller sends is compared, and never made part of a path."""
    if voice not in names:
        shown = ", ".join(names[:20]) or "none"
        raise InputError(f"This model has no voice {voice!r}.", f"It has {shown}.")
    return str(voice)
