"""Any text classifier of the transformers library, from a folder on this machine.

The folder holds what the library saves (config.json, model.safetensors, tokenizer.json) and `guard.json`,
which says what the classifier's labels mean here:

    {"sha256": "…of model.safetensors", "activation": "sigmoid", "threshold": 0.5, "licence": "Apache-2.0",
     "signals": {"toxicity": "toxicity", "sexual_explicit": "sexual"}, "description": "…", "data": "…"}

`signals` leads from labels to signals; labels that it does not name are left out. Nothing is ever fetched, no
pickle is read, and no code of the folder runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.base import Context, DetectorCard, Finding, abstained
from detectors.explain import Explanation, words
from guard.errors import ConfigurationError, DetectorError, MissingExtraError
from guard.media import Artifact, Modality

__all__ = ["CARD", "WEIGHTS", "Classifier", "Described", "digest"]

CARD = "guard.json"
WEIGHTS = "model.safetensors"
_LONGEST = 1 << 16
_MOST_TOKENS, _OVERLAP, _BATCH = 512, 64, 8
_EXPLAINED = 2000


class Described(BaseModel):
    """What `guard.json` says of a checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    signals: dict[str, str] = Field(min_length=1)
    activation: Literal["sigmoid", "softmax"] = "sigmoid"
    threshold: float = Field(default=0.5, ge=0, le=1)
    licence: str = "not stated"
    description: str = "A text classifier."
    data: str = "not stated"
    limits: str = "As its authors state; Guard has measured nothing of it."


class Classifier:
    """Scores text with a checkpoint of the transformers library. The extra [local] must be installed.

    Scores are the classifier's own outputs, so findings carry no likelihood ratio. A long text is read in
    windows of 512 tokens, and scores what its worst window does. Raises `ConfigurationError` for a folder
    that is not as described above; the weights load at the first `inspect`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._described = _described(folder)
        self._signals = tuple(dict.fromkeys(self._described.signals.values()))
        self.card = DetectorCard(
            id=folder.resolve().name,
            version=f"1+{self._described.sha256[:12]}",
            signal=self._signals[0],
            others=self._signals[1:],
            modalities=frozenset({Modality.TEXT}),
            description=self._described.description,
            licence=self._described.licence,
            data=self._described.data,
            calibration="none: the classifier's own outputs",
            abstains=f"blank texts; texts above {_LONGEST} characters with nothing found in those",
            limits=self._described.limits,
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding for each signal. Raises `DetectorError` where it is not text, and where the weights do
        not load."""
        text = _text(artifact)
        if not text.strip():
            return [self._silent("There are no words in the text.", signal) for signal in self._signals]
        worst = [max(column) for column in zip(*self._outputs([text[:_LONGEST]]), strict=True)]
        return [
            self._finding(signal, score, len(text) > _LONGEST)
            for signal, score in zip(self._signals, worst, strict=True)
        ]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each of the first words adds to the main signal's output; None for a blank text."""
        text = _text(artifact)[:_EXPLAINED]
        if not text.strip():
            return None
        found = words(text, lambda texts: [max(row[0] for row in self._outputs([part])) for part in texts])
        return Explanation(self.card.id, self.card.signal, tokens=found)

    def _finding(self, signal: str, score: float, cut_off: bool) -> Finding:
        threshold = self._described.threshold
        if cut_off and score < threshold:
            why = f"Only the first {_LONGEST} characters were read, and nothing was found in them."
            return self._silent(why, signal)
        return Finding(self.card.id, self.card.version, signal, score, threshold)

    def _silent(self, why: str, signal: str) -> Finding:
        return abstained(self.card, why, signal, self._described.threshold)

    def _outputs(self, texts: Sequence[str]) -> list[list[float]]:
        """For each window of the texts, the highest output of the labels that stand for each signal."""
        import torch

        tokenizer, model, columns = self._loaded
        batch = tokenizer(
            list(texts),
            truncation=True,
            max_length=_room(model, tokenizer),
            stride=min(_OVERLAP, _room(model, tokenizer) // 4),
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        found: list[list[float]] = []
        for ids, mask in zip(
            batch["input_ids"].split(_BATCH), batch["attention_mask"].split(_BATCH), strict=True
        ):
            with torch.inference_mode():
                logits = model(input_ids=ids, attention_mask=mask).logits
            scores = logits.sigmoid() if self._described.activation == "sigmoid" else logits.softmax(-1)
            found += torch.stack([scores[:, column].amax(1) for column in columns], 1).tolist()
        return found

    @cached_property
    def _loaded(self) -> tuple[Any, Any, list[list[int]]]:
        """Tokenizer, model, and for each signal the outputs that stand for it."""
        actual = digest(self._folder / WEIGHTS)
        if actual != self._described.sha256:
            raise DetectorError(
                f"The weights of '{self.card.id}' have sha256 {actual}, expected {self._described.sha256}.",
                "Convert or copy the checkpoint again.",
            )
        tokenizer, model = _load(self._folder)
        labels = model.config.id2label
        columns = [
            [number for number, label in labels.items() if self._described.signals.get(label) == signal]
            for signal in self._signals
        ]
        if not all(columns):
            raise DetectorError(
                f"The classifier '{self.card.id}' has the labels {', '.join(labels.values())}.",
                f"Name those in the signals of {CARD}.",
            )
        return tokenizer, model, columns


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _described(folder: Path) -> Described:
    try:
        found = Described.model_validate(json.loads((folder / CARD).read_text("utf-8")))
    except OSError as error:
        raise ConfigurationError(
            f"{folder / CARD} cannot be read: {error.strerror}.",
            "docs/guide/toxicity.md shows how to write it.",
        ) from error
    except (ValueError, ValidationError) as error:
        raise ConfigurationError(
            f"{folder / CARD} does not describe a classifier: {error}",
            "docs/guide/toxicity.md shows its keys.",
        ) from error
    if not (folder / WEIGHTS).is_file():
        raise ConfigurationError(
            f"{folder} holds no {WEIGHTS}.", "Convert the checkpoint; pickles are not read."
        )
    return found


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("A text classifier of the transformers library", "local") from error
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DetectorError(f"The classifier in {folder.name} does not load: {error}") from error
    return tokenizer, model.eval()


def _room(model: Any, tokenizer: Any) -> int:
    """Tokens a window. RoBERTa's table of places has two more rows than there are places."""
    places = int(model.config.max_position_embeddings) - 2
    return min(_MOST_TOKENS, places, int(tokenizer.model_max_length))


def _text(artifact: Artifact) -> str:
    if artifact.modality is not Modality.TEXT:
        raise DetectorError(f"A text classifier reads text, not {artifact.modality}.")
    return artifact.text
