"""How often is a picture taken for another one, by its content alone?

    python -m bench.fingerprint_strangers [--most N]

Of all photographs and generated pictures of the test media, whole and in quarters, each asks for each that
was cut from another scene. Counted are the pairs with codes near to each other; those of them of which the
question also looks into the right bucket, which are the candidates that `guard verify` compares; and how many
pass each step of the comparison. All candidates are compared, and then N of the near pairs, which any change
of the key would make candidates (default 20,000).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from bench.fingerprint_codes import gray
from bench.image_attacks import Pixels
from bench.image_sets import photographs
from guard.ledger.fingerprint import KEY_BITS, NEAR, Algorithm, Codes, Fingerprint
from guard.ledger.picture_codes import thumbnail
from guard.ledger.picture_sketch import agrees_all_over, laid_over
from guard.ledger.picture_view import Shown, filed, shown, view
from guard.sketches import likely

__all__ = ["quarters", "scenes"]

ASKED_AT_ONCE = 1 << 13
LEAST_SIDE = 160
Pairs = NDArray[np.int32]


class Found(NamedTuple):
    """A pair compared: in so many ways the one may lie on the other; the best likeness; whether that is a
    copy's, and whether the two agree all over."""

    ways: int
    score: float
    likely: bool
    same: bool


def scenes() -> Iterator[Pixels]:
    """The pictures of the test media, no two of the same scene: sheets of four are cut apart."""
    for pattern in ("photos_kodak/*.png", "photos_bsds/**/*.jpg", "ai_gpt4o/**/*.png"):
        yield from (pixels for _, pixels in photographs(pattern))
    for _, sheet in photographs("ai_sd_cheatsheet/img/*.webp"):
        if sheet.shape[:2] == (1024, 1024):
            yield from (sheet[top : top + 512, left : left + 512] for top in (0, 512) for left in (0, 512))


def quarters(pixels: Pixels) -> Iterator[Pixels]:
    """The picture, and its quarters where they are large enough to be pictures of their own."""
    yield pixels
    height, width = (side // 2 for side in pixels.shape[:2])
    if min(height, width) >= LEAST_SIDE:
        for top in (0, height):
            for left in (0, width):
                yield pixels[top : top + height, left : left + width]


class Pictures:
    """All pictures with the scenes they are cut from, their views, and the codes as filed and as asked for,
    each with the picture it belongs to."""

    def __init__(self) -> None:
        self.gray: list[NDArray[np.uint8]] = []
        self._known: dict[int, tuple[NDArray[np.uint8], Shown]] = {}
        scene: list[int] = []
        for number, pixels in enumerate(scenes()):
            cuts = [np.ascontiguousarray(gray(cut)) for cut in quarters(pixels)]
            self.gray += cuts
            scene += len(cuts) * [number]
        self.scene = np.array(scene)
        self.views = [view(picture) for picture in track(self.gray, description="looking")]
        asked = [_places(one.questions(Algorithm.PICTURE, Algorithm.PART)) for one in self.views]
        self.asked, self.asker = _joined([[each.code for each in some] for some in asked])
        self.open = np.array([_open(each) for some in asked for each in some], np.uint32)
        kept = [_places(filed(picture, Algorithm.PICTURE, Algorithm.PART)) for picture in self.gray]
        self.filed, self.owner = _joined([[each.code for each in some] for some in kept])

    @property
    def pairs(self) -> int:
        """How many pairs of pictures are of unlike scenes."""
        return len(self.scene) ** 2 - int((np.bincount(self.scene) ** 2).sum())

    def registered(self, number: int) -> tuple[NDArray[np.uint8], Shown]:
        """A picture's thumbnail, and what it shows."""
        if number not in self._known:
            thumb = thumbnail(self.gray[number])
            self._known[number] = thumb, shown(thumb)
        return self._known[number]


def _places(found: list[Fingerprint]) -> list[Fingerprint]:
    return [each for each in found if each.alg == Algorithm.PART]


def _joined(codes: list[list[bytes]]) -> tuple[Codes, NDArray[np.intp]]:
    """Codes of many pictures in one array (n, 32), and whose each is."""
    joined = np.frombuffer(b"".join(code for some in codes for code in some), np.uint8)
    return joined.reshape(-1, 32), np.repeat(np.arange(len(codes)), [len(some) for some in codes])


def _open(question: Fingerprint) -> int:
    """The bits of its key that a question leaves open."""
    return sum(1 << KEY_BITS - 1 - bit for bit in question.weak)


def _keys(codes: Codes) -> NDArray[np.uint32]:
    return codes[:, :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def near(pictures: Pictures) -> tuple[Pairs, Pairs]:
    """The pairs (n, 2) of a picture that asks and one of another scene whose codes are near to each other;
    and those of them that are found through the buckets."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(pictures.filed)
    asked_keys, filed_keys = _keys(pictures.asked), _keys(pictures.filed)
    alike, bucketed = [], []
    for start in track(range(0, len(pictures.asked), ASKED_AT_ONCE), description="near pairs"):
        ends, _, theirs = index.range_search(pictures.asked[start : start + ASKED_AT_ONCE], NEAR + 1)
        ours = start + np.repeat(np.arange(len(ends) - 1), np.diff(ends).astype(np.intp))
        pairs = np.stack([pictures.asker[ours], pictures.owner[theirs]], axis=1).astype(np.int32)
        unlike = pictures.scene[pairs[:, 0]] != pictures.scene[pairs[:, 1]]
        found = ((asked_keys[ours] ^ filed_keys[theirs]) & ~pictures.open[ours]) == 0
        alike.append(np.unique(pairs[unlike], axis=0))
        bucketed.append(pairs[unlike & found])
    return np.unique(np.concatenate(alike), axis=0), np.unique(np.concatenate(bucketed), axis=0)


def compared(pictures: Pictures, ours: int, theirs: int) -> Found:
    """What `guard verify` finds where a picture is compared with a registered one that no mark led to."""
    thumb, known = pictures.registered(theirs)
    picture, ways, score, alike = pictures.gray[ours], 0, 0.0, False
    for way in pictures.views[ours].lies_on(known):
        ways += 1
        found = laid_over(thumb, picture, way)
        score = max(score, found.score)
        if likely(found):
            alike = True
            if agrees_all_over(thumb, picture, way):
                return Found(ways, score, likely=True, same=True)
    return Found(ways, score, alike, same=False)


def report(name: str, found: list[Found]) -> str:
    ways, scores, alike, same = (np.array(column) for column in zip(*found, strict=True))
    lying = scores[ways > 0] if ways.any() else np.zeros(1)
    # The rule of three where none were counted; else a normal bound will do.
    most = (same.sum() + (3 if not same.any() else 2 * math.sqrt(same.sum()) + 1)) / len(found)
    return (
        f"{len(found):,} {name}: {(ways > 0).sum():,} with places that agree; their likeness "
        f"{lying.mean():.2f} ± {lying.std():.2f}; {alike.sum()} as alike as copies; "
        f"{same.sum()} taken for the same, at most {most:.1e} of them with 95 % confidence"
    )


def main(most: int) -> None:
    console = Console(width=110)
    pictures = Pictures()
    pairs, candidates = near(pictures)
    asked = len(pictures.gray)
    console.print(
        f"{asked:,} pictures of {pictures.scene[-1] + 1:,} scenes, {pictures.pairs:,} pairs of unlike ones: "
        f"{len(pairs):,} near, {len(candidates):,} candidates"
    )
    some = np.random.default_rng(0).permutation(len(pairs))[:most]
    for name, chosen in (("candidates", candidates), ("near pairs", pairs[some])):
        found = [compared(pictures, int(a), int(b)) for a, b in track(chosen, description=name)]
        console.print(report(name, found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--most", type=int, default=20_000)
    main(parser.parse_args().most)
