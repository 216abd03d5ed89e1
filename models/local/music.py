"""MusicGen: music from a description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.local.parameters import number
from models.local.speakers import Make, checked_length
from models.local.tokenizer import tokenizer_of

__all__ = ["MusicGen"]

_MOST_TOKENS = 512
_SECONDS, _MOST_SECONDS = 8.0, 30.0  # its decoder was trained on 30 s


class MusicGen:
    """MusicGen. Parameters: `seconds` (1 to 30; 8), `temperature` (0.1 to 2; 1), `guidance` (1 to 10; the
    checkpoint's own)."""

    known = ("guidance", "seconds", "temperature")

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import MusicgenForConditionalGeneration

        self._tokenizer = tokenizer_of(folder)
        self._model = MusicgenForConditionalGeneration.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
        self._model = self._model.to(device).eval()
        self._codec = self._model.config.audio_encoder
        self.rate = int(self._codec.sampling_rate)

    def plan(self, text: str, parameters: Mapping[str, Any]) -> Make:
        seconds = number(parameters, "seconds", _SECONDS, 1.0, _MOST_SECONDS)
        options: dict[str, Any] = {
            "max_new_tokens": round(seconds * self._codec.frame_rate) + self._model.decoder.num_codebooks,
            "do_sample": True,
            "temperature": number(parameters, "temperature", 1.0, 0.1, 2.0),
        }
        if "guidance" in parameters:
            options["guidance_scale"] = number(parameters, "guidance", 3.0, 1.0, 10.0)
        inputs = self._tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        checked_length(inputs["input_ids"].shape[1], _MOST_TOKENS)
        inputs = inputs.to(self._model.device)
        length = round(seconds * self.rate)
        # One code book after the other starts a step later, which leaves a frame or two too many or few.
        return lambda: self._model.generate(**inputs, **options)[..., :length]
