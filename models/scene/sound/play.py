"""From a scene to samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.scene.grammar import Scene
from models.scene.sound.mix import mix
from models.scene.sound.score import Sound, score
from models.scene.sound.signal import clip

__all__ = ["play"]


def play(scene: Scene, seconds: float, seed: int, wished: Iterable[Sound] = ()) -> NDArray[np.float32]:
    """`scene` as sound of 44.1 kHz, (n, 2); `wished` sounds are heard besides its own."""
    return mix(score(scene, wished), scene.place, clip(seconds), seed)
