"""The pictures that the benchmark marks: photographs beside the checkout, and drawings made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from bench.image_attacks import Pixels

__all__ = ["DATA", "drawn", "load", "mosaics", "photographs"]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_WORDS = [
    "the",
    "mark",
    "that",
    "a",
    "picture",
    "carries",
    "must",
    "survive",
    "whatever",
    "the",
    "web",
    "does",
    "to",
    "it",
    "before",
    "anybody",
    "reads",
    "it",
]
Named = tuple[str, Pixels]


def load(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGBA").convert("RGB"))


def photographs(pattern: str) -> Iterator[Named]:
    """Pictures of the test media by glob."""
    for path in sorted(DATA.glob(pattern)):
        yield path.stem, load(path)


def mosaics(pattern: str, limit: int = 100) -> Iterator[Named]:
    """Four landscape pictures at a time, side by side, cut to what is common."""
    four: list[Pixels] = []
    for _, picture in photographs(pattern):
        four.append(picture if picture.shape[1] >= picture.shape[0] else np.rot90(picture))
        if len(four) == 4 and limit:
            rows, columns = (min(x.shape[axis] for x in four) for axis in (0, 1))
            cut = [x[:rows, :columns] for x in four]
            yield f"mosaic {limit}", np.ascontiguousarray(np.vstack([np.hstack(cut[:2]), np.hstack(cut[2:])]))
            four, limit = [], limit - 1


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _line(rng: np.random.Generator, words: int) -> str:
    return " ".join(rng.choice(_WORDS, words))


def _page(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int]) -> None:
    """A page of text, black on white."""
    draw.rectangle((0, 0, *size), fill=(255, 255, 255))
    draw.text((60, 50), _line(rng, 4).title(), font=_font(30), fill=(0, 0, 0))
    for y in range(120, size[1] - 60, 26):
        if rng.random() > 0.08:
            draw.text((60, y), _line(rng, size[0] // 75), font=_font(15), fill=(20, 20, 20))


def _screen(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int]) -> None:
    """An application: side bar, cards, buttons, small text."""
    dark = rng.random() < 0.5
    back, card, ink = (
        ((24, 26, 32), (38, 42, 50), (220, 222, 228))
        if dark
        else ((245, 246, 248), (255, 255, 255), (40, 44, 52))
    )
    draw.rectangle((0, 0, *size), fill=back)
    draw.rectangle((0, 0, 190, size[1]), fill=tuple(int(c * 0.9) for c in back))
    for y in range(30, size[1] - 40, 44):
        draw.text((24, y), _line(rng, 2), font=_font(14), fill=ink)
    for y in range(30, size[1] - 150, 170):
        for x in range(220, size[0] - 180, 260):
            accent = tuple(int(c) for c in rng.integers(40, 220, 3))
            draw.rounded_rectangle((x, y, x + 240, y + 150), 12, fill=card)
            draw.text((x + 16, y + 14), _line(rng, 3), font=_font(14), fill=ink)
            draw.rounded_rectangle((x + 16, y + 100, x + 110, y + 132), 8, fill=accent)
            draw.text((x + 30, y + 107), "Open", font=_font(14), fill=(255, 255, 255))


def _art(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int]) -> None:
    """Flat shapes in flat colours."""
    draw.rectangle((0, 0, *size), fill=tuple(int(c) for c in rng.integers(90, 230, 3)))
    for _ in range(26):
        colour = tuple(int(c) for c in rng.integers(20, 250, 3))
        x, y = (int(rng.integers(-80, n)) for n in size)
        w, h = (int(n) for n in rng.integers(60, 320, 2))
        if rng.random() < 0.5:
            draw.ellipse((x, y, x + w, y + h), fill=colour)
        else:
            draw.polygon([(x, y + h), (x + w, y + h), (x + w // 2, y)], fill=colour)


def _chart(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int]) -> None:
    """Bars, a grid and a legend on white."""
    draw.rectangle((0, 0, *size), fill=(255, 255, 255))
    for y in range(80, size[1] - 80, 60):
        draw.line((80, y, size[0] - 40, y), fill=(225, 225, 225), width=1)
        draw.text((30, y - 8), str(size[1] - y), font=_font(14), fill=(90, 90, 90))
    for x in range(110, size[0] - 90, 64):
        top = int(rng.integers(90, size[1] - 160))
        draw.rectangle((x, top, x + 40, size[1] - 80), fill=(31, 119, 180) if x % 128 else (255, 127, 14))
        draw.text((x, size[1] - 70), _WORDS[x % len(_WORDS)], font=_font(13), fill=(60, 60, 60))
    draw.text((80, 30), _line(rng, 6), font=_font(22), fill=(0, 0, 0))


_KINDS: dict[str, Callable[[ImageDraw.ImageDraw, np.random.Generator, tuple[int, int]], None]] = {
    "page": _page,
    "screen": _screen,
    "art": _art,
    "chart": _chart,
}


def drawn(seeds: range) -> Iterator[Named]:
    """Pages, screens, flat art and charts, 1000×760."""
    size = (1000, 760)
    for seed in seeds:
        for name, paint in _KINDS.items():
            picture = Image.new("RGB", size)
            paint(ImageDraw.Draw(picture), np.random.default_rng(seed), size)
            yield f"{name} {seed}", np.asarray(picture)
