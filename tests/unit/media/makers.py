"""Small files of every type, made by other programs' writers (Pillow, OpenCV, FFmpeg), so that Guard's own
are not tested against themselves."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[Any]


def gradient(height: int = 24, width: int = 36, channels: int = 3, *, deep: bool = False) -> Pixels:
    """A picture in which every corner, row and channel differs; `channels` 1 has no third axis."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x / (width - 1), y / (height - 1), (x + y) / (width + height - 2), 1 - x / (2 * width)]
    chosen = np.stack(planes[:channels], axis=2) if channels > 1 else planes[0]
    top = 65_535 if deep else 255
    return np.rint(chosen * top).astype(np.uint16 if deep else np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def still(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """A gradient in a file of Pillow's `kind` and `mode`."""
    return saved(Image.fromarray(gradient()).convert(mode), kind, **options)


def moving(kind: str, *, alpha: bool = False, count: int = 3) -> bytes:
    """An animation of a square that wanders, on a clear ground if `alpha`."""
    frames = []
    for number in range(count):
        pixels = np.zeros((20, 30, 4), np.uint8)
        pixels[..., 3] = 0 if alpha else 255
        pixels[4:12, 4 + 6 * number : 12 + 6 * number] = (200, 40 * number, 90, 255)
        frames.append(Image.fromarray(pixels) if alpha else Image.fromarray(pixels[..., :3].copy()))
    timing = [100 * (number + 1) for number in range(count)]
    options = {"loop": 2} if kind != "AVIF" else {}
    if kind in ("GIF", "PNG"):
        options["disposal"] = 2 if kind == "GIF" else 1
    if kind == "WEBP":
        options["lossless"] = True
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=timing, **options)


def orientated(exif_orientation: int, **more: Any) -> bytes:
    """An EXIF block with an orientation and a maker."""
    exif = Image.Exif()
    exif[0x0112] = exif_orientation
    exif[0x010F] = "Maker"
    for tag, value in more.items():
        exif[int(tag)] = value
    return exif.tobytes()


def video(
    kind: str = "mp4",
    codec: str = "libx264",
    *,
    width: int = 64,
    height: int = 48,
    count: int = 5,
    rotation: int = 0,
    sound_too: bool = False,
) -> bytes:
    """Ten frames a second with one white corner, top left, and if asked a tone beside it."""
    out = io.BytesIO()
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 4, : width // 4] = 255
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", rate=48_000, layout="mono") if sound_too else None
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
        if tone:
            container.mux(tone.encode(_tone(24_000, 48_000, "mono")))
            container.mux(tone.encode())
    return out.getvalue()


def sound(
    kind: str = "wav",
    codec: str = "pcm_s16le",
    *,
    rate: int = 48_000,
    seconds: float = 0.5,
    layout: str = "stereo",
) -> bytes:
    """A tone at half of full scale."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
        container.mux(stream.encode(_tone(int(rate * seconds), rate, layout)))
        container.mux(stream.encode())
    return out.getvalue()


def _tone(count: int, rate: int, layout: str) -> av.AudioFrame:
    wave = np.float32(0.5) * np.sin(np.arange(count, dtype=np.float32) / 20)
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(np.repeat(wave[None], channels, axis=0), format="fltp", layout=layout)
    frame.sample_rate, frame.pts = rate, 0
    return frame


def zipped(name: str = "A.class") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "hello" * 10)
    return out.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A gray PNG that says it is huge; its pixels are zero and deflate to almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


FILES: dict[str, Callable[[], tuple[str, bytes]]] = {
    "png": lambda: ("image/png", still("PNG")),
    "png-palette": lambda: ("image/png", still("PNG", "P")),
    "apng": lambda: ("image/png", moving("PNG", alpha=True)),
    "jpeg": lambda: ("image/jpeg", still("JPEG", exif=orientated(6), icc_profile=b"x" * 200)),
    "jpeg-progressive": lambda: ("image/jpeg", still("JPEG", progressive=True)),
    "jpeg-cmyk": lambda: ("image/jpeg", still("JPEG", "CMYK")),
    "webp": lambda: ("image/webp", still("WEBP")),
    "webp-lossless": lambda: ("image/webp", still("WEBP", "RGBA", lossless=True)),
    "webp-moving": lambda: ("image/webp", moving("WEBP", alpha=True)),
    "avif": lambda: ("image/avif", still("AVIF")),
    "avif-moving": lambda: ("image/avif", moving("AVIF")),
    "gif": lambda: ("image/gif", still("GIF", "P")),
    "gif-moving": lambda: ("image/gif", moving("GIF", alpha=True)),
    "tiff": lambda: ("image/tiff", still("TIFF")),
    "tiff-lzw": lambda: ("image/tiff", still("TIFF", compression="tiff_lzw")),
    "tiff-jpeg": lambda: ("image/tiff", still("TIFF", compression="jpeg")),
    "wav": lambda: ("audio/wav", sound()),
    "flac": lambda: ("audio/flac", sound("flac", "flac")),
    "mp3": lambda: ("audio/mpeg", sound("mp3", "libmp3lame")),
    "m4a": lambda: ("audio/mp4", sound("ipod", "aac")),
    "mp4-of-sound": lambda: ("audio/mp4", sound("mp4", "aac")),
    "aac": lambda: ("audio/aac", sound("adts", "aac")),
    "opus": lambda: ("audio/ogg", sound("ogg", "libopus")),
    "webm-of-sound": lambda: ("audio/webm", sound("webm", "libopus")),
    "mp4": lambda: ("video/mp4", video()),
    "mov": lambda: ("video/quicktime", video("mov")),
    "webm": lambda: ("video/webm", video("webm", "libvpx-vp9")),
    "mkv": lambda: ("video/x-matroska", video("matroska")),
    "avi": lambda: ("video/x-msvideo", video("avi", "mpeg4")),
    "text": lambda: ("text/plain", "Zürich, 東京 — naïve ☕\n".encode() * 20),
}
"""One small file of each kind and the MIME type that it should be taken for."""
