"""Fingerprints: 256-bit codes under which the ledger files pictures, sounds and videos, to find their copies.

A code is what PDQ makes of a picture ("The TMK+PDQF video-hashing algorithm and the PDQ image-hashing
algorithm", Facebook 2019): which of the 16×16 lowest frequencies of a patch exceed their median. A release is
filed under several, of its whole and of distinctive parts that are found again wherever they went. The first
24 bits of a code, of coarse frequencies, are its bucket. Whoever asks looks into the buckets next
to it too: those that differ in the bits which a small change would turn (multi-probe hashing; Lv et al.,
"Multi-probe LSH: efficient indexing for high-dimensional similarity search", VLDB 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "KEY_BITS",
    "NEAR",
    "Algorithm",
    "Coder",
    "Codes",
    "Fingerprint",
    "Floats",
    "algorithm",
    "bucket",
    "distances",
    "fingerprints",
    "probes",
]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

KEY_BITS = 24
NEAR = 72
"""Codes of copies differ in 20 to 70 of their 256 bits, those of strangers rarely in fewer than 74."""

_FREQUENCIES = 16
_MIDDLE = _FREQUENCIES**2 // 2


class Algorithm(StrEnum):
    """What a code was made of, and how; the names stand in credentials and in answers."""

    PICTURE = "guard.picture.1"
    PART = "guard.part.1"
    SOUND = "guard.sound.1"
    FRAME = "guard.frame.1"
    FRAME_PART = "guard.frame-part.1"


_NUMBERS = {name: number for number, name in enumerate(Algorithm)}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A code of 32 bytes; `at` is its place in a sound or video, in seconds.

    `weak` are those of its first 24 bits that a small change may turn, where it is a question.
    """

    alg: Algorithm
    code: bytes
    at: float | None = None
    weak: tuple[int, ...] = field(default=(), compare=False)


def fingerprints(
    alg: Algorithm,
    codes: Codes,
    weak: NDArray[np.intp] | None = None,
    turned: int = 0,
    at: float | None = None,
) -> list[Fingerprint]:
    """Codes (n, 32) as fingerprints; as questions, with the first `turned` of each one's weak bits."""
    bits = [()] * len(codes) if weak is None else [tuple(row) for row in weak[:, :turned].tolist()]
    return [Fingerprint(alg, code.tobytes(), at, some) for code, some in zip(codes, bits, strict=True)]


def bucket(fingerprint: Fingerprint) -> int:
    """Where a fingerprint is filed."""
    return (
        _NUMBERS[fingerprint.alg] << KEY_BITS | int.from_bytes(fingerprint.code[:4], "big") >> 32 - KEY_BITS
    )


def algorithm(filed: int) -> Algorithm:
    """The algorithm of the fingerprints in a bucket."""
    return list(Algorithm)[filed >> KEY_BITS]


def probes(fingerprint: Fingerprint) -> list[int]:
    """The buckets in which copies of it may be filed: every choice of its weak bits turned."""
    found = [bucket(fingerprint)]
    for bit in fingerprint.weak:
        found += [filed ^ 1 << KEY_BITS - 1 - bit for filed in found]
    return found


def distances(ours: Codes, theirs: Codes) -> NDArray[np.int64]:
    """In how many bits each pair of codes (n, 32) and (m, 32) differs: (n, m)."""
    a, b = (np.ascontiguousarray(codes).view(np.uint64) for codes in (ours, theirs))
    different: NDArray[np.int64] = np.bitwise_count(a[:, None] ^ b[None]).sum(axis=2, dtype=np.int64)
    return different


class Coder:
    """Makes codes of patches of `rows` × `columns` values.

    Frequencies go from 1 to 16 half-waves along each axis. `key` are the 24 pairs of them (down, across)
    whose signs make the bucket, the coarsest where none are named.
    """

    def __init__(self, rows: int, columns: int, key: Sequence[tuple[int, int]] = ()) -> None:
        self._rows, self._columns = _basis(rows), _basis(columns)
        down, across = np.mgrid[1 : _FREQUENCIES + 1, 1 : _FREQUENCIES + 1]
        fineness = np.hypot(down, across)
        for number, (v, h) in enumerate(key):
            fineness[v - 1, h - 1] = number - len(key)
        self._order = np.argsort(fineness.ravel(), kind="stable")

    def coefficients(self, patches: Floats) -> Floats:
        """The lowest frequencies (n, 16, 16) of patches (n, rows, columns)."""
        found: Floats = np.matmul(np.matmul(self._rows, patches), self._columns.T, dtype=np.float32)
        return found

    def codes(self, coefficients: Floats) -> tuple[Codes, NDArray[np.intp]]:
        """The codes (n, 32), and the bits of their keys (n, 24), the least certain first."""
        flat = coefficients.reshape(len(coefficients), _FREQUENCIES**2)[:, self._order]
        # Six times as fast as numpy's median, which looks for NaN first.
        middle = np.partition(flat, (_MIDDLE - 1, _MIDDLE), axis=1)[:, _MIDDLE - 1 : _MIDDLE + 1]
        above: Floats = flat - middle.mean(axis=1, keepdims=True)
        return np.packbits(above > 0, axis=1), np.argsort(np.abs(above[:, :KEY_BITS]), axis=1)


def _basis(points: int) -> Floats:
    waves = np.arange(1, _FREQUENCIES + 1)[:, None] * (2 * np.arange(points) + 1)
    basis: Floats = (np.cos(np.pi / (2 * points) * waves) * np.sqrt(2 / points)).astype(np.float32)
    return basis
