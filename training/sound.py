"""Trains the embedded sound detector on the bank that `training.sound_bank` wrote.

`python -m training.sound --bank DIR --out detectors/deepfake/weights` reads `train*.npz`, `calibrate*.npz`,
`test*.npz` and `sealed*.npz`; it takes some minutes on one core. `--leave-out` prints how every family fares
that was left out of training, which is what choices were made by, and writes nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from detectors.calibration import fit_platt
from detectors.deepfake.sound_model import Layers, Model
from detectors.evaluation.metrics import auc
from training.sound_report import limits, report
from training.sound_trials import Flags, Numbers, Trials, equal_error
from training.sound_vocoder import KINDS

__all__ = ["left_out", "train"]

_SEEDS = 4
_STEPS = 700
_BATCH = 256
_SOFT = 0.03
_STRANGE = "fsdd"
"""The source of recordings that is left out together with a family."""


def train(trials: Trials, seeds: int = _SEEDS) -> Model:
    """Several small networks on the same windows, from different starts; families count alike, and so do
    both classes and, of real speech, speakers."""
    mean, spread = trials.x.mean(axis=0), trials.x.std(axis=0) + 1e-3
    x = torch.from_numpy(np.clip((trials.x - mean) / spread, -4, 4))
    y = torch.from_numpy(trials.fake.astype(np.float32))
    odds = _even(np.where(trials.fake, trials.family, trials.speaker), trials.fake)
    members = tuple(_fit(x, y, odds, seed) for seed in range(seeds))
    return Model(mean.astype(np.float32), spread.astype(np.float32), members)


def _even(group: NDArray[np.str_], fake: Flags) -> Numbers:
    """How often to draw each trial, so that classes count alike, and groups within a class."""
    odds = np.ones(len(group))
    for side in (fake, ~fake):
        names = set(group[side])
        for name in names:
            mine = side & (group == name)
            odds[mine] /= mine.sum() * len(names)
    return np.asarray(odds / odds.sum())


def _fit(x: torch.Tensor, y: torch.Tensor, odds: Numbers, seed: int) -> Layers:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = nn.Sequential(
        nn.Dropout(0.2), nn.Linear(x.shape[1], 64), nn.ReLU(),
        nn.Dropout(0.4), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 1),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=5e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for rows in rng.choice(len(y), (_STEPS, _BATCH), p=odds):
        loss = F.binary_cross_entropy_with_logits(network(x[rows])[:, 0], y[rows] * (1 - 2 * _SOFT) + _SOFT)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    return tuple((layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy()) for layer in linear)


def left_out(trained: Trials) -> Iterator[tuple[str, Numbers, Flags]]:
    """For every family, a model that heard neither its kin nor a whole source of recordings: the family's
    name, and raw output and class of the family's trials and of the source's recordings."""
    strange = np.char.startswith(trained.speaker, _STRANGE)
    kin = np.char.partition(trained.family, "-")[:, 0]
    for name in sorted(set(kin[trained.fake])):
        model = train(trained.chosen(~strange & (kin != name)), 1)
        unseen = trained.chosen((strange & ~trained.fake) | (kin == name))
        yield str(name), unseen.raw(model), unseen.fake


def _leave_out(trained: Trials) -> None:
    for name, raw, fake in left_out(trained):
        print(f"{name}: AUC {auc(raw, fake):.3f}, EER {equal_error(raw, fake):.3f}", flush=True)


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description="Train the embedded sound detector.")
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--leave-out", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    trained, calibrating = (Trials.read(args.bank, role) for role in ("train", "calibrate"))
    if args.leave_out:
        _leave_out(trained)
        return
    _write(args, trained, calibrating)


def _write(args: argparse.Namespace, trained: Trials, calibrating: Trials) -> None:
    model = train(trained)
    crossed = [(raw, fake) for name, raw, fake in left_out(trained) if name in KINDS]
    crossed.append((calibrating.raw(model), calibrating.fake))
    raw, fake = (np.concatenate(column) for column in zip(*crossed, strict=True))
    calibration = fit_platt(raw.tolist(), fake.astype(int).tolist())
    test, sealed = (Trials.read(args.bank, role) for role in ("test", "sealed"))
    card = report(model, calibration, limits(trained, calibrating, model, calibration), test, sealed)
    data = model.dump()
    card["weights"] = {"file": "sound.npz", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (args.out / "sound.npz").write_bytes(data)
    (args.out / "sound.report.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: card[key] for key in ("ranking", "speaking", "false_alarms")}, indent=1))


if __name__ == "__main__":
    main()
