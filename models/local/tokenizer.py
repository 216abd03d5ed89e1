"""The tokenizer in a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["tokenizer_of"]

_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")


def tokenizer_of(folder: Path) -> Any:
    """The tokenizer, by its own settings. Raises `FileNotFoundError` where the folder holds no vocabulary:
    transformers would make some kinds from nothing, and they would know no word."""
    from transformers import AutoTokenizer

    if not any(any(folder.glob(name)) for name in _VOCABULARIES):
        raise FileNotFoundError("there is no tokenizer")
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
