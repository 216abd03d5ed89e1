"""What PerTh's package needs and few machines have: enough of torchaudio and librosa, out of torch, soxr."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import numpy as np
import soxr

__all__ = ["stand_in"]


def stand_in() -> None:
    """Puts both in place where they cannot be imported: the package hides an import that failed, and then has
    no watermarker."""
    for name, make in (("torchaudio", _torchaudio), ("librosa", _librosa)):
        try:
            importlib.import_module(name)
        except (ImportError, OSError):
            sys.modules.update(make())


def _librosa() -> dict[str, ModuleType]:
    librosa: Any = ModuleType("librosa")

    def resample(sound: Any, *, orig_sr: int, target_sr: int, **_: Any) -> Any:
        return np.asarray(soxr.resample(sound, orig_sr, target_sr, quality="HQ"), np.float32)

    librosa.resample = resample
    return {"librosa": librosa}


def _torchaudio() -> dict[str, ModuleType]:
    """`Spectrogram` and `InverseSpectrogram`; `TimeStretch` only holds a buffer that the checkpoint fills."""
    torch: Any = importlib.import_module("torch")
    package: Any = ModuleType("torchaudio")
    transforms: Any = ModuleType("torchaudio.transforms")

    class Spectrogram(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, n_fft: int, win_length: int, hop_length: int, **_: Any) -> None:
            super().__init__()
            self.sizes = {"n_fft": n_fft, "win_length": win_length, "hop_length": hop_length}
            self.register_buffer("window", torch.hann_window(win_length))

        def forward(self, wave: Any) -> Any:
            return torch.stft(wave, **self.sizes, window=self.window, return_complex=True)

    class InverseSpectrogram(Spectrogram):
        def forward(self, spectrum: Any) -> Any:
            return torch.istft(spectrum, **self.sizes, window=self.window)

    class TimeStretch(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, n_freq: int, hop_length: int) -> None:
            super().__init__()
            self.register_buffer("phase_advance", torch.linspace(0, np.pi * hop_length, n_freq)[:, None])

    for part in (Spectrogram, InverseSpectrogram, TimeStretch):
        setattr(transforms, part.__name__, part)
    package.transforms = transforms
    return {"torchaudio": package, "torchaudio.transforms": transforms}
