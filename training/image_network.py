"""The network behind the embedded image detector, its training on pairs, and its file.

`python -m training.image_network --bank BANK` trains on `BANK/pairs.npy` and writes `BANK/image.onnx`.

It sees the residual that a small blur leaves, divided by its own strength: neither content nor sharpness or
noise as such, but how neighbouring pixels of the three colours go together.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

__all__ = ["Network", "exported", "train"]

_CUT = 96
_BATCH = 24
_STEPS = 4000
_SHEETS = 0.6
"""How much of what it sees is Stable Diffusion's."""
_BLUR = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])) / 16


class Network(nn.Module):
    """Crops (N, S, S, 3) of values 0 to 255 to log-odds (N,), above 0 toward synthetic."""

    kernel: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        high = -_BLUR.clone()
        high[1, 1] += 1
        self.register_buffer("kernel", high.expand(3, 1, 3, 3).clone())
        layers: list[nn.Module] = []
        for before, after, stride in ((3, 16, 1), (16, 24, 2), (24, 32, 1), (32, 48, 2), (48, 64, 2)):
            layers += [nn.Conv2d(before, after, 3, stride, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(64, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = F.conv2d(x.permute(0, 3, 1, 2).float(), self.kernel, groups=3)
        strength = residual.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + 0.5
        found = self.body((residual / strength).clamp(-4, 4).contiguous(memory_format=torch.channels_last))
        logits: torch.Tensor = self.head(found.mean(dim=(2, 3)))[:, 0]
        return logits


def train(pairs: NDArray[np.uint8], odds: NDArray[np.float64], steps: int = _STEPS, seed: int = 0) -> Network:
    """A network that saw `steps` batches of pairs (N, 2, S, S, 3), each drawn with its odds, turned and cut
    at random, both of a pair the same way."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    recent, started = 0.69, time.monotonic()
    for step in range(steps):
        batch = _cut(pairs, rng.choice(len(pairs), _BATCH, p=odds), rng)
        made = torch.arange(2 * _BATCH) % 2
        loss = F.binary_cross_entropy_with_logits(network(batch), made * 0.96 + 0.02)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        recent += 0.01 * (float(loss.detach()) - recent)
        if step % 250 == 249:
            print(f"{step + 1:5d} loss {recent:.3f} {time.monotonic() - started:.0f} s", flush=True)
    return network.eval()


def _cut(pairs: NDArray[np.uint8], rows: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
    cut = []
    for row in rows:
        top, left = rng.integers(pairs.shape[2] - _CUT + 1, size=2)
        pair = pairs[row, :, top : top + _CUT, left : left + _CUT]
        pair = np.rot90(pair, int(rng.integers(4)), (1, 2))
        cut.append(pair[:, :, ::-1] if rng.random() < 0.5 else pair)
    return torch.from_numpy(np.ascontiguousarray(np.concatenate(cut)))


def exported(network: Network) -> bytes:
    """The network as an ONNX file: input `crops` (N, S, S, 3) uint8, output `logits` (N,)."""
    file = io.BytesIO()
    network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    torch.onnx.export(
        network,
        (torch.zeros(2, 128, 128, 3, dtype=torch.uint8),),
        file,  # type: ignore[arg-type]
        input_names=["crops"],
        output_names=["logits"],
        dynamic_axes={"crops": {0: "n"}, "logits": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    return file.getvalue()


def _main() -> None:
    parser = argparse.ArgumentParser(description="Train the embedded image detector's network.")
    parser.add_argument("--bank", type=Path, required=True)
    bank = parser.parse_args().bank
    torch.set_num_threads(1)
    sheets = np.array(json.loads((bank / "pairs.json").read_text(encoding="utf-8"))) == "stable-diffusion"
    odds = np.where(sheets, _SHEETS / sheets.sum(), (1 - _SHEETS) / (~sheets).sum())
    (bank / "image.onnx").write_bytes(exported(train(np.load(bank / "pairs.npy"), odds)))


if __name__ == "__main__":
    _main()
