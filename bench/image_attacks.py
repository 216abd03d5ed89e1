"""What happens to pictures on the web, as functions of RGB pixels (H, W, 3) uint8 and a random generator."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

__all__ = ["GROUPS", "LARGE", "Attack", "Pixels"]

Pixels = NDArray[np.uint8]
Attack = Callable[[Pixels, np.random.Generator], Any]


def chain(*steps: Attack) -> Attack:
    def run(x: Pixels, rng: np.random.Generator) -> Any:
        for step in steps:
            x = step(x, rng)
        return x

    return run


def pil(change: Callable[[Image.Image], Image.Image]) -> Attack:
    return lambda x, _: np.asarray(change(Image.fromarray(x)).convert("RGB"))


def values(change: Callable[[NDArray[np.float32]], Any]) -> Attack:
    return lambda x, _: np.clip(np.rint(change(x.astype(np.float32))), 0, 255).astype(np.uint8)


def coded(file_format: str, quality: int) -> Attack:
    def run(x: Pixels, _: np.random.Generator) -> Any:
        file = io.BytesIO()
        Image.fromarray(x).save(file, file_format, quality=quality)
        return np.asarray(Image.open(file).convert("RGB"))

    return run


def noise(sigma: float) -> Attack:
    return lambda x, rng: values(lambda v: v + rng.normal(0, sigma, v.shape).astype(np.float32))(x, rng)


def resize(fx: float, fy: float | None = None, method: Image.Resampling = Image.Resampling.BICUBIC) -> Attack:
    def run(x: Pixels, _: np.random.Generator) -> Any:
        size = max(1, round(x.shape[1] * fx)), max(1, round(x.shape[0] * (fy or fx)))
        return np.asarray(Image.fromarray(x).resize(size, method))

    return run


def longest(side: int) -> Attack:
    return lambda x, rng: resize(side / max(x.shape[:2]))(x, rng)


def crop(area: float) -> Attack:
    def run(x: Pixels, rng: np.random.Generator) -> Any:
        height, width = (round(n * area**0.5) for n in x.shape[:2])
        top, left = (int(rng.integers(0, a - b + 1)) for a, b in zip(x.shape, (height, width), strict=False))
        return np.ascontiguousarray(x[top : top + height, left : left + width])

    return run


def rotate(degrees: float | None) -> Attack:
    def run(x: Pixels, rng: np.random.Generator) -> Any:
        angle = rng.uniform(-180, 180) if degrees is None else degrees
        height, width = x.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        return cv2.warpAffine(x, turn, (width, height), flags=cv2.INTER_CUBIC)

    return run


def shear(share: float) -> Attack:
    def run(x: Pixels, _: np.random.Generator) -> Any:
        matrix = np.array([[1.0, share, 0.0], [share / 2, 1.0, 0.0]])
        return cv2.warpAffine(x, matrix, x.shape[1::-1], flags=cv2.INTER_CUBIC)

    return run


def perspective(share: float) -> Attack:
    """Move each corner by up to `share` of the picture's sides."""

    def run(x: Pixels, rng: np.random.Generator) -> Any:
        height, width = x.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = corners + rng.uniform(-share, share, (4, 2)).astype(np.float32) * (width, height)
        matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        return cv2.warpPerspective(x, matrix, (width, height), flags=cv2.INTER_CUBIC)

    return run


def warp(pixels: float) -> Attack:
    """A smooth random displacement of this many pixels rms, about four bumps across the picture."""

    def run(x: Pixels, rng: np.random.Generator) -> Any:
        height, width = x.shape[:2]
        fields = [
            cv2.resize(rng.normal(size=(5, 5)), (width, height), interpolation=cv2.INTER_CUBIC) for _ in "yx"
        ]
        dy, dx = (pixels * f / f.std() / 2**0.5 for f in fields)
        grid_y, grid_x = np.mgrid[:height, :width]
        return cv2.remap(
            x,
            (grid_x + dx).astype(np.float32),
            (grid_y + dy).astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )

    return run


def screenshot(x: Pixels, rng: np.random.Generator) -> Pixels:
    """Shown at 87 % on a page with margins and a title bar."""
    small = resize(0.87, method=Image.Resampling.BILINEAR)(x, rng)
    height, width = small.shape[:2]
    page = np.full((height + 170, width + 130, 3), 245, np.uint8)
    page[:56] = (60, 64, 72)
    page[110 : 110 + height, 65 : 65 + width] = small
    return page


def caption(x: Pixels, _: np.random.Generator) -> Pixels:
    """A white band with black text above the picture and white text on it."""
    band = np.full((x.shape[0] // 6, x.shape[1], 3), 255, np.uint8)
    cv2.putText(
        band, "WHEN IT WORKS", (12, band.shape[0] // 2 + 12), cv2.FONT_HERSHEY_DUPLEX, 1.2, (0, 0, 0), 2
    )
    marked = x.copy()
    cv2.putText(marked, "FIRST TIME", (12, x.shape[0] - 16), cv2.FONT_HERSHEY_DUPLEX, 1.6, (255, 255, 255), 4)
    return np.vstack([band, marked])


def equalise(x: Pixels, _: np.random.Generator) -> Any:
    planes = cv2.cvtColor(x, cv2.COLOR_RGB2YCrCb)
    planes[..., 0] = cv2.equalizeHist(np.ascontiguousarray(planes[..., 0]))
    return cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)


def contrast(gain: float) -> Attack:
    return values(lambda v: (v - 127.5) * np.float32(gain) + 127.5)


def gamma(power: float) -> Attack:
    return values(lambda v: 255 * (v / 255) ** np.float32(power))


def saturation(factor: float) -> Attack:
    return pil(lambda image: ImageEnhance.Color(image).enhance(factor))


def palette(image: Image.Image) -> Image.Image:
    return image.quantize(64, dither=Image.Dither.FLOYDSTEINBERG)


jpeg, webp = partial(coded, "JPEG"), partial(coded, "WEBP")
VALUES: dict[str, Attack] = {
    "untouched": lambda x, _: x,
    "JPEG 90": jpeg(90),
    "JPEG 75": jpeg(75),
    "JPEG 50": jpeg(50),
    "JPEG 30": jpeg(30),
    "WebP 80": webp(80),
    "WebP 50": webp(50),
    "blur σ1": lambda x, _: cv2.GaussianBlur(x, (0, 0), 1.0),
    "blur σ2": lambda x, _: cv2.GaussianBlur(x, (0, 0), 2.0),
    "noise σ5": noise(5),
    "noise σ10": noise(10),
    "noise σ15": noise(15),
    "brightness +30 %": values(lambda v: v * np.float32(1.3)),
    "brightness −30 %": values(lambda v: v * np.float32(0.7)),
    "contrast +30 %": contrast(1.3),
    "contrast −30 %": contrast(0.7),
    "gamma 0.6": gamma(0.6),
    "gamma 1.6": gamma(1.6),
    "saturation 1.8": saturation(1.8),
    "grayscale": pil(lambda image: image.convert("L")),
    "median 3": lambda x, _: cv2.medianBlur(x, 3),
    "inversion": lambda x, _: 255 - x,
    "equalised": equalise,
    "64 colours": pil(palette),
    "sharpened": pil(lambda image: image.filter(ImageFilter.UnsharpMask(2, 150, 3))),
}
GEOMETRY: dict[str, Attack] = {
    "crop 80 %": crop(0.8),
    "crop 50 %": crop(0.5),
    "crop 25 %": crop(0.25),
    "rotate 1°": rotate(1),
    "rotate 5°": rotate(-5),
    "rotate 45°": rotate(45),
    "rotate any": rotate(None),
    "rotate 90°": lambda x, _: np.ascontiguousarray(np.rot90(x)),
    "mirrored": pil(ImageOps.mirror),
    "flipped": pil(ImageOps.flip),
    "scale 0.5": resize(0.5),
    "scale 0.75": resize(0.75),
    "scale 1.5": resize(1.5),
    "scale 2": resize(2),
    "aspect +20 %": resize(1.2, 1),
    "aspect −20 %": resize(0.8, 1),
    "screenshot": screenshot,
    "caption band": caption,
    "shear 3 %": shear(0.03),
    "perspective 1 %": perspective(0.01),
}
COMBINED: dict[str, Attack] = {
    "re-upload": chain(crop(0.8), longest(1080), jpeg(75)),
    "rotate 5° + JPEG 75": chain(rotate(5), jpeg(75)),
    "crop 25 % + JPEG 75": chain(crop(0.25), jpeg(75)),
    "half + JPEG 75": chain(resize(0.5), jpeg(75)),
    "rotate + crop + scale + JPEG 70": chain(rotate(2), crop(0.7), resize(0.7), jpeg(70)),
}
LARGE: dict[str, Attack] = {
    "JPEG 20": jpeg(20),
    "crop 15 %": crop(0.15),
    "scale 0.3": resize(0.3),
    "half + JPEG 50": chain(resize(0.5), jpeg(50)),
}
STRETCH: dict[str, Attack] = {
    "warp 1 px": warp(1),
    "warp 3 px": warp(3),
    "perspective 5 %": perspective(0.05),
    "crop 10 %": crop(0.10),
    "scale 0.25": resize(0.25),
    "JPEG 10": jpeg(10),
    "crop 25 % + scale 1.5 + JPEG 60": chain(crop(0.25), resize(1.5), jpeg(60)),
}
GROUPS: dict[str, dict[str, Attack]] = {
    "valuemetric": VALUES,
    "geometric": GEOMETRY,
    "combined": COMBINED,
    "large": LARGE,
    "stretch": STRETCH,
}
