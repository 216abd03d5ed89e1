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
    """PSNR aimed at and PSNR never undercut, in dB; rms increment in flat areas, in gray levels."""

    aim: float
    least: float
    flat: float


_LOUDNESS = {
    Strength.INVISIBLE: _Loudness(aim=45.0, least=44.0, flat=0.9),
    Strength.DEFAULT: _Loudness(aim=42.0, least=41.1, flat=1.1),
    Strength.ROBUST: _Loudness(aim=40.0, least=39.0, flat=1.5),
}
_ACTIVITY_LIMIT = 10.0
_COARSE_LIMIT = 3.0  # coarse waves are wider than what hides them: letters, outlines
_EDGE_REACH = (7, 7)
_SMOOTHING = (5, 5)
_MIDDLE, _BRIGHT, _DARK = 0.45, 0.7, 1.0
_SATURATED, _HEADROOM = 1.0, 3.0  # saturated pixels keep only one half of every wave
_ADAPTATION = 0.1
_USUAL_GAIN = 0.365
_BLANK, _BLANK_SHARE = 1.0, 0.5


def amplitude(residual: Residual, strength: Strength, *, coarse: bool) -> FloatImage:
    """The rms increment (gray levels) at every pixel."""
    loudness = _LOUDNESS[strength]
    shape = _shape(residual, _COARSE_LIMIT if coarse else _ACTIVITY_LIMIT)
    rms = float(np.sqrt(np.square(shape).mean()))
    aim = _level(loudness.aim) / rms
    usual = _USUAL_GAIN * _level(loudness.aim) / _level(42.0)
    gain = min(
        aim**_ADAPTATION * usual ** (1 - _ADAPTATION), _level(loudness.least) / rms, loudness.flat / 2**0.8
    )
    return enlarge(shape * np.float32(gain), residual.plane)


def _shape(residual: Residual, limit: float) -> FloatImage:
    """Relative loudness at half size: more in texture, and where the eye sees less of it, in light and shade.

    Activity is the least of the neighbourhood's, so that what counts is texture all around and not an edge on one
    side: noise in the blank beside an edge is what shows first.
    """
    activity = np.minimum(np.sqrt(residual.variance), limit)
    texture = cv2.blur(cv2.erode(activity, np.ones(_EDGE_REACH, np.uint8)), _SMOOTHING)
    tone = residual.low / 255
    adaptation = (
        1
        + _BRIGHT * np.square(np.maximum(tone - _MIDDLE, 0))
        + _DARK * np.square(np.maximum(_MIDDLE - tone, 0))
    )
    shape: FloatImage = np.power(texture + 2, np.float32(0.8)) * adaptation
    headroom = np.minimum(residual.low, 255 - residual.low)
    return shape * (1 + _SATURATED * np.clip(1 - headroom / _HEADROOM, 0, 1))


def is_flat(residual: Residual) -> bool:
    """Whether most of a picture is blank: drawn art, pages of text, screens. Codecs wipe fine waves off blank
    areas; such pictures carry the mark at twice the wavelength."""
    return float(np.mean(residual.variance < _BLANK)) > _BLANK_SHARE


def _level(psnr: float) -> float:
    return 255 * 10 ** (-psnr / 20)
