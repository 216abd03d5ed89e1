"""Synthetic fingerprints: as many as wanted, drawn from the distribution of real ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.image_sets import photographs
from guard.ledger import Ledger
from guard.ledger.fingerprint import KEY_BITS, Algorithm, Codes, Fingerprint, bucket
from guard.ledger.picture_view import filed

__all__ = ["PER_PICTURE", "Distribution", "fill", "gray", "keys_of", "opened", "photo_codes"]

PER_PICTURE = 17
_CHUNK = 1 << 18

Rows = Iterator[tuple[int, int, int, None, bytes]]


def gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def photo_codes() -> list[list[Fingerprint]]:
    """The fingerprints of all photographs and generated pictures of the test media."""
    patterns = (
        "photos_kodak/*.png",
        "photos_bsds/**/*.jpg",
        "ai_sd_cheatsheet/img/*.jpg",
        "ai_gpt4o/**/*.png",
    )
    return [
        filed(gray(pixels), Algorithm.PICTURE, Algorithm.PART)
        for pattern in patterns
        for _, pixels in photographs(pattern)
    ]


class Distribution:
    """Codes whose bits are set as often, and go together as much, as those of the ones given: signs of normal
    variables with the correlations that these imply (the arcsine law)."""

    def __init__(self, codes: Iterable[bytes]) -> None:
        bits = np.unpackbits(np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32), axis=1).astype(
            np.float32
        )
        self.mean = bits.mean(axis=0)
        correlation = np.sin(np.pi / 2 * np.corrcoef(bits, rowvar=False))
        self._mix, self._key_mix = (_root(part) for part in (correlation, correlation[:KEY_BITS, :KEY_BITS]))
        # The quantile of a normal variable, near enough (K. D. Tocher, 1963).
        odds = np.clip(self.mean, 0.005, 0.995)
        self._bound = (-np.log(1 / odds - 1) / np.sqrt(8 / np.pi)).astype(np.float32)

    def draw(self, count: int, rng: np.random.Generator) -> Codes:
        """So many codes (count, 32)."""
        normal = rng.standard_normal((count, 256), np.float32) @ self._mix
        return np.packbits(normal < self._bound, axis=1)

    def keys(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Buckets of so many codes, without the codes."""
        normal = rng.standard_normal((count, KEY_BITS), np.float32) @ self._key_mix
        bits = (normal < self._bound[:KEY_BITS]).astype(np.int64)
        found: NDArray[np.int64] = bits @ (1 << np.arange(KEY_BITS - 1, -1, -1))
        return found


def _root(correlation: NDArray[np.float64]) -> NDArray[np.float32]:
    """What makes variables with these correlations of independent ones; of variance one again where the
    estimate was no correlation at all."""
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.maximum(values, 0))).T
    mix: NDArray[np.float32] = (root / np.sqrt((root**2).sum(axis=0))).astype(np.float32)
    return mix


def fill(
    path: Path, keys: NDArray[np.int64], codes: Codes | None, per_release: int, first: int, *, place: int = 0
) -> None:
    """File codes, `per_release` for each release from `first` on, straight into the table, sorted as it keeps
    them, their places numbered from `place`. Without codes, arbitrary ones."""
    order = np.argsort(keys, kind="stable")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA foreign_keys=OFF")
        insert = 'INSERT INTO fingerprints (bucket, "release", place, at, code) VALUES (?, ?, ?, ?, ?)'
        database.executemany(insert, _rows(keys, codes, order, per_release, first, place))
    database.close()


def _rows(
    keys: NDArray[np.int64],
    codes: Codes | None,
    order: NDArray[np.int64],
    per_release: int,
    first: int,
    place: int,
) -> Rows:
    body = np.random.default_rng(0).bytes(32 * _CHUNK) if codes is None else b""
    for start in range(0, len(order), _CHUNK):
        chunk = order[start : start + _CHUNK]
        raw = body if codes is None else codes[chunk].tobytes()
        releases, places = (part.tolist() for part in np.divmod(chunk, per_release))
        for n, (key, release, number) in enumerate(zip(keys[chunk].tolist(), releases, places, strict=True)):
            yield key, first + release, place + number, None, raw[32 * n : 32 * n + 32]


def opened(path: Path) -> Ledger:
    """A new ledger in a file, without the index by release, which no look-up reads."""
    ledger = Ledger.open(f"sqlite:///{path}")
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_fingerprints_release")
    return ledger


def keys_of(alg: Algorithm, codes: Codes) -> NDArray[np.int64]:
    """The buckets of codes (n, 32)."""
    base = bucket(Fingerprint(alg, bytes(32)))
    words = codes[:, :4].astype(np.int64) @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
    found: NDArray[np.int64] = base + (words >> 32 - KEY_BITS)
    return found
