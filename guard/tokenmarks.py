"""Marks that a language model puts into its choice of words, and what a key makes of them.

Whoever generates needs the configuration and whoever reads needs the scores, so both stand here, below the
two. The schemes and their hashes are those of transformers: SynthID-Text (Dathathri et al., Nature 634, 2024)
and KGW (Kirchenbauer et al., ICML 2023). The hashes are no cryptography: they hide the mark from readers and
from casual forgers, not from somebody who may ask a detector ten thousand times.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = ["Scheme", "Tally", "TokenMark"]

_NGRAM = 5
_DEPTHS = 12
_TABLE = 1 << 16
_GREEN = 0.25
_BIAS = 2.5


class Scheme(StrEnum):
    """How words are chosen: `SYNTHID` keeps their distribution, `KGW` favours a part of the vocabulary."""

    SYNTHID = "synthid"
    KGW = "kgw"


class Tally(NamedTuple):
    """How many of `draws` fair draws came out marked.

    A draw is one of `population` equally likely tickets of which `winning` are marked, no ticket drawn twice;
    for population 0 it is an independent event of chance `winning`.
    """

    hits: int
    draws: int
    population: int
    winning: float


@dataclass(frozen=True, slots=True)
class TokenMark:
    """A mark without a payload: that it is there says whose key chose the words."""

    scheme: Scheme
    key: bytes

    def config(self) -> Any:
        """What transformers' `generate` takes as `watermarking_config`."""
        from transformers import SynthIDTextWatermarkingConfig, WatermarkingConfig

        if self.scheme is Scheme.KGW:
            return WatermarkingConfig(
                greenlist_ratio=_GREEN, bias=_BIAS, hashing_key=self._number(0), seeding_scheme="lefthash"
            )
        return SynthIDTextWatermarkingConfig(
            ngram_len=_NGRAM,
            keys=[self._number(depth) for depth in range(_DEPTHS)],
            sampling_table_seed=self._number(_DEPTHS),
            sampling_table_size=_TABLE,
        )

    def tally(self, tokens: list[int], vocabulary: int) -> Tally:
        """What the key sees in a text of these token ids, each different draw counted once.

        A phrase said twice is no new evidence, and counting it again is what makes repetitive human text pass
        for marked.
        """
        processor = _processor(self, vocabulary)
        count = _green if self.scheme is Scheme.KGW else _winners
        return count(processor, tokens)

    def _number(self, index: int) -> int:
        """The key's number `index`: 31 bits, since transformers multiplies them in 64."""
        label = f"guard.{self.scheme}.{index}".encode()
        return int.from_bytes(hmac.digest(self.key, label, hashlib.sha256)[:4]) >> 1


@lru_cache(maxsize=16)
def _processor(mark: TokenMark, vocabulary: int) -> Any:
    """What scores tokens for the library: it builds tables of up to a million entries, once for each key."""
    return mark.config().construct_processor(vocabulary, "cpu")


def _winners(processor: Any, tokens: list[int]) -> Tally:
    """SynthID: each pair of n-gram and depth points to a slot of one random table of zeros and ones.

    Slots that several pairs share would be counted twice, so slots are counted and not pairs: the number of
    ones among them is hypergeometric exactly, whatever the text.
    """
    import torch

    table = processor.sampling_table
    if len(tokens) < _NGRAM:
        return Tally(0, 0, len(table), float(table.sum()))
    ngrams = torch.tensor([tokens]).unfold(1, _NGRAM, 1)
    slots = torch.unique(processor.compute_ngram_keys(ngrams) % len(table))
    return Tally(int(table[slots].sum()), len(slots), len(table), float(table.sum()))


def _green(processor: Any, tokens: list[int]) -> Tally:
    """KGW: each different pair of neighbours is one draw."""
    import torch

    followers: dict[int, set[int]] = {}
    for before, token in pairwise(tokens):
        followers.setdefault(before, set()).add(token)
    hits = 0
    for before, after in followers.items():
        green = processor._get_greenlist_ids(torch.tensor([before]))
        hits += int(torch.isin(torch.tensor(sorted(after)), green).sum())
    draws = sum(map(len, followers.values()))
    return Tally(hits, draws, 0, processor.greenlist_size / processor.vocab_size)
