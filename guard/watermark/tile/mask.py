"""How much mark each place of a picture hides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from guard.watermark.base import Strength
from guard.watermark.tile.picture import FloatImage
from guard.watermark.tile.residual import Residual, enlarge

__all__ = ["amplitude", "is_flat"]


@dataclass(frozen=True, slots=True)
class _Loudness:
    """Gain over the mask's shape; PSNR leant towards and PSNR never undercut, in dB; most rms in blank areas,
    in gray levels. The gain decides most: equally noticeable marks differ in power between pictures."""

    gain: float
    aim: float
    least: float
    blank: float


_LOUDNESS = {
    Strength.INVISIBLE: _Loudness(gain=0.26, aim=45.0, least=44.3, blank=0.8),
    Strength.DEFAULT: _Loudness(gain=0.365, aim=42.0, least=41.1, blank=1.1),
    Strength.ROBUST: _Loudness(gain=0.46, aim=40.0, least=39.1, blank=1.4),
}
_LEANING = 0.1
_MOST_ACTIVITY = 10.0
_MOST_COARSE_ACTIVITY = 3.0  # coarse waves are wider than what would hide them: letters, outlines
_REACH, _SMOOTHING = (7, 7), (5, 5)
_REST, _EXPONENT = 2.0, 0.8
_MIDDLE, _BRIGHT, _DARK = 0.45, 0.7, 1.0
_HEADROOM = 3.0
_BLANK_VARIANCE, _BLANK_SHARE = 1.0, 0.5


def amplitude(host: Residual, strength: Strength, *, coarse: bool) -> FloatImage:
    """The rms increment (gray levels) at every pixel."""
    loudness = _LOUDNESS[strength]
    shape = _texture(host, _MOST_COARSE_ACTIVITY if coarse else _MOST_ACTIVITY) * _tone(host.low)
    rms = float(np.sqrt(np.square(shape).mean()))
    aimed = (_level(loudness.aim) / rms) ** _LEANING * loudness.gain ** (1 - _LEANING)
    gain = min(aimed, _level(loudness.least) / rms, loudness.blank / _REST**_EXPONENT)
    return enlarge(shape * np.float32(gain), host.plane)


def is_flat(host: Residual) -> bool:
    """Whether most of a picture is blank: drawn art, pages of text, screens.

    Codecs wipe fine waves off blank areas; such pictures carry the mark at twice the wavelength.
    """
    return float(np.mean(host.variance < _BLANK_VARIANCE)) > _BLANK_SHARE


def _texture(host: Residual, most: float) -> FloatImage:
    """Loudness by the least activity in the neighbourhood.

    What counts is texture all around and not an edge on one side: a mark in the blank beside an edge is what
    shows first.
    """
    activity = cv2.erode(np.minimum(np.sqrt(host.variance), most), np.ones(_REACH, np.uint8))
    texture: FloatImage = np.power(cv2.blur(activity, _SMOOTHING) + np.float32(_REST), np.float32(_EXPONENT))
    return texture


def _tone(low: FloatImage) -> FloatImage:
    """Loudness by tone: the eye sees less in light and in shade, and saturated pixels keep only one half of
    every wave, so they get twice as much."""
    tone = low / np.float32(255) - np.float32(_MIDDLE)
    adaptation = 1 + np.where(tone > 0, np.float32(_BRIGHT), np.float32(_DARK)) * np.square(tone)
    saturation = 1 - np.minimum(low, 255 - low) / np.float32(_HEADROOM)
    loudness: FloatImage = adaptation * (1 + np.clip(saturation, 0, 1))
    return loudness


def _level(psnr: float) -> float:
    """The rms difference that makes this PSNR."""
    return float(255 * 10 ** (-psnr / 20))
