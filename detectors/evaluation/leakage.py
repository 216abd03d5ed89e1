"""Whether a detector has seen an item in training: the same bytes, the same picture, the same words.

A training script writes what `identity` says of each of its items into its split file, under any key; the
check finds them wherever they stand in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guard.errors import GuardError, InputError
from guard.media import Artifact, Modality

__all__ = ["Seen", "identity", "perceptual_hash", "read_split", "word_grams"]

_GRAM = 8
_EVERY = 4
_CLOSE = 5
_WORD = re.compile(r"\w+")
_KEYS = ("sha256", "phash", "grams8")


def identity(artifact: Artifact) -> dict[str, Any]:
    """What an item is known by: `sha256`, and `phash` of a picture or `grams8` of a text."""
    known: dict[str, Any] = {"sha256": artifact.sha256}
    if artifact.modality is Modality.IMAGE:
        known["phash"] = perceptual_hash(artifact.picture.rgb())
    elif artifact.modality is Modality.TEXT:
        known["grams8"] = sorted(word_grams(artifact.text))
    return known


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """64 bits, hexadecimal: which low frequencies of the picture, 32 × 32 and gray, exceed their median."""
    gray = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(gray.astype(np.float32))[1:9, 1:9]
    bits = np.packbits(low > np.median(low))
    return bits.tobytes().hex()


def word_grams(text: str) -> set[str]:
    """Hashes of a quarter of all runs of eight words, chosen by the hash itself so that two texts choose
    alike; of a shorter text, that of all its words. Case and signs count for nothing."""
    words = _WORD.findall(text.casefold())
    if len(words) < _GRAM:
        return {_hash(words)} if words else set()
    grams = {_hash(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)}
    return {gram for gram in grams if int(gram, 16) % _EVERY == 0} or {min(grams)}


def _hash(words: list[str]) -> str:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=8).hexdigest()


def read_split(path: Path) -> dict[str, Any]:
    """The split file. Raises `InputError` where it is no JSON object."""
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as a split: {error}.", "Give a JSON file.") from error
    if not isinstance(split, dict):
        raise InputError(f"{path} is no split: it holds no JSON object.", "Give a JSON object.")
    return split


@dataclass
class Seen:
    """What a split file says was trained on."""

    hashes: set[str] = field(default_factory=set)
    pictures: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    grams: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, split: Mapping[str, Any]) -> Seen:
        """Everything under the keys `sha256`, `phash` and `grams8`, wherever they stand in `split`."""
        found: dict[str, set[str]] = {key: set() for key in _KEYS}
        for key, value in _walk(split):
            found[key].add(value.lower())
        pictures = np.array(sorted(int(each, 16) for each in found["phash"]), np.uint64)
        return cls(found["sha256"], pictures, found["grams8"])

    @property
    def known(self) -> bool:
        """Whether the split names any item at all."""
        return bool(self.hashes or self.grams or self.pictures.size)

    def why(self, artifact: Artifact) -> str:
        """How this item shows that it was trained on; "" where it does not."""
        if artifact.sha256 in self.hashes:
            return "the same bytes"
        try:
            known = identity(artifact)
        except GuardError:
            return ""
        if "phash" in known and self.pictures.size:
            apart = np.bitwise_count(self.pictures ^ np.uint64(int(known["phash"], 16)))
            return "the same picture" if int(apart.min()) <= _CLOSE else ""
        return "the same words" if not self.grams.isdisjoint(known.get("grams8", ())) else ""


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _KEYS:
                yield from ((key, each) for each in _texts(inner) if _hexadecimal(each))
            else:
                yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        value = [*value.values(), *value.keys()]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else [str(value)]


def _hexadecimal(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{64}", text) is not None
