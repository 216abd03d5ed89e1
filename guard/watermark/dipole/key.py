"""What a key makes of the grid: which bands pair up, where lattices lie, how an id is spelt and sealed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from guard.watermark.base import Payload
from guard.watermark.convolution import RATE, Soft, convolve, search
from guard.watermark.dipole.shape import BANDS, GROUPS, Mode

__all__ = ["DATA", "SYNC", "Secret", "ident", "secret"]

_DOMAIN = b"guard.dipole.1/"
_STRATUM = 8  # bands: a group's two are near each other, as noise and codecs take neighbours alike
SYNC = np.array([0, 4, 8])  # one group of four from the lower, the middle and the upper bands each
DATA = np.setdiff1d(np.arange(GROUPS), SYNC)


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A key's layout for one mode of k pairs.

    `signs` (24, 12) holds +1 and -1 at the two bands of each group. `turns` (k, 12) shifts each dipole's
    lattice, in turns of its step. Every shift occurs equally often in a group, so silence, whose dipoles are
    all 0, resembles no mark. Chip `order[i]` of the data groups carries coded bit i, modulo their number.
    """

    key: bytes
    mode: Mode
    signs: NDArray[np.float32]
    turns: NDArray[np.float64]
    order: NDArray[np.int64]
    flips: Soft

    def symbols(self, value: int) -> Soft:
        """±1 for each dipole (k, 12), those of the sync groups 1."""
        mac = self._mac(value)
        word = value << self.mode.mac_bits | mac
        bits = np.array([word >> i & 1 for i in reversed(range(self.mode.bits))], np.uint8)
        chips = np.empty(self.order.size, np.float32)
        chips[self.order] = np.resize(convolve(bits) * self.flips, chips.size)
        symbols = np.ones((self.mode.pairs, GROUPS), np.float32)
        symbols[:, DATA] = chips.reshape(self.mode.pairs, DATA.size)
        return symbols

    def values(self, seen: NDArray[np.float32]) -> list[int | None]:
        """The ids in n words of soft symbols (n, k, 12); None where the MAC denies what was read."""
        chips = seen[:, :, DATA].reshape(len(seen), -1)[:, self.order]
        padded = np.zeros((len(seen), -(-chips.shape[1] // self.flips.size) * self.flips.size), np.float32)
        padded[:, : chips.shape[1]] = chips
        soft = padded.reshape(len(seen), -1, self.flips.size).sum(axis=1) * self.flips
        return [self._checked(bits) for bits in search(soft)]

    def _checked(self, bits: NDArray[np.uint8]) -> int | None:
        word = int.from_bytes(np.packbits(bits).tobytes()) >> (-bits.size % 8)
        value = word >> self.mode.mac_bits
        return value if self._mac(value) == word & ((1 << self.mode.mac_bits) - 1) else None

    def _mac(self, value: int) -> int:
        text = _DOMAIN + self.mode.name.encode() + value.to_bytes(8)
        return int.from_bytes(hmac.digest(self.key, text, "sha256")) >> (256 - self.mode.mac_bits)


def ident(payload: Payload, mode: Mode) -> int:
    """The part of a payload that a mode carries: its highest bits."""
    return payload.value >> (64 - mode.id_bits)


@lru_cache(maxsize=256)
def secret(key: bytes, mode: Mode) -> Secret:
    """The layout of a key of any length. The modes share the bands, so that one analysis serves both."""
    name = mode.name.encode()
    strata = [_permutation(key, b"bands/%d" % first, _STRATUM) + first for first in range(0, BANDS, _STRATUM)]
    pairs = np.concatenate(strata).reshape(GROUPS, 2)
    signs = np.zeros((BANDS, GROUPS), np.float32)
    signs[pairs[:, 0], range(GROUPS)] = 1
    signs[pairs[:, 1], range(GROUPS)] = -1
    turns = [_permutation(key, b"turns/%s/%d" % (name, group), mode.pairs) for group in range(GROUPS)]
    flips = _words(key, b"flips/" + name, mode.bits * RATE) & 1
    return Secret(
        key=key,
        mode=mode,
        signs=signs,
        turns=np.stack(turns, axis=1) / mode.pairs,
        order=_permutation(key, b"order/" + name, mode.pairs * DATA.size),
        flips=np.where(flips, 1, -1).astype(np.float32),
    )


def _permutation(key: bytes, label: bytes, n: int) -> NDArray[np.int64]:
    return np.argsort(_words(key, label, n), kind="stable")


def _words(key: bytes, label: bytes, n: int) -> NDArray[np.uint64]:
    """n uniform 64-bit words: not NumPy's generators, whose streams may change from version to version."""
    stream = hashlib.shake_256(_DOMAIN + label + b"/" + key).digest(8 * n)
    return np.frombuffer(stream, "<u8").astype(np.uint64)
