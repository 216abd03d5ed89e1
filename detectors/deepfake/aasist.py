"""AASIST (Jung et al., "AASIST: audio anti-spoofing using integrated spectro-temporal graph attention
networks", ICASSP 2022, arXiv 2110.01200) and its light variant AASIST-L: 297,866 and 85,306 parameters.

The attributes' names are the published checkpoints' keys.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["SAMPLES", "Aasist", "Margin", "filters"]

SAMPLES = 64_600
"""How much the network hears at once: 4.04 s at 16 kHz."""

_BANDS, _TAPS, _RATE, _BINS = 70, 129, 16_000, 257
_HEADS = 32
_TEMPERATURE, _STACK_TEMPERATURE = 2.0, 100.0
_SHARES: Mapping[int, tuple[float, float, float]] = {64: (0.5, 0.7, 0.5), 24: (0.4, 0.5, 0.7)}
"""By width: which share of the spectral, temporal and joint nodes pooling keeps (the published settings)."""


def filters() -> torch.Tensor:
    """The first layer (70, 1, 129), not trained: band passes under a Hamming window, equal in mel."""
    mel = 2595 * torch.log10(1 + torch.linspace(0, _RATE // 2, _BINS, dtype=torch.float64) / 700)
    edges = 700 * (10 ** (torch.linspace(mel.min(), mel.max(), _BANDS + 1, dtype=torch.float64) / 2595) - 1)
    at = torch.arange(_TAPS, dtype=torch.float64) - (_TAPS - 1) / 2
    low_passes = 2 * edges[:, None] / _RATE * torch.sinc(2 * edges[:, None] * at / _RATE)
    bands = low_passes[1:] - low_passes[:-1]
    window = torch.hamming_window(_TAPS, periodic=False, dtype=torch.float64)
    return (window * bands)[:, None].float()


class Aasist(nn.Module):
    """Sound at 16 kHz (N, 64600), in [-1, 1], to logits (N, 2): spoofed, bona fide. `width` is 64, or 24 for
    AASIST-L."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        spectral, temporal, joint = _SHARES[width]
        self.register_buffer("filters", filters(), persistent=False)
        self.first_bn = nn.BatchNorm2d(1)
        steps = [(1, 32), (32, 32), (32, width), (width, width), (width, width), (width, width)]
        self.encoder = nn.Sequential(*(nn.Sequential(_Block(*step, first=step[0] == 1)) for step in steps))
        self.pos_S = nn.Parameter(torch.zeros(1, _BANDS // 3, width))
        self.master1 = nn.Parameter(torch.zeros(1, 1, width))
        self.master2 = nn.Parameter(torch.zeros(1, 1, width))
        self.GAT_layer_S, self.GAT_layer_T = _Attention(width), _Attention(width)
        self.pool_S, self.pool_T = _Pool(width, spectral), _Pool(width, temporal)
        self.HtrgGAT_layer_ST11, self.HtrgGAT_layer_ST12 = _Stack(width), _Stack(_HEADS)
        self.HtrgGAT_layer_ST21, self.HtrgGAT_layer_ST22 = _Stack(width), _Stack(_HEADS)
        self.pool_hS1, self.pool_hT1 = _Pool(_HEADS, joint), _Pool(_HEADS, joint)
        self.pool_hS2, self.pool_hT2 = _Pool(_HEADS, joint), _Pool(_HEADS, joint)
        self.out_layer = nn.Linear(5 * _HEADS, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heard = F.conv1d(x[:, None], self.get_buffer("filters")).abs()[:, None]
        encoded = self.encoder(F.selu(self.first_bn(F.max_pool2d(heard, 3)))).abs()
        spectral = self.GAT_layer_S(encoded.amax(dim=3).transpose(1, 2) + self.pos_S)
        temporal = self.GAT_layer_T(encoded.amax(dim=2).transpose(1, 2))
        s, t = self.pool_S(spectral), self.pool_T(temporal)
        first = self._branch(t, s, self.master1, "1")
        second = self._branch(t, s, self.master2, "2")
        t, s, master = (torch.maximum(a, b) for a, b in zip(first, second, strict=True))
        ends = (t.abs().amax(dim=1), t.mean(dim=1), s.abs().amax(dim=1), s.mean(dim=1), master[:, 0])
        logits: torch.Tensor = self.out_layer(torch.cat(ends, dim=1))
        return logits

    def _branch(
        self, t: torch.Tensor, s: torch.Tensor, master: torch.Tensor, number: str
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One of the two that the maximum is taken of (paper, section 3.4)."""
        part = self.get_submodule
        t, s, master = part(f"HtrgGAT_layer_ST{number}1")(t, s, master.expand(len(t), -1, -1))
        s, t = part(f"pool_hS{number}")(s), part(f"pool_hT{number}")(t)
        more_t, more_s, more = part(f"HtrgGAT_layer_ST{number}2")(t, s, master)
        return t + more_t, s + more_s, master + more


class Margin(nn.Module):
    """By how much the logit of spoofed exceeds that of bona fide: (N,)."""

    def __init__(self, network: Aasist) -> None:
        super().__init__()
        self._network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = self._network(x)
        margin: torch.Tensor = logits[:, 0] - logits[:, 1]
        return margin


class _Block(nn.Module):
    """A residual block. The published one normalises its input, and convolves what came in all the same."""

    def __init__(self, before: int, after: int, *, first: bool) -> None:
        super().__init__()
        if not first:
            self.bn1 = nn.BatchNorm2d(before)  # in the checkpoint, and without effect
        self.conv1 = nn.Conv2d(before, after, (2, 3), padding=(1, 1))
        self.bn2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, (2, 3), padding=(0, 1))
        self.conv_downsample = (
            nn.Conv2d(before, after, (1, 3), padding=(0, 1)) if before != after else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        deeper = self.conv2(F.selu(self.bn2(self.conv1(x))))
        return F.max_pool2d(deeper + self.conv_downsample(x), (1, 3))


class _Attention(nn.Module):
    """Graph attention over nodes (N, nodes, width) of one kind."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.att_proj = nn.Linear(width, width)
        self.att_weight = nn.Parameter(torch.zeros(width, 1))
        self.proj_with_att = nn.Linear(width, width)
        self.proj_without_att = nn.Linear(width, width)
        self.bn = nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.tanh(self.att_proj(_pairs(x))) @ self.att_weight
        mixed = _attended(scores[..., 0] / _TEMPERATURE) @ x
        return _activated(self.bn, self.proj_with_att(mixed) + self.proj_without_att(x))


class _Stack(nn.Module):
    """Graph attention over temporal and spectral nodes together, and a master node that listens to both."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj_type1, self.proj_type2 = nn.Linear(width, width), nn.Linear(width, width)
        self.att_proj, self.att_projM = nn.Linear(width, _HEADS), nn.Linear(width, _HEADS)
        for kind in ("11", "22", "12", "M"):
            self.register_parameter(f"att_weight{kind}", nn.Parameter(torch.zeros(_HEADS, 1)))
        self.proj_with_att, self.proj_without_att = nn.Linear(width, _HEADS), nn.Linear(width, _HEADS)
        self.proj_with_attM, self.proj_without_attM = nn.Linear(width, _HEADS), nn.Linear(width, _HEADS)
        self.bn = nn.BatchNorm1d(_HEADS)

    def forward(
        self, t: torch.Tensor, s: torch.Tensor, master: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = torch.cat([self.proj_type1(t), self.proj_type2(s)], dim=1)
        heard = torch.tanh(self.att_projM(x * master)) @ self.get_parameter("att_weightM")
        told = _attended(heard[..., 0] / _STACK_TEMPERATURE)[:, None] @ x
        mixed = _attended(self._scores(x, t.shape[1]) / _STACK_TEMPERATURE) @ x
        joint = _activated(self.bn, self.proj_with_att(mixed) + self.proj_without_att(x))
        master = self.proj_with_attM(told) + self.proj_without_attM(master)
        return joint[:, : t.shape[1]], joint[:, t.shape[1] :], master

    def _scores(self, x: torch.Tensor, temporal: int) -> torch.Tensor:
        """What two nodes are to one another: a weight for pairs of each kind, one for mixed pairs."""
        pairs = torch.tanh(self.att_proj(_pairs(x)))
        of_kind = (torch.arange(x.shape[1], device=x.device) >= temporal).long()
        kinds = of_kind[:, None] + of_kind[None]
        by_kind = [(pairs @ self.get_parameter(f"att_weight{kind}"))[..., 0] for kind in ("11", "12", "22")]
        return torch.where(kinds == 0, by_kind[0], torch.where(kinds == 1, by_kind[1], by_kind[2]))


class _Pool(nn.Module):
    """Keeps the nodes that score best, each scaled by its score."""

    def __init__(self, width: int, share: float) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 1)
        self._share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.sigmoid(self.proj(x))
        best = scores.topk(max(1, int(x.shape[1] * self._share)), dim=1).indices
        return torch.gather(x * scores, 1, best.expand(-1, -1, x.shape[2]))


def _pairs(x: torch.Tensor) -> torch.Tensor:
    return x[:, :, None] * x[:, None]


def _attended(scores: torch.Tensor) -> torch.Tensor:
    """Weights over the nodes of what is asked (the last axis but one of a square, the last of a row)."""
    return scores.softmax(dim=-2 if scores.ndim == 3 else -1)


def _activated(norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return F.selu(norm(x.flatten(0, 1)).view_as(x))
