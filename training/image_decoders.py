"""Small decoders of the kinds that generators end with, trained here to reconstruct real pictures.

What a picture keeps of the decoder that painted it is what the detector looks for; reconstructing real
pictures gives synthetic ones that differ from them in nothing else (Rajan et al., "Aligned Datasets Improve
Detection of Latent Diffusion-Generated Images", 2024, arXiv 2410.11835).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

__all__ = ["VARIANTS", "Coder", "Variant", "reconstruct", "train"]

_WIDTHS = (16, 40, 64, 64)
_FIR = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4


@dataclass(frozen=True, slots=True)
class Variant:
    """How a decoder grows its picture: by which upsampling, how far, from how many latent channels, and
    whether these are rounded to a few levels (Mentzer et al., 2023: finite scalar quantisation)."""

    up: str
    halvings: int
    channels: int
    quantised: bool = False
    noise: bool = False
    steps: int = 600


VARIANTS = {
    "bilinear4q": Variant("bilinear", 2, 12, quantised=True),
    "fir8": Variant("fir", 3, 48, noise=True),
    "nearest4": Variant("nearest", 2, 24, steps=1000),
    "nearest8": Variant("nearest", 3, 32),
    "nearest8q": Variant("nearest", 3, 48, quantised=True),
    "patch8": Variant("patch", 3, 64),
    "shuffle4": Variant("shuffle", 2, 8),
    "transposed4": Variant("transposed", 2, 24, steps=1000),
    "transposed8": Variant("transposed", 3, 48),
}


class _Block(nn.Module):
    """Two convolutions around a shortcut (He et al., 2016), normalised by groups."""

    def __init__(self, channels: int, noise: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.noise = nn.Parameter(torch.full((channels, 1, 1), 0.05)) if noise else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x + self.body(x)
        if self.noise is not None:
            out = out + self.noise * torch.randn_like(out[:, :1])
        return out


class _Up(nn.Module):
    """Doubles a map's sides, in one of the ways that generators do."""

    def __init__(self, kind: str, before: int, after: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "transposed":
            self.conv: nn.Module = nn.ConvTranspose2d(before, after, 4, 2, 1)
        elif kind == "shuffle":
            self.conv = nn.Sequential(nn.Conv2d(before, 4 * after, 3, padding=1), nn.PixelShuffle(2))
        else:
            self.conv = nn.Conv2d(before, after, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "nearest":
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        elif self.kind == "bilinear":
            x = F.interpolate(x, scale_factor=2, mode="bilinear")
        elif self.kind == "fir":
            x = _zeros_between(x)
        out: torch.Tensor = self.conv(x)
        return out


def _zeros_between(x: torch.Tensor) -> torch.Tensor:
    """Zeros between the values, smoothed by [1, 3, 3, 1] (Karras et al., 2020: StyleGAN2)."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, 2 * h, 2 * w)
    spread[:, :, ::2, ::2] = x
    kernel = torch.outer(_FIR, _FIR)[None, None].repeat(c, 1, 1, 1)
    return F.conv2d(F.pad(spread, (2, 1, 2, 1)), kernel, groups=c)


class Coder(nn.Module):
    """Squeezes a picture by 2**halvings a side into a few channels, and paints it again."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        n, widths = variant.halvings, _WIDTHS[: variant.halvings + 1]
        self.variant = variant
        if variant.up == "patch":
            self.encoder, self.decoder = _patches(2**n, variant.channels)
            return
        down: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, padding=1)]
        for before, after in pairwise(widths):
            down += [nn.SiLU(), nn.Conv2d(before, after, 3, 2, 1)]
        self.encoder = nn.Sequential(
            *down, _Block(widths[n], False), nn.Conv2d(widths[n], variant.channels, 1)
        )
        up: list[nn.Module] = [nn.Conv2d(variant.channels, widths[n], 3, padding=1), _Block(widths[n], False)]
        for before, after in zip(widths[::-1], widths[-2::-1], strict=False):
            up += [_Up(variant.up, before, after), _Block(after, variant.noise)]
        self.decoder = nn.Sequential(*up, nn.SiLU(), nn.Conv2d(widths[0], 3, 3, padding=1))

    def forward(self, x: torch.Tensor, noise: float = 0.0) -> torch.Tensor:
        z = self.encoder(x)
        if noise:
            z = z + noise * z.std(dim=(2, 3), keepdim=True) * torch.randn_like(z)
        if self.variant.quantised:
            bounded = 3.5 * torch.tanh(z)
            z = bounded + (bounded.round() - bounded).detach()
        painted: torch.Tensor = self.decoder(z)
        return painted


def _patches(side: int, channels: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Takes a picture apart into square patches and paints each at once (Dosovitskiy et al., 2021)."""
    encoder = nn.Sequential(nn.Conv2d(3, 96, side, side), _Block(96, False), nn.Conv2d(96, channels, 1))
    decoder = nn.Sequential(
        nn.Conv2d(channels, 96, 3, padding=1), _Block(96, False), _Block(96, False),
        nn.Conv2d(96, 16 * side**2, 1), nn.PixelShuffle(side), nn.SiLU(), nn.Conv2d(16, 3, 3, padding=1),
    )  # fmt: skip
    return encoder, decoder


def train(variant: Variant, patches: Callable[[int], NDArray[np.uint8]], seed: int) -> tuple[Coder, float]:
    """A coder trained on as many batches as the variant says, `patches(8)`, (8, S, S, 3); also its mean
    absolute error of 255.

    The first half learns to copy; the second also to please a small judge of texture, as published decoders
    do, whose painting is sharper than what it was given.
    """
    torch.manual_seed(seed)
    steps = variant.steps
    coder, judge = Coder(variant), _judge()
    paint = torch.optim.Adam(coder.parameters(), 1.5e-3, betas=(0.8, 0.99))
    learn = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(paint, steps, 1e-4)
    recent, started = 0.1, time.monotonic()
    for step in range(steps):
        real = _tensor(patches(8))
        fake = coder(real)
        error = (fake - real).abs().mean()
        loss = error + 0.5 * _edges(fake - real)
        judged = 2 * step > steps
        if judged:
            loss = loss - 0.01 * judge(fake).mean()
        paint.zero_grad()
        loss.backward()
        paint.step()
        if judged:
            learn.zero_grad()
            blame = F.relu(1 - judge(real)).mean() + F.relu(1 + judge(fake.detach())).mean()
            blame.backward()  # type: ignore[no-untyped-call]
            learn.step()
        schedule.step()
        recent += 0.02 * (float(error.detach()) - recent)
        if step % 100 == 0:
            print(f"{step:5d} error {127.5 * recent:.2f} {time.monotonic() - started:.0f} s", flush=True)
    return coder.eval(), 127.5 * recent


def reconstruct(coder: Coder, pictures: NDArray[np.uint8], noise: float = 0.0) -> NDArray[np.uint8]:
    """What the coder makes of pictures (N, S, S, 3), S a multiple of 8; `noise` is added to the codes, in
    their own standard deviations."""
    with torch.inference_mode():
        painted = coder(_tensor(pictures), noise)
    scaled = (127.5 * (painted.clamp(-1, 1) + 1)).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())


def _judge() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((3, 24), (24, 32), (32, 32)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(32, 1, 3, padding=1))


def _edges(difference: torch.Tensor) -> torch.Tensor:
    """How far neighbouring differences differ: a loss that keeps edges sharp."""
    across = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    return across + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()


def _tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    # A copy, since what is mapped from a file cannot be written to.
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
