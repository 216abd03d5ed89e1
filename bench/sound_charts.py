"""The figures of docs/guide/audio-watermark.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from scipy.signal import stft

from bench.sound_attacks import GOALS, GROUPS
from bench.sound_ffmpeg import decoded
from bench.sound_methods import KEY, PAYLOAD
from guard.media.stream import Samples
from guard.watermark.base import Strength
from guard.watermark.dipole import Stream

matplotlib.use("Agg")
from matplotlib import pyplot

__all__ = ["bars", "sheet"]

_SECONDS = 5
_LOUDER = 8
_TITLES = ("before", "after", f"difference ×{_LOUDER}")


def bars(shares: dict[str, dict[str, float]], path: Path) -> None:
    """Per cent read per attack, a bar per method, and a tick where the goal lies."""
    attacks = list(next(iter(shares.values())))
    places = np.arange(len(attacks))[::-1].astype(float)
    height = 0.8 / len(shares)
    figure, axes = pyplot.subplots(figsize=(7.5, 0.24 * len(attacks) + 1))
    for number, (method, values) in enumerate(shares.items()):
        axes.barh(places + 0.4 - height * (number + 0.5), list(values.values()), height, label=method)
    goals = {attack: GOALS.get(group) for group, some in GROUPS.items() for attack in some}
    for place, attack in zip(places, attacks, strict=True):
        if goal := goals.get(attack):
            axes.plot([100 * goal] * 2, [place - 0.42, place + 0.42], color="black", linewidth=1)
    axes.set_yticks(places, attacks, fontsize=7)
    axes.set_ylim(-0.6, len(attacks) - 0.4)
    axes.set_xlim(0, 100)
    axes.set_xlabel("per cent of the clips read; black: the goal", fontsize=8)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.03), ncols=len(shares), fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def sheet(paths: list[Path], path: Path) -> None:
    """Spectrograms before, after and of the difference: one clip per kind, and a steady note."""
    first = {file.parent.name: file for file in reversed(paths)}
    clips = {kind: decoded(file) for kind, file in sorted(first.items())}
    clips["steady note"] = _tones()
    figure, axes = pyplot.subplots(len(clips), 3, figsize=(9, 1.7 * len(clips)), squeeze=False)
    for row, (kind, whole) in zip(axes, clips.items(), strict=True):
        before = Samples(whole.rate, whole.data[: _SECONDS * whole.rate])
        old, after = before.data.mean(1), _written(before).mean(1)
        for cell, shown, title in zip(row, (old, after, _LOUDER * (after - old)), _TITLES, strict=True):
            _spectrogram(cell, shown, whole.rate, np.abs(old).max())
            cell.set_title(f"{kind}: {title}", fontsize=7)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _written(sound: Samples) -> NDArray[np.float32]:
    """What the mark makes of it, also where `embed` refuses because it reads nothing back."""
    stream = Stream(sound.rate, sound.data.shape[1], PAYLOAD, key=KEY, strength=Strength.DEFAULT)
    return np.concatenate([stream.push(sound.data), stream.finish()])


def _tones() -> Samples:
    """The partials of one steady note: where a change of level would be heard first."""
    times = np.arange(_SECONDS * 16000) / 16000
    note = sum(np.sin(2 * np.pi * 110 * k * times + k * k) / k for k in range(1, 30))
    return Samples(16000, np.asarray(0.1 * note, np.float32)[:, None])


def _spectrogram(cell: Any, sound: NDArray[np.float32], rate: int, peak: float) -> None:
    _, _, spectrum = stft(sound / peak, rate, nperseg=rate // 32)
    levels = 20 * np.log10(np.abs(spectrum) + 1e-6)
    extent = (0, len(sound) / rate, 0, rate / 2000)
    cell.imshow(levels, origin="lower", aspect="auto", extent=extent, vmin=-90, vmax=-20, cmap="magma")
    cell.set_ylim(0, 5)
    cell.tick_params(labelsize=6)
    cell.set_ylabel("kHz", fontsize=6)
