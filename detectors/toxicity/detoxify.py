"""Detoxify's checkpoints, made into a folder that `Classifier` loads.

Detoxify itself fetches a configuration from the network even when everything is at hand, and reads its
checkpoints as pickles, which may run code. So its checkpoint is read here with torch's restricted loader, the
configuration is built from the shapes of the tensors, and what is written holds tensors and text only:

    python -m detectors.toxicity.detoxify CHECKPOINT --sha256 HEX --tokenizer FOLDER --out FOLDER

The tokenizer's folder is that of the model which the checkpoint was made from, as transformers saves it.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detectors.toxicity.classifier import CARD, WEIGHTS, digest
from guard.errors import GuardError, InputError, MissingExtraError

__all__ = ["convert", "main"]

_NAMES = {"toxic": "toxicity", "identity_hate": "identity_attack", "severe_toxic": "severe_toxicity"}
_SIGNALS = {
    "toxicity": "toxicity",
    "severe_toxicity": "toxicity",
    "obscene": "obscene",
    "insult": "insult",
    "threat": "threat",
    "identity_attack": "identity_attack",
    "sexual_explicit": "sexual",
}
_TOKENIZER_FILES = ("*.json", "*.txt", "*.model")
_HEAD_WIDTH = 64
_ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-5}
_KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "BertForSequenceClassification": ("bert", {}),
    "RobertaForSequenceClassification": ("roberta", _ROBERTA),
    "XLMRobertaForSequenceClassification": ("xlm-roberta", _ROBERTA),
    "AlbertForSequenceClassification": (
        "albert",
        {"hidden_act": "gelu_new", "classifier_dropout_prob": 0.1, "num_hidden_layers": 12},
    ),
}
"""By the class that a checkpoint names: the family of its model, and what no tensor's shape tells."""


def convert(checkpoint: Path, tokenizer: Path, out: Path, sha256: str) -> None:
    """Writes `out`, which must not exist yet, from a detoxify checkpoint and a folder with its tokenizer.

    Raises `InputError` where the checkpoint has another sha256, holds more than tensors and plain data, or
    does not fit the model that it names, and `MissingExtraError` without the extra [local].
    """
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise MissingExtraError("Converting a checkpoint", "local") from error
    if out.exists():
        raise InputError(f"{out} exists already.", "Name a folder that does not.")
    loaded = _read(checkpoint, sha256)
    classes, config, tensors = _parts(loaded)
    _check_fit(config, tensors)
    out.mkdir(parents=True)
    for pattern in _TOKENIZER_FILES:
        for file in sorted(tokenizer.glob(pattern)):
            shutil.copyfile(file, out / file.name)
    (out / "config.json").write_text(json.dumps(config, indent=1), "utf-8")
    save_file(tensors, out / WEIGHTS, metadata={"format": "pt"})
    (out / CARD).write_text(json.dumps(_card(classes, digest(out / WEIGHTS), sha256), indent=1), "utf-8")


def _read(checkpoint: Path, sha256: str) -> Any:
    import torch

    try:
        actual = digest(checkpoint)
    except OSError as error:
        raise InputError(f"{checkpoint} cannot be read: {error.strerror}.") from error
    if actual != sha256.lower():
        raise InputError(f"{checkpoint} has sha256 {actual}, expected {sha256}.", "Fetch the file again.")
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"{checkpoint} is no checkpoint of tensors and plain data alone.") from error


def _parts(loaded: Any) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """Class names, configuration and tensors."""
    try:
        classes = [_NAMES.get(name, name) for name in loaded["config"]["dataset"]["args"]["classes"]]
        kind = loaded["config"]["arch"]["args"]["model_name"]
        tensors = {
            name: tensor.contiguous()
            for name, tensor in loaded["state_dict"].items()
            if not name.endswith(
                "position_ids"
            )  # older versions of transformers saved these with the weights
        }
        return classes, _config(kind, classes, tensors), tensors
    except (KeyError, TypeError, AttributeError, StopIteration, IndexError) as error:
        raise InputError(f"The checkpoint is none of detoxify's: {type(error).__name__}: {error}.") from error


def _config(kind: str, classes: Sequence[str], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the model that these tensors are the weights of."""
    family, rest = _KINDS[kind]
    words = _named(tensors, "embeddings.word_embeddings.weight")
    inner = _named(tensors, "ffn.weight" if family == "albert" else "intermediate.dense.weight")
    sizes = {
        "vocab_size": words.shape[0],
        "hidden_size": inner.shape[1],
        "intermediate_size": inner.shape[0],
        "num_attention_heads": max(1, inner.shape[1] // _HEAD_WIDTH),
        "max_position_embeddings": _named(tensors, "embeddings.position_embeddings.weight").shape[0],
        "type_vocab_size": _named(tensors, "embeddings.token_type_embeddings.weight").shape[0],
    }
    if family == "albert":
        sizes["embedding_size"] = words.shape[1]
    else:
        sizes["num_hidden_layers"] = sum(name.endswith("intermediate.dense.weight") for name in tensors)
    labels = {"id2label": dict(enumerate(classes)), "label2id": {name: n for n, name in enumerate(classes)}}
    return {"model_type": family, "architectures": [kind], **sizes, **rest, **labels}


def _named(tensors: Mapping[str, Any], ending: str) -> Any:
    return next(tensor for name, tensor in tensors.items() if name.endswith(ending))


def _check_fit(config: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Raises `InputError` unless the tensors are all that the model has, each of the right shape."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    made = AutoConfig.for_model(**config)
    with torch.device("meta"):
        wanted = AutoModelForSequenceClassification.from_config(made).state_dict()
    odd = {name for name in wanted.keys() | tensors.keys() if not _alike(wanted.get(name), tensors.get(name))}
    if odd:
        raise InputError(f"The checkpoint does not fit its model at: {', '.join(sorted(odd)[:5])}.")


def _alike(wanted: Any, found: Any) -> bool:
    return wanted is not None and found is not None and wanted.shape == found.shape


def _card(classes: Sequence[str], weights: str, source: str) -> dict[str, Any]:
    return {
        "sha256": weights,
        "activation": "sigmoid",
        "signals": {name: _SIGNALS[name] for name in classes if name in _SIGNALS},
        "licence": "Apache-2.0",
        "description": f"Detoxify (Unitary), converted from the checkpoint with sha256 {source[:12]}…",
        "data": "the Jigsaw toxic comment challenges (comments of Wikipedia and Civil Comments)",
        "limits": "Its authors report a mean AUC of 92 to 99 on the challenges' own tests; names and plain "
        "mentions of identities are known false alarms. Guard has measured nothing of it.",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command above; 2 where the input cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m detectors.toxicity.detoxify", description=convert.__doc__
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--sha256", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        convert(given.checkpoint, given.tokenizer, given.out, given.sha256)
    except GuardError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
