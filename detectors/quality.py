"""Gates: why an artifact gives a detector too little to go by, as a sentence for its reader, or "".

A detector hands what a gate says to `abstained`. What is too large is no reason to abstain: read a part of it
(`opening`, `middle`), and say so in the finding's message.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from guard.media import Artifact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "band_limited",
    "edge",
    "first",
    "flat",
    "jpeg_quality",
    "middle",
    "opening",
    "recompressed",
    "short_sound",
    "short_text",
    "silent",
    "small_picture",
]

_LOUD = 10 ** (-60 / 20)
_EDGE = 1e-4
_CJK = 0x2E7F
_WORD = re.compile(r"\S+")
_STANDARD = 57.625
"""Mean of the luminance table that JPEG's standard gives as an example (ITU-T T.81, table K.1)."""


def first(*reasons: str) -> str:
    """The first reason that is one."""
    return next(filter(None, reasons), "")


def small_picture(width: int, height: int, least: int = 128) -> str:
    """Refuses a picture whose shorter side has fewer than `least` pixels."""
    if min(width, height) >= least:
        return ""
    return f"The picture is {width} × {height} pixels; {least} on the shorter side are needed."


def flat(pixels: NDArray[np.uint8], least: float = 2.0) -> str:
    """Refuses a picture without detail: a standard deviation below `least` of 255 levels."""
    if float(pixels[::2, ::2].std()) >= least:
        return ""
    return "The picture is a plain surface: there is no detail to judge."


def recompressed(artifact: Artifact, least: int = 40) -> str:
    """Refuses a JPEG that was written with a quality below `least`."""
    quality = jpeg_quality(artifact)
    if quality is None or quality >= least:
        return ""
    return f"The picture is a JPEG of quality {quality}; {least} is needed for what is left to tell."


def jpeg_quality(artifact: Artifact) -> int | None:
    """About the quality, 1 to 100, that libjpeg would have been asked for; None for other files.

    Told from the mean of the luminance table against that of the standard's example.
    """
    if artifact.mime != "image/jpeg":
        return None
    from PIL import JpegImagePlugin

    with JpegImagePlugin.JpegImageFile(io.BytesIO(artifact.data)) as image:
        tables: dict[int, list[int]] = image.quantization
    table = tables.get(0) or next(iter(tables.values()), [1])
    scale = 100 * sum(table) / len(table) / _STANDARD
    return max(1, min(100, round(100 - scale / 2 if scale <= 100 else 5000 / scale)))


def short_sound(seconds: float, least: float = 1.0) -> str:
    """Refuses a sound that lasts less than `least` seconds."""
    if seconds >= least:
        return ""
    return f"The sound lasts {seconds:.2f} s; {least:g} s are needed."


def silent(samples: NDArray[np.float32]) -> str:
    """Refuses a sound, (n,) or (n, channels) in [-1, 1], whose loudest sample is below -60 dB."""
    if samples.size and float(max(samples.max(), -samples.min())) >= _LOUD:
        return ""
    return "The sound is silent, or nearly so."


def band_limited(samples: NDArray[np.float32], rate: int, least: float) -> str:
    """Refuses a mono sound (n,) whose `edge` lies below `least` hertz, as telephones leave it."""
    highest = edge(samples, rate)
    if highest >= least:
        return ""
    return f"The sound ends at {highest:,.0f} Hz; it must reach {least:,.0f} Hz."


def edge(samples: NDArray[np.float32], rate: int) -> float:
    """The frequency in hertz below which 99.99 % of the energy of a mono sound (n,) lies, on average over its
    length; 0 for silence."""
    import numpy as np

    size = 1024
    if len(samples) < size:
        samples = np.pad(samples, (0, size - len(samples)))
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.zeros(size // 2 + 1)
    for part in np.array_split(frames, -(-len(frames) // size)):
        power += (np.abs(np.fft.rfft(part * np.hanning(size), axis=1)) ** 2).sum(axis=0)
    if not power.any():
        return 0.0
    return float(np.flatnonzero(np.cumsum(power) >= (1 - _EDGE) * power.sum())[0] * rate / size)


def short_text(text: str, least: int = 50) -> str:
    """Refuses a text of fewer than `least` words; letters without blanks between, as in Chinese, count as
    half a word each."""
    words = _words(text, least)
    if words >= least:
        return ""
    return f"The text has {words} words; {least} are needed."


def _words(text: str, enough: int) -> int:
    count = 0.0
    for word in _WORD.finditer(text):
        head = text[word.start() : min(word.end(), word.start() + 2 * enough)]
        letters = sum(map(str.isalnum, head))
        if letters:
            count += max(1.0, letters / 2) if ord(max(head)) > _CJK else 1.0
        if count >= enough:
            break
    return int(count)


def opening(artifact: Artifact, seconds: float) -> tuple[NDArray[np.float32], int]:
    """The first `seconds` of a sound, or of a video's sound track, as mono float32 (n,), and its rate.

    Decodes no more than that, however long the sound is.
    """
    import numpy as np

    blocks: list[NDArray[np.float32]] = []
    rate, held = 1, 0
    for block in artifact.sound_blocks():
        rate = block.rate
        blocks.append(block.data.mean(axis=1, dtype=np.float32))
        held += len(block.data)
        if held >= seconds * rate:
            break
    sound = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return sound[: round(seconds * rate)], rate


def middle(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle of a picture (H, W[, C]), at most `side` × `side` pixels of it, not resized."""
    height, width = pixels.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return pixels[top : top + side, left : left + side]
