"""How large media may be."""

from __future__ import annotations

from dataclasses import dataclass

from guard.errors import LimitExceededError

__all__ = ["Limits"]

_SMALL = 64 << 20
"""Decoded bytes below which no expansion is suspicious: a flat picture of a few megapixels shrinks to
nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an input may be before it is refused with `LimitExceededError`.

    `max_bytes` bounds the file; `max_pixels` one frame of a picture or video; `max_frames` and
    `max_total_pixels` all frames of a picture together, which are held in memory at once; `max_video_frames`
    and `max_duration` (seconds) sound and video; `max_expansion` decoded bytes per byte of the file, once
    they exceed 64 MiB.
    """

    max_bytes: int = 256 << 20
    max_pixels: int = 120_000_000
    max_frames: int = 2_000
    max_total_pixels: int = 300_000_000
    max_video_frames: int = 500_000
    max_duration: float = 7_200.0
    max_expansion: float = 2_000.0

    def check_bytes(self, size: int) -> None:
        """Refuse a file of `size` bytes if that is too large."""
        if size > self.max_bytes:
            raise LimitExceededError(
                f"The input is {size:,} bytes; at most {self.max_bytes:,} are accepted.",
                "Send a smaller file, or raise the limit max_bytes.",
            )

    def check_frame(self, width: int, height: int) -> None:
        """Refuse a frame of `width` × `height` pixels if that is too large."""
        if width * height > self.max_pixels:
            raise LimitExceededError(
                f"The picture is {width} × {height} pixels; at most {self.max_pixels:,} pixels are accepted.",
                "Send a smaller picture, or raise the limit max_pixels.",
            )

    def check_animation(self, frames: int, pixels: int) -> None:
        """Refuse a picture of `frames` frames and `pixels` pixels in all of them together."""
        if frames > self.max_frames:
            raise LimitExceededError(
                f"The picture has {frames:,} frames; at most {self.max_frames:,} are accepted.",
                "Send a shorter animation, or raise the limit max_frames.",
            )
        if pixels > self.max_total_pixels:
            raise LimitExceededError(
                f"All frames together are {pixels:,} pixels; at most {self.max_total_pixels:,} are accepted.",
                "Send a shorter or smaller animation, or raise the limit max_total_pixels.",
            )

    def check_video_frames(self, frames: int) -> None:
        """Refuse a video once it has shown `frames` frames."""
        if frames > self.max_video_frames:
            raise LimitExceededError(
                f"The video has more than {self.max_video_frames:,} frames.",
                "Send a shorter video, or raise the limit max_video_frames.",
            )

    def check_duration(self, seconds: float) -> None:
        """Refuse sound or video that lasts `seconds`."""
        if seconds > self.max_duration:
            raise LimitExceededError(
                f"The input lasts {seconds:,.0f} s; at most {self.max_duration:,.0f} s are accepted.",
                "Send a shorter one, or raise the limit max_duration.",
            )

    def check_expansion(self, decoded: int, encoded: int) -> None:
        """Refuse `encoded` bytes that unfold to `decoded` bytes: the shape of a decompression bomb."""
        if decoded > _SMALL and decoded > self.max_expansion * encoded:
            raise LimitExceededError(
                f"{encoded:,} bytes unfold to {decoded:,}, over {self.max_expansion:,.0f} times as many.",
                "If the file is honest, raise the limit max_expansion.",
            )
