"""A small vocabulary, and a checkpoint of a classifier with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from detectors.toxicity.wordpiece import CLS, PAD, SEP, UNKNOWN, Vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'\"*@$:()-_/"
WORDS = (
    "hate",
    "fuck",
    "them",
    "all",
    "of",
    "cool",
    "so",
    "you",
    "the",
    "bitch",
    "see",
    "good",
    "day",
    "is",
)
VOCABULARY = Vocabulary([PAD, UNKNOWN, CLS, SEP, *LETTERS, *(f"##{c}" for c in LETTERS), *WORDS])
CLASSES = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]


def tokenizer(folder: Path) -> Path:
    """A folder with a tokenizer as transformers saves it."""
    from transformers import BertTokenizerFast

    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(VOCABULARY.ids), "utf-8")
    made = BertTokenizerFast(vocab=str(vocabulary), model_max_length=64)
    made.save_pretrained(folder)
    return folder


def checkpoint(path: Path, kind: str = "BertForSequenceClassification", **sizes: int) -> Path:
    """A file of detoxify's form, with random weights."""
    import torch
    import transformers

    small = {
        "vocab_size": len(VOCABULARY.ids),
        "hidden_size": 64,
        "num_attention_heads": 1,
        "intermediate_size": 32,
    }
    small |= {"num_hidden_layers": 2, "max_position_embeddings": 64} | sizes
    model_class = getattr(transformers, kind)
    torch.manual_seed(0)
    config = model_class.config_class(num_labels=len(CLASSES), **small)
    state = model_class(config).state_dict() | {"bert.embeddings.position_ids": torch.arange(64)[None]}
    arch = {"model_type": "small", "model_name": kind, "tokenizer_name": "", "num_classes": len(CLASSES)}
    loaded: dict[str, Any] = {
        "config": {"arch": {"args": arch}, "dataset": {"args": {"classes": CLASSES}}},
        "state_dict": state,
    }
    torch.save(loaded, path)
    return path


def described(folder: Path, **changes: object) -> None:
    """Changes what `guard.json` says; None takes a key out."""
    path = folder / "guard.json"
    known = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in known.items() if v is not None}), "utf-8")
