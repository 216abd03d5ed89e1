"""Pictures that tests make for themselves, with detail at every scale as photographs have."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from guard.media import Artifact


def natural(seed: int, height: int = 384, width: int = 512) -> NDArray[np.uint8]:
    """An RGB picture (H, W, 3) whose spectrum falls with frequency as that of natural images does."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    falloff = np.maximum(np.hypot(fy, fx), 1 / 512) ** 1.3
    planes = []
    for _ in range(3):
        field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / falloff).real
        planes.append(field / field.std())
    luma, warm, cool = planes
    rgb = np.stack([luma + 0.3 * warm, luma, luma + 0.3 * cool], axis=-1)
    return np.clip(128 + 48 * rgb, 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8], kind: str = "PNG", **options: object) -> bytes:
    """Pixels as the bytes of a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def png(seed: int = 0, height: int = 384, width: int = 512) -> Artifact:
    """A natural picture as a PNG artifact."""
    return Artifact.from_bytes(encoded(natural(seed, height, width)))


def shared_again(artifact: Artifact, scale: float = 0.75, quality: int = 75) -> Artifact:
    """The picture as a platform would pass it on: no metadata, resized, recompressed."""
    with Image.open(io.BytesIO(artifact.data)) as opened:
        picture = opened.convert("RGB")
    size = (round(picture.width * scale), round(picture.height * scale))
    smaller = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    return Artifact.from_bytes(encoded(smaller, "JPEG", quality=quality))
