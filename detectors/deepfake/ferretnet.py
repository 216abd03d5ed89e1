"""FerretNet (Liang et al., "FerretNet: Efficient Synthetic Image Detection via Local Pixel Dependencies",
NeurIPS 2025, arXiv 2509.20890), size S: 126,289 parameters.

The attributes' names are the published checkpoint's keys.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["FerretNet"]


class _Dilated(nn.Module):
    """Two depthwise 3 × 3 convolutions, one of them dilated by 2, added and mixed (paper, section 4.2)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, groups=before, bias=False)
        self.conv2 = nn.Conv2d(before, after, 3, stride, 2, dilation=2, groups=before, bias=False)
        self.conv3 = nn.Conv2d(after, after, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.conv3(self.conv1(x) + self.conv2(x))
        return mixed


class _Separable(nn.Module):
    """A depthwise convolution and a pointwise one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depth_wise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.point_wise = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.point_wise(self.depth_wise(x))
        return mixed


class _Block(nn.Module):
    """Both around a shortcut, which is a convolution where the shape changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Dilated(before, after, stride), nn.BatchNorm2d(after), nn.ReLU(),
            _Separable(after), nn.BatchNorm2d(after),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride), nn.BatchNorm2d(after))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.layers(x) + self.shortcut(x))


def _entry(before: int, after: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


class FerretNet(nn.Module):
    """Normalised pictures (N, 3, H, W) to logits (N,), above 0 for synthetic."""

    def __init__(self) -> None:
        super().__init__()
        self.cbr1 = _entry(3, 16, 1)
        self.cbr2 = _entry(16, 32, 2)
        self.feature = nn.Sequential(
            nn.Sequential(_Block(32, 64, 2), _Block(64, 64, 1)),
            nn.Sequential(_Block(64, 128, 2), _Block(128, 128, 1)),
            nn.Conv2d(128, 128, 1, bias=False),
        )
        self.logit = nn.Sequential(nn.Identity(), nn.Linear(128, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.feature(self.cbr2(self.cbr1(x - _around(x))))
        logits: torch.Tensor = self.logit(seen.mean(dim=(2, 3)))[:, 0]
        return logits


def _around(x: torch.Tensor) -> torch.Tensor:
    """The median of each pixel's 3 × 3 neighbourhood with a zero in its own place and beyond the edge."""
    n, channels, height, width = x.shape
    near = F.unfold(F.pad(x, (1, 1, 1, 1)), 3).view(n, channels, 9, height * width)
    near[:, :, 4] = 0
    return near.median(dim=2).values.view_as(x)
