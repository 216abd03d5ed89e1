"""MesoNet (Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", 2018, arXiv
1809.00888): Meso-4 and MesoInception-4, for faces of 256 pixels.

Layers are numbered in the order in which they work, as the published Keras files have them, and those of an
inception layer branch by branch.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Meso4", "MesoInception4"]

_KERAS_EPSILON = 1e-3


class _Stage(nn.Module):
    """A layer, ReLU, normalisation, and the greatest of every `pool` × `pool`."""

    def __init__(self, layer: nn.Module, channels: int, pool: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm2d(channels, eps=_KERAS_EPSILON)
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(self.norm(F.relu(self.layer(x))), self.pool)


class _Inception(nn.Module):
    """Four branches side by side (paper, figure 5): pointwise, then 3 × 3 dilated by 1, 2 and 3."""

    def __init__(self, before: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.points = nn.ModuleList(nn.Conv2d(before, width, 1) for width in widths)
        self.wide = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation, width in enumerate(widths[1:], start=1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others = (point(x) for point in self.points)
        return torch.cat(
            [first, *(conv(F.relu(y)) for conv, y in zip(self.wide, others, strict=True))], dim=1
        )


class _Meso(nn.Module):
    def __init__(self, stages: tuple[_Stage, ...]) -> None:
        super().__init__()
        self.stages = nn.Sequential(*stages)
        self.hidden = nn.Linear(1024, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures (N, 3, 256, 256) in [0, 1] to logits (N,), above 0 for a real face."""
        # Keras flattens with channels last.
        flat = self.stages(x).permute(0, 2, 3, 1).flatten(1)
        logits: torch.Tensor = self.out(F.leaky_relu(self.hidden(flat), 0.1))[:, 0]
        return logits


class Meso4(_Meso):
    """Four convolutions."""

    def __init__(self) -> None:
        shapes = ((3, 8, 3, 2), (8, 8, 5, 2), (8, 16, 5, 2), (16, 16, 5, 4))
        super().__init__(tuple(_plain(*shape) for shape in shapes))


class MesoInception4(_Meso):
    """Two inception layers and two convolutions."""

    def __init__(self) -> None:
        super().__init__(
            (
                _Stage(_Inception(3, (1, 4, 4, 2)), 11, 2),
                _Stage(_Inception(11, (2, 4, 4, 2)), 12, 2),
                _plain(12, 16, 5, 2),
                _plain(16, 16, 5, 4),
            )
        )


def _plain(before: int, after: int, side: int, pool: int) -> _Stage:
    return _Stage(nn.Conv2d(before, after, side, padding=side // 2), after, pool)
