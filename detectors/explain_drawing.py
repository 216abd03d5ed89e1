"""Explanations as pictures: a heat map over a picture, contributions along a sound."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from guard.media import Artifact, Modality
from guard.media.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.explain import Explanation

__all__ = ["overlay", "timeline"]

_FOR, _AGAINST = np.array([[[214, 47, 47]]], np.float32), np.array([[[44, 105, 196]]], np.float32)
_LONGEST = 2_048


def overlay(artifact: Artifact, heat: NDArray[np.float32]) -> bytes:
    """A PNG of the picture, or of a video's first frame, in gray, with red over what speaks for the finding
    and blue over what speaks against it; at most 2,048 pixels on the longer side."""
    gray = _gray(artifact)
    height, width = gray.shape
    wide = cv2.resize(np.asarray(heat, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    weight = np.abs(wide)[..., None] / (float(np.abs(wide).max()) or 1.0)
    colour = np.where(wide[..., None] > 0, _FOR, _AGAINST)
    mixed = gray[..., None] * (1 - 0.75 * weight) + colour * 0.75 * weight
    picture = Picture.from_array(np.ascontiguousarray(mixed.round().astype(np.uint8)))
    return Artifact.from_picture(picture, "image/png").data


def _gray(artifact: Artifact) -> NDArray[np.float32]:
    moving = artifact.modality is Modality.VIDEO
    pixels = next(artifact.frames()).pixels if moving else artifact.picture.rgb()
    scale = min(1.0, _LONGEST / max(pixels.shape[:2]))
    size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def timeline(artifact: Artifact, explanation: Explanation) -> bytes:
    """A PNG of the sound's loudness and, below, what each stretch contributed."""
    from matplotlib.figure import Figure

    end = max(stop for _, stop, _ in explanation.times)
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    wave, bars = figure.subplots(2, 1, sharex=True)
    _draw_loudness(wave, artifact, end)
    starts, stops, values = (np.array(column) for column in zip(*explanation.times, strict=True))
    colours = ["#d62f2f" if value > 0 else "#2c69c4" for value in values]
    bars.bar(starts, values, width=stops - starts, align="edge", color=colours)
    bars.axhline(0, color="#777777", linewidth=0.8)
    bars.set(xlabel="seconds", ylabel="contribution", xlim=(0, end))
    figure.suptitle(f"{explanation.detector}: what speaks for (red) and against (blue) {explanation.signal}")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()


def _draw_loudness(axes: Any, artifact: Artifact, seconds: float) -> None:
    from detectors.quality import opening

    sound, rate = opening(artifact, seconds)
    step = max(1, len(sound) // 1_800)
    peaks = np.abs(sound[: len(sound) // step * step].reshape(-1, step)).max(axis=1, initial=0)
    times = np.arange(len(peaks)) * step / rate
    axes.fill_between(times, -peaks, peaks, color="#444444", linewidth=0)
    axes.set(ylabel="level", yticks=[])
