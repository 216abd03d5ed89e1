"""What the ledger keeps of a released video: codes of frames to find copies by, and stills to confirm them.

Frames are found like pictures (`guard.ledger.picture_view`). The calmest frames of a copy are asked for: they
differ the least from what was filed a moment earlier or later. A copy has to show what the stills show, and
in their order: from one frame that was recognised follows when and where in it each of them must be.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np

from guard.errors import LedgerError
from guard.ledger import picture_sketch
from guard.ledger.fingerprint import Algorithm, Fingerprint
from guard.ledger.likeness import Likeness
from guard.ledger.picture_codes import SIDE, Gray
from guard.ledger.picture_sketch import Geometry
from guard.ledger.picture_view import filed as filed_picture
from guard.ledger.picture_view import shown, view
from guard.media.stream import VideoFrame

__all__ = ["Still", "filed", "make_sketch", "questions", "similarity", "stills_of"]

_HELD, _PER_SECOND = 256, 8.0
_LONGEST = 256
_FILED, _FILED_EVERY, _FILED_PARTS = 64, 0.5, 6
_ASKED, _ASKED_PARTS = 6, 8
_KEPT, _KEPT_SIDE, _LEVELS = 8, 64, 16
_LATE = 0.35  # seconds by which a still may be off where frames were dropped or held
_SEEDS = 3
_TOGETHER = 0.2  # seconds within which ways of laying them agree
_LEAST_SCORE, _LEAST_ALONE, _MOST_OF_THEM = 0.6, 0.75, 0.6

_HEADER = struct.Struct(">BB")
_FRAME = struct.Struct(">fBB")
_VERSION = 1


class Still(NamedTuple):
    """A frame, grey and small, and its time in seconds."""

    time: float
    gray: Gray


def stills_of(frames: Iterable[VideoFrame]) -> list[Still]:
    """At most 256 frames from all over a video, eight a second in shorter ones."""
    stills: list[Still] = []
    apart, due = 1 / _PER_SECOND, 0.0
    for frame in frames:
        if stills and frame.time < due - 1e-6:
            continue
        stills.append(Still(frame.time, _small(frame)))
        if len(stills) == _HELD:
            stills, apart = stills[::2], 2 * apart
        due = stills[-1].time + apart
    return stills


def _small(frame: VideoFrame) -> Gray:
    height, width = frame.pixels.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def filed(stills: Sequence[Still]) -> list[Fingerprint]:
    """The fingerprints under which a video is filed: two frames a second, fewer of what lasts longer than
    half a minute."""
    length = stills[-1].time - stills[0].time if stills else 0.0
    apart = max(_FILED_EVERY, length / _FILED)
    found, due = list[Fingerprint](), -np.inf
    for still in stills:
        if still.time < due - 1e-6:
            continue
        due = still.time + apart
        codes = filed_picture(still.gray, Algorithm.FRAME, Algorithm.FRAME_PART, parts=_FILED_PARTS)
        found += [Fingerprint(each.alg, each.code, round(still.time, 3)) for each in codes]
    return found


def questions(stills: Sequence[Still]) -> list[Fingerprint]:
    """The codes of its calmest frames as they would be filed if it is a copy."""
    return [
        question
        for still in _calm(stills)
        for question in view(still.gray, parts=_ASKED_PARTS).questions(Algorithm.FRAME, Algorithm.FRAME_PART)
    ]


def _calm(stills: Sequence[Still]) -> list[Still]:
    """The still that differs the least from its neighbours in each stretch of the video."""
    if not stills:
        return []
    small = np.stack([cv2.resize(s.gray, (16, 16), interpolation=cv2.INTER_AREA) for s in stills]).astype(
        float
    )
    change = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2))
    unrest = np.maximum(np.append(change, 0), np.insert(change, 0, 0))
    unrest += 1e3 * (small.std(axis=(1, 2)) < 1)  # fades to black are calm too
    stretches = np.array_split(np.arange(len(stills)), min(_ASKED, len(stills)))
    return [stills[int(stretch[np.argmin(unrest[stretch])])] for stretch in stretches]


def make_sketch(stills: Sequence[Still]) -> bytes:
    """The sketch of a video: eight of its stills, 64 pixels a side in 16 shades, compressed together."""
    kept = [stills[i] for i in sorted(set(np.linspace(0, len(stills) - 1, _KEPT).round().astype(int)))]
    body = b"".join(_packed(still) for still in kept)
    return _HEADER.pack(_VERSION, len(kept)) + zlib.compress(body, 9)


def _packed(still: Still) -> bytes:
    height, width = still.gray.shape
    scale = min(1.0, _KEPT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shades = cv2.resize(still.gray, size, interpolation=cv2.INTER_AREA) // (256 // _LEVELS)
    # Most neighbours are alike, so that their differences compress better.
    steps = np.diff(shades, axis=1, prepend=0) % _LEVELS
    return _FRAME.pack(still.time, *size) + bytes(steps.astype(np.uint8))


def _open(sketch: bytes) -> list[Still]:
    try:
        version, count = _HEADER.unpack_from(sketch)
        limit = _KEPT * (_FRAME.size + _KEPT_SIDE**2)
        body = zlib.decompressobj().decompress(sketch[_HEADER.size :], limit)
        stills, at = list[Still](), 0
        for _ in range(count):
            time, width, height = _FRAME.unpack_from(body, at)
            at += _FRAME.size + width * height
            steps = np.frombuffer(body[at - width * height : at], np.uint8).reshape(height, width)
            shades = np.cumsum(steps, axis=1) % _LEVELS
            stills.append(Still(time, (shades * (256 // _LEVELS) + 128 // _LEVELS).astype(np.uint8)))
        if version != _VERSION or not stills or at != len(body):
            raise ValueError
    except (struct.error, zlib.error, ValueError) as error:
        raise LedgerError(
            "A sketch in the ledger is damaged.", "Restore the ledger from a backup."
        ) from error
    return stills


class _Seed(NamedTuple):
    """A still that shows the same as a frame in hand: how well, how much later it comes, how it lies."""

    score: float
    late: float
    geometry: Geometry


def similarity(sketch: bytes, stills: Sequence[Still]) -> Likeness | None:
    """How alike a video, given by its stills, is to the sketched one, wherever the one plays in the other;
    None where it has none. Raises `LedgerError` for a damaged sketch."""
    known = _open(sketch)
    if not stills:
        return None
    best = Likeness(0.0, 0.0, 0.0, same=False)
    for seed in _seeds(known, stills):
        best = max(best, _in_order(known, stills, seed), key=lambda found: (found.same, found.score))
    return best


def _seeds(known: Sequence[Still], stills: Sequence[Still]) -> list[_Seed]:
    """The likeliest ways in which the videos lie on each other."""
    found = []
    views = [(still, view(still.gray, parts=_ASKED_PARTS)) for still in _calm(stills)]
    for kept in known:
        factor = SIDE / max(kept.gray.shape)
        large = cv2.resize(kept.gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        registered = shown(np.asarray(large, np.uint8))
        for still, seen in views:
            for geometry in islice(seen.lies_on(registered), 1):
                (a, b), (c, d) = (np.array(geometry) / factor).tolist()
                fit = picture_sketch.laid_over(kept.gray, still.gray, ((a, b), (c, d)))
                found.append(_Seed(fit.score, kept.time - still.time, ((a, b), (c, d))))
    # One still is like many frames where little moves: what most of them agree on is when it comes.
    votes = {
        seed: sum(other.score for other in found if abs(other.late - seed.late) <= _TOGETHER)
        for seed in found
    }
    return sorted(votes, key=lambda seed: (-votes[seed], -seed.score))[:_SEEDS]


def _in_order(known: Sequence[Still], stills: Sequence[Still], seed: _Seed) -> Likeness:
    """How alike the stills are to the frames that come when they should."""
    scores = []
    for kept in known:
        near = [still for still in stills if abs(still.time + seed.late - kept.time) <= _LATE]
        fits = [picture_sketch.laid_over(kept.gray, still.gray, seed.geometry) for still in near]
        scores += [max(fit.score for fit in fits)] if fits else []
    begin = max(known[0].time, stills[0].time + seed.late)
    both = max(0.0, min(known[-1].time, stills[-1].time + seed.late) - begin)
    ours, theirs = (max(some[-1].time - some[0].time, 1e-3) for some in (known, stills))
    score = sum(scores) / max(len(scores), 1)
    alike = sum(score >= (_LEAST_SCORE if len(scores) > 1 else _LEAST_ALONE) for score in scores)
    same = alike > _MOST_OF_THEM * len(scores)
    return Likeness(score, min(1.0, both / ours), min(1.0, both / theirs), same)
