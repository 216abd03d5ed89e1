"""Which rows are for training, which for calibrating, which for the report; made before training."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.toxicity.functional import FROZEN
from training.toxicity.mixture import FAMILIES
from training.toxicity.sources import FILES, Example

__all__ = ["PATH", "check_files", "make", "split"]

PATH = Path(__file__).parents[1] / "splits" / "toxicity.json"
_SEED = 20261122
_SHARES = {
    "davidson": (1200, 2400),
    "toxigen": (700, 1300),
    "implicit_hate": (1000, 2000),
    "bold": (100, 400),
}
"""How many keys go to validation and test. A key is a row; for BOLD, a person or trade."""
_TEMPLATES_TO_LEARN = ("am_hate_adj", "you_are_adj")


def make(examples: Mapping[str, Sequence[Example]], data: Path) -> dict[str, Any]:
    """The manifest: by source, the keys held out for validation and test; what is in neither is for training.

    Of the identity templates all but two are for the test, as is the news; HolisticBias and WinoBias are for
    training as a whole. The functional tests that nothing is chosen by are in it by their sha256.
    """
    held = {}
    for source, (validation, test) in _SHARES.items():
        keys = sorted({example.key for example in examples[source]})
        random.Random(_SEED).shuffle(keys)
        held[source] = {"validation": sorted(keys[:validation]), "test": sorted(keys[validation:][:test])}
    templates = {example.key for example in examples["madlibs"]}
    held["madlibs"] = {"validation": [], "test": sorted(templates.difference(_TEMPLATES_TO_LEARN))}
    held["news"] = {"validation": [], "test": sorted({example.key for example in examples["news"]})}
    return {
        "seed": _SEED,
        "files": {name: _digest(data / name) for name in FILES},
        "frozen": {name: _digest(FAMILIES / name) for name in FROZEN},
        "held": held,
    }


def check_files(data: Path) -> None:
    """Raises `SystemExit` where a file of the data sets or a frozen test is not the one that the splits were
    made for."""
    manifest = json.loads(PATH.read_text("utf-8"))
    expected = {data / name: digest for name, digest in manifest["files"].items()}
    expected |= {FAMILIES / name: digest for name, digest in manifest["frozen"].items()}
    for path, digest in expected.items():
        if (found := _digest(path)) != digest:
            raise SystemExit(f"{path.name} has sha256 {found}, expected {digest}.")


def split(examples: Mapping[str, Sequence[Example]]) -> dict[str, dict[str, list[Example]]]:
    """The examples by part and source, as the committed manifest has it.

    A text of the test or of the validation that occurs in another row too is for training in no row.
    """
    held = json.loads(PATH.read_text("utf-8"))["held"]
    parts: dict[str, dict[str, list[Example]]] = {"train": {}, "validation": {}, "test": {}}
    for source, found in examples.items():
        part_of = {key: part for part, keys in held.get(source, {}).items() for key in keys}
        for example in found:
            parts[part_of.get(example.key, "train")].setdefault(source, []).append(example)
    unseen = {_folded(e) for part in ("validation", "test") for found in parts[part].values() for e in found}
    for source, found in parts["train"].items():
        parts["train"][source] = [example for example in found if _folded(example) not in unseen]
    return parts


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _folded(example: Example) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in example.text.lower()).split())
