"""Pictures with the spectrum of photographs, drawn from noise, so that these tests need no files."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.watermark.base import Payload
from guard.watermark.tile import embed

KEY = b"a key for tests"
PAYLOAD = Payload(0x0123456789ABCDEF)


def natural(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """RGB whose power falls with the square of frequency, with a few hard edges."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]) + 1 / max(
        height, width
    )
    planes = []
    for _ in range(3):
        wave = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / frequency).real
        planes.append(118 + 42 * wave / wave.std())
    picture = np.clip(0.7 * np.mean(planes, axis=0)[..., None] + 0.3 * np.stack(planes, axis=-1), 4, 250)
    picture = picture.astype(np.uint8)
    cv2.rectangle(picture, (width // 8, height // 8), (width // 3, height // 2), (200, 60, 40), -1)
    cv2.circle(picture, (2 * width // 3, height // 2), height // 6, (40, 60, 190), -1)
    return picture


def drawn(height: int, width: int) -> NDArray[np.uint8]:
    """Flat shapes on white."""
    picture = np.full((height, width, 3), 255, np.uint8)
    for i in range(8):
        cv2.circle(picture, (60 + 90 * i, 80 + 60 * i), 50, (20 * i, 240 - 20 * i, 90), -1)
        cv2.putText(picture, "text on a page", (30, 90 + 70 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2)
    return picture


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    return natural(480, 640)


@pytest.fixture(scope="session")
def marked(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return embed(photo, PAYLOAD, key=KEY)
