"""Between inks (cyan, magenta, yellow, black; 255 is full) and the RGB they show."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

__all__ = ["inks_to_rgb", "move_inks"]

_STRONG = 24
"""Steps of RGB from which a change is no more a nuance but another colour, which the profile itself must
mix."""


def inks_to_rgb(inks: NDArray[np.uint8], icc: bytes | None) -> NDArray[np.uint8]:
    """The sRGB (H, W, 3) that CMYK pixels (H, W, 4) show, through the ICC profile if it is one for CMYK, else
    plainly."""
    if (profile := _profile(icc)) is not None:
        shown = _convert(inks, profile, "CMYK", ImageCms.createProfile("sRGB"), "RGB")
        if shown is not None:
            return shown
    white = 255 - inks.astype(np.uint16)
    shown = (white[..., :3] * white[..., 3:] + 127) // 255
    return shown.astype(np.uint8)


def move_inks(
    inks: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8], icc: bytes | None
) -> NDArray[np.uint8]:
    """The inks whose RGB went from `before` to `after`.

    From R = (255 − C)(255 − K)/255 follows ΔC = −ΔR · 255/(255 − K). Black is lowered only where the new
    colour is brighter than it allows, and there the other inks are mixed anew. Under an ICC profile the same
    steps serve small changes, as a watermark makes; where a colour is replaced, the profile mixes the new
    one, so that nothing of the old shines through.
    """
    changed = (before != after).any(axis=2)
    if not changed.any():
        return inks.copy()
    moved = inks.copy()
    moved[changed] = _plainly(inks[changed], before[changed], after[changed])
    strong = np.abs(after.astype(np.int16) - before).max(axis=2) >= _STRONG
    if strong.any() and (profile := _profile(icc)) is not None:
        mixed = _convert(after[strong][None], ImageCms.createProfile("sRGB"), "RGB", profile, "CMYK")
        if mixed is not None:
            moved[strong] = mixed[0]
    return moved


def _plainly(
    inks: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The same for a row of changed pixels (n, 4), (n, 3), (n, 3)."""
    colour, black = inks[:, :3].astype(np.float32), inks[:, 3:].astype(np.float32)
    shown = (255 - colour) * (255 - black) / 255
    target = (shown + after.astype(np.float32) - before).clip(0, 255)
    moved = np.empty(inks.shape, np.float32)
    moved[:, 3:] = np.minimum(black, 255 - target.max(axis=1, keepdims=True))
    moved[:, :3] = 255 - target * 255 / np.maximum(255 - moved[:, 3:], 1)
    rounded: NDArray[np.uint8] = np.rint(moved.clip(0, 255)).astype(np.uint8)
    return rounded


def _profile(icc: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """The file's profile if it is a readable one for CMYK; a broken profile must not hide the picture."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else None
    except (OSError, ValueError):
        return None
    return profile if profile is not None and profile.profile.xcolor_space == "CMYK" else None


def _convert(
    pixels: NDArray[np.uint8], source: object, source_mode: str, target: object, target_mode: str
) -> NDArray[np.uint8] | None:
    """Relative colorimetric with black point compensation, as viewers do; None where the profile lacks that
    way."""
    image = Image.frombuffer(
        source_mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes(), "raw", source_mode, 0, 1
    )
    try:
        converted = ImageCms.profileToProfile(
            image,
            source,  # type: ignore[arg-type]
            target,  # type: ignore[arg-type]
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=target_mode,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except ImageCms.PyCMSError:
        return None
    return None if converted is None else np.asarray(converted).copy()
