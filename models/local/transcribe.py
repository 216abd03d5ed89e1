"""A Whisper model of transformers, hosted in this process: speech to text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Artifact
from guard.media.stream import Samples
from models.base import ModelCard, Segment, Transcript
from models.local.checkpoint import Checkpoint, card_of
from models.local.seeding import seeded
from models.local.tokenizer import tokenizer_of

__all__ = ["LocalTranscriber"]

_RATE = 16_000
_WINDOW = 30.0


class LocalTranscriber:
    """The Whisper model in a checkpoint: safetensors alone, no code from the checkpoint, no network."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._ears, self._tokenizer, self._model = _loaded(checkpoint)
        self._card = card_of(checkpoint)

    @property
    def card(self) -> ModelCard:
        return self._card

    def transcribe(self, artifact: Artifact, *, language: str | None = None) -> Transcript:
        """What is said, with the times of each segment; sound of any length is read window by window.

        `language` is a code such as `en`; without one the model tells it by itself. Raises `InputError` for a
        language that the model does not know, the artifact's own errors, and `GenerationError` for all else.
        """
        import torch

        options = self._options(language)
        samples = artifact.samples
        inputs = self._features(_mono(samples))
        try:
            with seeded(0), torch.no_grad():
                found = self._model.generate(
                    **inputs, **options, return_timestamps=True, return_segments=True
                )
        except Exception as error:  # whatever torch or the model's code raises: the model failed
            raise GenerationError(f"The model {self._card.name} failed: {error}") from error
        heard = (self._segment(segment, samples.duration) for segment in found["segments"][0])
        segments = tuple(segment for segment in heard if segment.start < segment.end)
        return Transcript(" ".join(s.text for s in segments if s.text), segments, language)

    def _options(self, language: str | None) -> dict[str, Any]:
        if not getattr(self._model.generation_config, "is_multilingual", False):
            if language not in (None, "en"):
                raise InputError(f"The model knows English alone, not {language}.")
            return {}
        known = [code.strip("<|>") for code in self._model.generation_config.lang_to_id]
        if language is None:
            return {"task": "transcribe"}
        if language not in known:
            raise InputError(
                f"The model does not know the language {language!r}.", f"It knows {', '.join(known)}."
            )
        return {"task": "transcribe", "language": language}

    def _features(self, mono: NDArray[np.float32]) -> Mapping[str, Any]:
        """The mel spectrogram, whole where it fills more than a window, else padded to one."""
        long = len(mono) > _WINDOW * _RATE
        features: Any = self._ears(
            mono,
            sampling_rate=_RATE,
            return_tensors="pt",
            return_attention_mask=True,
            truncation=False,
            padding="longest" if long else "max_length",
        )
        inputs: Mapping[str, Any] = features.to(self._model.device)
        return inputs

    def _segment(self, segment: Mapping[str, Any], duration: float) -> Segment:
        """A segment as far as the sound goes: a window is padded, and what is heard there was not said."""
        text = self._tokenizer.decode(segment["tokens"], skip_special_tokens=True).strip()
        return Segment(float(segment["start"]), min(float(segment["end"]), duration), text)


def _mono(samples: Samples) -> NDArray[np.float32]:
    import soxr

    return np.asarray(soxr.resample(samples.data.mean(axis=1), samples.rate, _RATE), np.float32)


def _loaded(checkpoint: Checkpoint) -> tuple[Any, Any, Any]:
    try:
        import torch
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration
    except ImportError:
        raise MissingExtraError("Hosting a transcriber", "local") from None
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        ears = WhisperFeatureExtractor.from_pretrained(checkpoint.folder, **safely)
        tokenizer = tokenizer_of(checkpoint.folder)
        model = WhisperForConditionalGeneration.from_pretrained(
            checkpoint.folder, use_safetensors=True, **safely
        )
    except Exception as error:  # many types, and each says that this is no such checkpoint
        raise ModelNotFoundError(
            f"{checkpoint.name} does not load as a transcriber: {error}",
            "It must be a Whisper model of transformers, with its weights in safetensors.",
        ) from error
    return ears, tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
