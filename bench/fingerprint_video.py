"""Are videos found again by their content alone, and strangers left alone?

    python -m bench.fingerprint_video [--videos N]

Registers clips of six seconds: views that wander and zoom over two photographs of the test media one after
the other. Each is asked for after all that platforms do to videos, without any mark or credential; then
as many others are.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.image_attacks import Pixels
from bench.image_sets import photographs
from bench.ledger import entries
from guard.ledger import Ledger, Likeness
from guard.ledger.video_sketch import filed, make_sketch, questions, similarity, stills_of
from guard.media.stream import VideoFrame

RATE, SECONDS, CUT = 24, 6.0, 0.55
SIZE = (320, 180)
Video = list[VideoFrame]
Attack = Callable[[Video], Video]


def videos(pictures: list[Pixels], count: int) -> Iterator[Video]:
    for seed in range(count):
        scenes = [pictures[(2 * seed + k) % len(pictures)] for k in (0, 1)]
        yield [
            VideoFrame(n / RATE, _view(scenes[n / RATE > CUT * SECONDS], n / RATE, seed))
            for n in range(round(SECONDS * RATE))
        ]


def _view(picture: Pixels, time: float, seed: int) -> Pixels:
    height, width = picture.shape[:2]
    zoom = 0.55 + 0.3 * np.sin(0.5 * time + seed) ** 2
    h, w = round(height * zoom), round(width * zoom)
    y = int(np.clip(height * (0.5 + 0.1 * np.cos(0.7 * time + seed)) - h / 2, 0, height - h))
    x = int(np.clip(width * (0.5 + 0.12 * np.sin(0.9 * time + seed)) - w / 2, 0, width - w))
    return np.asarray(cv2.resize(picture[y : y + h, x : x + w], SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def each(change: Callable[[Pixels], Pixels]) -> Attack:
    return lambda video: [VideoFrame(f.time, np.ascontiguousarray(change(f.pixels))) for f in video]


def recompressed(quality: int) -> Attack:
    def press(pixels: Pixels) -> Pixels:
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return each(press)


def scaled(across: float, down: float) -> Attack:
    return each(
        lambda p: np.asarray(cv2.resize(p, None, fx=across, fy=down, interpolation=cv2.INTER_AREA), np.uint8)
    )


def cropped(area: float) -> Attack:
    def cut(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        h, w = round(height * area**0.5), round(width * area**0.5)
        return pixels[(height - h) // 3 : (height - h) // 3 + h, (width - w) // 2 : (width - w) // 2 + w]

    return each(cut)


def trimmed(start: float, end: float) -> Attack:
    return lambda video: [VideoFrame(f.time - start, f.pixels) for f in video if start <= f.time < end]


ATTACKS: dict[str, Attack] = {
    "untouched": lambda video: video,
    "recompressed, 40": recompressed(40),
    "recompressed, 20": recompressed(20),
    "half the size": scaled(0.5, 0.5),
    "twice the size": scaled(2, 2),
    "stretched by 20 %": scaled(1.2, 1),
    "crop to 80 %": cropped(0.8),
    "crop to 50 %": cropped(0.5),
    "in a letterbox": each(lambda p: np.pad(p, ((50, 50), (0, 0), (0, 0)))),
    "in a pillar box": each(lambda p: np.pad(p, ((0, 0), (90, 90), (0, 0)))),
    "mirrored": each(lambda p: p[:, ::-1]),
    "brighter by 30 %": each(lambda p: np.clip(1.3 * p.astype(np.float32), 0, 255).astype(np.uint8)),
    "12 frames a second": lambda video: video[1::2],
    "8 frames a second": lambda video: video[2::3],
    "4 s of it": trimmed(1.1, 5.1),
    "2 s of it": trimmed(2.3, 4.3),
    "crop, half, 20": lambda video: recompressed(20)(scaled(0.5, 0.5)(cropped(0.8)(video))),
}


def ask(ledger: Ledger, video: Video) -> tuple[str, Likeness] | None:
    """What `guard verify` answers where there is neither mark nor credential: a release and the likeness."""
    stills = stills_of(video)
    found = [(e.id, similarity(e.sketch, stills)) for e in ledger.nearest(questions(stills)) if e.sketch]
    same = [(known, likeness) for known, likeness in found if likeness and likeness.same]
    return max(same, key=lambda pair: pair[1].common, default=None)


def main(count: int) -> None:
    console = Console(width=100)
    pictures = [
        p for pattern in ("photos_kodak/*.png", "photos_bsds/**/*.jpg") for _, p in photographs(pattern)
    ]
    known = list(videos(pictures[: len(pictures) // 2], count))
    others = list(videos(pictures[len(pictures) // 2 :], count))
    with tempfile.TemporaryDirectory() as place:
        ledger = Ledger.open(f"sqlite:///{Path(place) / 'ledger.db'}")
        drafts, ids, sizes = entries(random.Random(0)), [], []
        for video in track(known, description="registering"):
            stills = stills_of(video)
            sketch, codes = make_sketch(stills), tuple(filed(stills))
            entry = replace(next(drafts), modality="video", marks=(), sketch=sketch, fingerprints=codes)
            ledger.record([entry])
            ids.append(entry.id)
            sizes.append((len(sketch), len(codes)))
        weight, codes_each = np.mean(sizes, axis=0)
        console.print(
            f"{count} videos registered: {weight:.0f} bytes of sketch and {codes_each:.0f} codes each"
        )
        table = Table("attack", "found", "as itself", "least likeness", "strangers taken")
        for name, attack in track(ATTACKS.items(), description="attacks"):
            answers = [(own, ask(ledger, attack(video))) for own, video in zip(ids, known, strict=True)]
            scores = [answer[1].score for _, answer in answers if answer]
            own = sum(answer[0] == mine for mine, answer in answers if answer)
            taken = sum(ask(ledger, attack(video)) is not None for video in others)
            row = (
                f"{len(scores)} of {count}",
                str(own),
                f"{min(scores, default=0):.2f}",
                f"{taken} of {count}",
            )
            table.add_row(name, *row)
        console.print(table)
        ledger.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=12)
    main(parser.parse_args().videos)
