"""Videos are found again by their frames, and known for copies by what they show and when."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import LedgerError
from guard.ledger.fingerprint import bucket, probes
from guard.ledger.video_sketch import Still, filed, make_sketch, questions, similarity, stills_of
from guard.media import Artifact, Modality
from guard.media.stream import VideoFrame
from tests.pictures import natural

Pixels = NDArray[np.uint8]
RATE = 12


@cache
def frames(seed: int, seconds: float = 4.0) -> tuple[VideoFrame, ...]:
    """A view that wanders over one picture, then over another."""
    scenes = natural(10 * seed, 240, 320), natural(10 * seed + 1, 240, 320)
    count = round(seconds * RATE)
    made = []
    for number in range(count):
        time = number / RATE
        x, y = (round(40 + 36 * float(np.sin(speed * time))) for speed in (0.9, 1.3))
        made.append(VideoFrame(time, scenes[number >= 0.6 * count][y : y + 144, x : x + 208]))
    return tuple(made)


def mp4(seed: int) -> Artifact:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 208, 144, "yuv420p"
        for frame in frames(seed):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.pixels), "rgb24"))
            )
        container.mux(stream.encode(None))
    return Artifact(Modality.VIDEO, "video/mp4", file.getvalue())


Video = tuple[VideoFrame, ...]


def each(change: Callable[[Pixels], Pixels]) -> Callable[[Video], Video]:
    return lambda video: tuple(VideoFrame(f.time, np.ascontiguousarray(change(f.pixels))) for f in video)


def jpeg(pixels: Pixels) -> Pixels:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


COPIES: dict[str, Callable[[Video], Video]] = {
    "untouched": lambda video: video,
    "recompressed": each(jpeg),
    "three quarters of the size": each(lambda p: np.asarray(cv2.resize(p, (156, 108)), np.uint8)),
    "cropped": each(lambda p: p[8:-7, 12:-10]),
    "in a letterbox": each(lambda p: np.pad(p, ((40, 40), (0, 0), (0, 0)))),
    "mirrored": each(lambda p: p[:, ::-1]),
    "half the frames": lambda video: video[1::2],
    "trimmed": lambda video: tuple(VideoFrame(f.time - 1.3, f.pixels) for f in video if 1.3 <= f.time < 3.5),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found_and_is_the_same(copy: str) -> None:
    known, attacked = stills_of(frames(1)), stills_of(COPIES[copy](frames(1)))
    asked = {place for each in questions(attacked) for place in probes(each)}
    assert len({bucket(each) for each in filed(known)} & asked) > 3
    likeness = similarity(make_sketch(known), attacked)
    assert likeness is not None
    assert likeness.same


@pytest.mark.parametrize("copy", ["untouched", "cropped", "trimmed"])
def test_another_video_is_neither(copy: str) -> None:
    known, other = stills_of(frames(1)), stills_of(COPIES[copy](frames(2)))
    asked = {place for each in questions(other) for place in probes(each)}
    assert not {bucket(each) for each in filed(known)} & asked
    likeness = similarity(make_sketch(known), other)
    assert likeness is not None
    assert not likeness.same


def test_a_trimmed_copy_tells_how_much_of_the_release_it_is() -> None:
    likeness = similarity(make_sketch(stills_of(frames(1))), stills_of(COPIES["trimmed"](frames(1))))
    assert likeness is not None
    assert likeness.share > 0.9
    assert 0.4 < likeness.coverage < 0.75


def test_a_beginning_that_goes_on_as_something_else_is_not_the_same() -> None:
    """A single frame that was recognised is not enough: the others must come when they should."""
    video = frames(1)
    known = stills_of(video)
    spliced = (
        *video[:9],
        *(VideoFrame(f.time, g.pixels) for f, g in zip(video[9:], frames(2)[9:], strict=True)),
    )
    likeness = similarity(make_sketch(known), stills_of(spliced))
    assert likeness is not None
    assert not likeness.same


def test_a_sketch_stays_small_and_stills_few() -> None:
    long = stills_of(VideoFrame(number / 4, frames(1)[number % 48].pixels) for number in range(3000))
    assert 128 <= len(long) <= 256
    assert long[-1].time > 740
    assert len(make_sketch(long)) < 12_000
    assert len({each.at for each in filed(long)}) <= 64


def test_fades_and_empty_videos_hold_nothing() -> None:
    black = [Still(number / 8, np.zeros((90, 160), np.uint8)) for number in range(20)]
    assert filed(black) == questions(black) == []
    assert filed([]) == questions([]) == []
    known = stills_of(frames(1))
    assert similarity(make_sketch(known), []) is None
    likeness = similarity(make_sketch(known), black)
    assert likeness is not None
    assert not likeness.same


def damaged(sketch: bytes) -> Iterator[bytes]:
    yield from (
        b"",
        sketch[:1],
        sketch[:40],
        b"\x09" + sketch[1:],
        sketch[:2] + b"junk",
        sketch[:1] + b"\xff" + sketch[2:],
        sketch[:1] + b"\0" + sketch[2:],
    )


def test_a_damaged_sketch_is_an_error_and_not_a_crash() -> None:
    known = stills_of(frames(1))
    for spoiled in damaged(make_sketch(known)):
        with pytest.raises(LedgerError, match="damaged"):
            similarity(spoiled, known)
