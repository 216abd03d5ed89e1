"""Trains the embedded image detector and writes its weights and report card.

    python -m training.image_sources --photos PHOTOS
    python -m training.image_bank --data DATA --photos PHOTOS --out BANK
    python -m training.image_windows --data DATA --photos PHOTOS --bank BANK
    python -m training.image_trials --data DATA --photos PHOTOS --bank BANK
    python -m training.image_synthetic --bank BANK --out detectors/deepfake/weights

The first four take about half an hour of one core, the last a minute. Which picture does what was fixed in
`training/splits/image.json` before any of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from detectors.calibration import fit_platt
from detectors.deepfake.image_model import Layers, Model
from training.image_report import Trials, report
from training.image_windows import PARTS

__all__ = ["train"]

Array = NDArray[np.float32]

_SEEDS = 5
_EPOCHS = 24
_BATCH = 256
_WEIGHTS = {"stable-diffusion": 1.5, "fitted": 2.0}
_SHARPNESS = (-7, -5)
"""Of a window's numbers, how strong its finest residual is in its middle and in its busiest places."""
_BINS = 8


@dataclass(frozen=True, slots=True)
class _Windows:
    x: Array
    synthetic: NDArray[np.bool_]
    part: NDArray[np.str_]


def train(bank: Path) -> Model:
    """Several small networks on the same windows, from different starts."""
    windows = _read(bank)
    mean, spread = windows.x.mean(axis=0), windows.x.std(axis=0) + 1e-3
    x = torch.from_numpy(np.clip((windows.x - mean) / spread, -4, 4))
    y = torch.from_numpy(windows.synthetic.astype(np.float32))
    odds = _odds(windows)
    members = tuple(_fit(x, y, odds, seed) for seed in range(_SEEDS))
    return Model(mean, spread, members)


def _read(bank: Path) -> _Windows:
    found = {part: np.load(bank / f"{part}.npz")["x"] for part in PARTS}
    part = np.repeat(list(found), [len(x) for x in found.values()])
    return _Windows(np.concatenate(list(found.values())), part != "real", part)


def _odds(windows: _Windows) -> NDArray[np.float64]:
    """How often each window is drawn: parts by weight, and both classes alike at every sharpness, so that
    nothing is learned from the mere blur of what the small decoders paint."""
    weight = np.ones(len(windows.x))
    for part in set(windows.part):
        mine = windows.part == part
        weight[mine] = _WEIGHTS.get(part, 1.0) / mine.sum()
    key = np.zeros(len(weight), int)
    for column in _SHARPNESS:
        edges = np.quantile(windows.x[:, column], np.linspace(0, 1, _BINS + 1)[1:-1])
        key = key * _BINS + np.searchsorted(edges, windows.x[:, column])
    sides = (~windows.synthetic, windows.synthetic)
    masses = [np.bincount(key, weight * side, _BINS**2) for side in sides]
    common = np.minimum(*(mass / mass.sum() for mass in masses))
    for side, mass in zip(sides, masses, strict=True):
        weight[side] *= (common / np.maximum(mass, 1e-12))[key[side]]
    odds: NDArray[np.float64] = weight / weight.sum()
    return odds


def _fit(x: torch.Tensor, y: torch.Tensor, odds: NDArray[np.float64], seed: int) -> Layers:
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Dropout(0.1), nn.Linear(x.shape[1], 128), nn.ReLU(),
        nn.Dropout(0.4), nn.Linear(128, 24), nn.ReLU(),
        nn.Dropout(0.4), nn.Linear(24, 1),
    )  # fmt: skip
    steps = _EPOCHS * len(y) // _BATCH
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=5e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for rows in np.random.default_rng(seed).choice(len(y), (steps, _BATCH), p=odds):
        loss = F.binary_cross_entropy_with_logits(network(x[rows])[:, 0], y[rows] * 0.96 + 0.02)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    return tuple((layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy()) for layer in linear)


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description="Train the embedded image detector.")
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = train(args.bank)
    data = model.dump()
    trials = Trials.read(args.bank / "trials.npz", model)
    calibrating = trials.role("calibrate")
    raw, synthetic = calibrating.balanced(np.random.default_rng(0))
    calibration = fit_platt(raw.tolist(), synthetic.astype(int).tolist())
    # Above everything that it says of a calibration photograph, whatever control that went through.
    speaks = float(calibrating.raw[~calibrating.synthetic].max())
    card: dict[str, Any] = report(trials, calibration, speaks)
    card["weights"] = {"file": "image.npz", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (args.out / "image.npz").write_bytes(data)
    (args.out / "image.report.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: card[key] for key in ("ranking", "speaking", "false_alarms", "void")}, indent=1))


if __name__ == "__main__":
    main()
