"""Small neural vocoders of the kinds that speech generators end with, trained here on real speech.

Each turns a mel spectrum, or a coarse code of the sound, into a waveform by another way of raising the rate:

- `transposed`: transposed convolutions and dilated residual blocks (Kong et al., 2020: HiFi-GAN);
- `repeated`: repeated samples and convolutions (Odena et al., 2016, say why);
- `subbands`: four bands put together by fixed filters (Yang et al., 2021: Multi-band MelGAN);
- `istft`: magnitudes and phases of frames, and the inverse Fourier transform (Siuzdak, 2023: Vocos);
- `codec`: strided convolutions to few rounded numbers and back (Zeghidour et al., 2021: SoundStream).

They are far smaller and trained far shorter than published ones: some minutes on one core.
`python -m training.sound_vocoder --roots DIR DIR --kind KIND --out FILE` trains one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import firwin
from torch import nn
from torch.nn import functional as F

from training.sound_sources import RATE, clips, resampled

__all__ = ["KINDS", "load", "save", "train", "vocode"]

_HOP, _SIZE, _MELS = 256, 1024, 80
_SEGMENT = 32 * _HOP
_BATCH = 8
_SIZES = (256, 512, 1024)
_ADVERSARY_FROM = 0.3

Sound = NDArray[np.float32]


def _filters() -> torch.Tensor:
    """Triangles on the mel scale (O'Shaughnessy), (80, 513)."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, _MELS + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, _SIZE // 2 + 1)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return torch.tensor(np.maximum(0, np.minimum(rise, fall)), dtype=torch.float32)


_FILTERS = _filters()


def _spectrum(sound: torch.Tensor, size: int, hop: int | None = None) -> torch.Tensor:
    window = torch.hann_window(size)
    found = torch.stft(sound, size, hop or size // 4, window=window, return_complex=True)
    return found.abs().clamp(min=1e-5)


def mel_spectrum(sound: torch.Tensor) -> torch.Tensor:
    """Of sounds (N, n) the log mel spectra (N, 80, n // 256)."""
    found = (_FILTERS @ _spectrum(sound, _SIZE, _HOP)).clamp(min=1e-4).log()
    return found[..., : sound.shape[-1] // _HOP]


class _Residual(nn.Module):
    """Dilated convolutions, each around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(0.1), nn.Conv1d(width, width, 3, padding=d, dilation=d))
            for d in (1, 3, 9)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for step in self.steps:
            x = x + step(x)
        return x


def _raised(before: int, after: int, rate: int, kind: str) -> nn.Module:
    if kind == "repeated":
        return nn.Sequential(nn.Upsample(scale_factor=rate), nn.Conv1d(before, after, 7, padding=3))
    return nn.ConvTranspose1d(before, after, 2 * rate, rate, padding=rate // 2)


def _ladder(kind: str, rates: Sequence[int], widths: Sequence[int], channels: int) -> nn.Sequential:
    """From `widths[0]` channels at the frames' rate up by `rates`, to `channels` within [-1, 1]."""
    layers: list[nn.Module] = []
    for rate, (before, after) in zip(rates, pairwise(widths), strict=True):
        layers += [nn.LeakyReLU(0.1), _raised(before, after, rate, kind), _Residual(after)]
    last = nn.Conv1d(widths[-1], channels, 7, padding=3)
    return nn.Sequential(*layers, nn.LeakyReLU(0.1), last, nn.Tanh())


class _Upsampler(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.first = nn.Conv1d(_MELS, 128, 7, padding=3)
        self.rest = _ladder(kind, (8, 8, 4), (128, 64, 32, 16), 1)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.rest(self.first(self.seen(sound)))[:, 0]
        return out

    blur = 0.0

    def seen(self, sound: torch.Tensor) -> torch.Tensor:
        """The mel spectrum, smoothed over about `blur` frames and bands as what generators predict is."""
        mel = mel_spectrum(sound)
        if not self.blur:
            return mel
        reach = int(3 * self.blur) + 1
        taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / self.blur) ** 2)
        kernel = torch.outer(taps, taps)[None, None] / taps.sum() ** 2
        return F.conv2d(F.pad(mel[:, None], (reach,) * 4, mode="replicate"), kernel)[:, 0]


class _Subbands(_Upsampler):
    """Four bands of a quarter of the rate, through cosine-modulated filters (Nguyen, 1994)."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.rest = _ladder(kind, (8, 4, 2), (128, 64, 48, 32), 4)
        taps = np.arange(63) - 31
        low = firwin(63, 0.142, window=("kaiser", 9.0))
        bands = [2 * low * np.cos((2 * k + 1) * np.pi / 8 * taps - (-1) ** k * np.pi / 4) for k in range(4)]
        self.register_buffer("bands", torch.tensor(4 * np.stack(bands)[:, None], dtype=torch.float32))

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        parts = self.rest(self.first(self.seen(sound)))
        bands = self.get_buffer("bands")
        return F.conv_transpose1d(parts, bands, stride=4, padding=31, output_padding=3)[:, 0]


class _Near(nn.Module):
    """A depthwise convolution and two dense layers around a shortcut (Liu et al., 2022: ConvNeXt)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv1d(width, width, 7, padding=3, groups=width),
            nn.GroupNorm(1, width),
            nn.Conv1d(width, 3 * width, 1),
            nn.GELU(),
            nn.Conv1d(3 * width, width, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x + self.steps(x)
        return out


class _Inverse(_Upsampler):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.first = nn.Conv1d(_MELS, 192, 7, padding=3)
        self.rest = nn.Sequential(*(_Near(192) for _ in range(5)), nn.Conv1d(192, _SIZE + 2, 1))

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        mel = self.seen(sound)
        size, phase = self.rest(self.first(F.pad(mel, (0, 1), mode="replicate"))).chunk(2, dim=1)
        spectrum = torch.polar(size.clamp(max=6).exp(), phase)
        return torch.istft(spectrum, _SIZE, _HOP, window=torch.hann_window(_SIZE))


class _Codec(nn.Module):
    blur = 0.0

    def __init__(self, kind: str) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(1, 16, 7, padding=3)]
        for rate, (before, after) in zip((4, 4, 8), pairwise((16, 32, 64, 128)), strict=True):
            layers += [_Residual(before), nn.LeakyReLU(0.1)]
            layers += [nn.Conv1d(before, after, 2 * rate, rate, padding=rate // 2)]
        self.code = nn.Sequential(*layers, nn.LeakyReLU(0.1), nn.Conv1d(128, 32, 3, padding=1), nn.Tanh())
        self.first = nn.Conv1d(32, 128, 7, padding=3)
        self.rest = _ladder(kind, (8, 4, 4), (128, 64, 32, 16), 1)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        code = 4 * self.code(sound[:, None])
        rounded = code + (code.round() - code).detach()
        out: torch.Tensor = self.rest(self.first(rounded / 4))[:, 0]
        return out


KINDS: Mapping[str, Callable[[str], nn.Module]] = MappingProxyType(
    {
        "transposed": _Upsampler,
        "repeated": _Upsampler,
        "subbands": _Subbands,
        "istft": _Inverse,
        "codec": _Codec,
    }
)


def vocode(model: nn.Module, sound: Sound, blur: float = 0.0) -> Sound:
    """What a vocoder makes of a sound (n,), from its mel spectrum smoothed over about `blur` frames."""
    whole = np.pad(sound, (0, -len(sound) % _HOP))
    level = np.float32(0.5 / max(float(np.abs(sound).max(initial=0)), 1e-3))
    model.blur = blur  # type: ignore[assignment]
    with torch.inference_mode():
        made: Sound = model(torch.from_numpy(whole * level)[None])[0].numpy()
    return made[: len(sound)] / level


def save(model: nn.Module, kind: str, path: Path) -> None:
    """Write a vocoder's kind and weights."""
    torch.save({"kind": kind, "weights": model.state_dict()}, path)


def load(path: Path) -> nn.Module:
    """The vocoder that was trained before."""
    held = torch.load(path, weights_only=True)
    model = KINDS[held["kind"]](held["kind"])
    model.load_state_dict(held["weights"])
    return model.eval()


class _Judges(nn.Module):
    """Whether a sound is real, by its spectra at two resolutions and folded by two periods."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList(_judge() for _ in range(4))

    def forward(self, sound: torch.Tensor) -> list[torch.Tensor]:
        views = [_spectrum(sound, 512).log()[:, None], _spectrum(sound, 128).log()[:, None]]
        views += [sound[:, : _SEGMENT // p * p].view(len(sound), 1, -1, p) for p in (5, 7)]
        return [part(view) for part, view in zip(self.parts, views, strict=True)]


def _judge() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((1, 12), (12, 24), (24, 32)):
        layers += [nn.Conv2d(before, after, (5, 3), (3, 1), (2, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(32, 1, 3, padding=1))


def _distance(fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """How spectra at three resolutions differ, and mel spectra (Yamamoto et al., 2020)."""
    total = 3 * (mel_spectrum(fake) - mel_spectrum(real)).abs().mean()
    for size in _SIZES:
        a, b = _spectrum(fake, size), _spectrum(real, size)
        total = total + (a.log() - b.log()).abs().mean() + (a - b).norm() / b.norm()
    return total


def _toward(judged: list[torch.Tensor], aim: float) -> torch.Tensor:
    return torch.stack([((part - aim) ** 2).mean() for part in judged]).mean()


def train(kind: str, sounds: Sequence[Sound], seconds: float) -> nn.Module:
    """A vocoder of one kind after so many seconds of training; the last two thirds against judges."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model, judges = KINDS[kind](kind), _Judges()
    make = torch.optim.AdamW(model.parameters(), 1e-3, betas=(0.8, 0.99))
    learn = torch.optim.AdamW(judges.parameters(), 4e-4, betas=(0.8, 0.99))
    started, step = time.monotonic(), 0
    while (gone := (time.monotonic() - started) / seconds) < 1:
        make.param_groups[0]["lr"] = 1.5e-3 * (0.1 + 0.9 * (1 - gone))
        real = _batch(sounds, rng)
        fake = model(real)
        loss = _distance(fake, real)
        judged = gone > _ADVERSARY_FROM
        if judged:
            loss = loss + _toward(judges(fake), 1.0)
        make.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        make.step()
        if judged:
            blame = _toward(judges(real), 1.0) + _toward(judges(fake.detach()), 0.0)
            learn.zero_grad()
            blame.backward()  # type: ignore[no-untyped-call]
            learn.step()
        if step % 50 == 0:
            print(f"{kind} {step:5d} loss {float(loss.detach()):.2f} {gone:.0%}", flush=True)
        step += 1
    return model


def _batch(sounds: Sequence[Sound], rng: np.random.Generator) -> torch.Tensor:
    chosen = [sounds[int(i)] for i in rng.integers(0, len(sounds), _BATCH)]
    starts = [int(rng.integers(0, len(sound) - _SEGMENT)) for sound in chosen]
    cut = [s[a : a + _SEGMENT] * rng.uniform(0.2, 0.9) for s, a in zip(chosen, starts, strict=True)]
    return torch.from_numpy(np.stack(cut).astype(np.float32))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a small vocoder on the training speakers.")
    parser.add_argument("--roots", type=Path, nargs="+", required=True)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    speeds = np.random.default_rng(0)
    held = [
        resampled(clip.sound, RATE, RATE * float(speeds.uniform(0.75, 1.3)))
        for clip in clips(args.roots, "train", 60)
    ]
    save(train(args.kind, held, args.seconds), args.kind, args.out)
