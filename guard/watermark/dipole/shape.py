"""The numbers that embedder and reader agree on.

Sound is looked at in mono at 8 kHz, in cells of a band (24 from 300 to 3600 Hz, wider towards the top, where
codecs are rougher) by a slot of 50 ms. Two slots make a pair, two bands make a group, and the four cells of a
group in a pair make a dipole: its level is the sum of the cells' decibels, two of them with a minus sign. A
dipole carries one symbol by lying on one of two interleaved lattices. Three of the groups carry known
symbols, by which a reader finds the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "BANDS",
    "EDGES",
    "FRAME",
    "FULL",
    "GROUPS",
    "HOP",
    "MODES",
    "PAIR",
    "PAIR_FRAMES",
    "RATE",
    "SHORT",
    "SLOT",
    "SLOT_FRAMES",
    "STEP",
    "Mode",
]

RATE = 8000
FRAME, HOP = 256, 40  # samples of an analysis frame and from one to the next: 32 ms and 5 ms
SLOT_FRAMES, PAIR_FRAMES = 10, 20
SLOT, PAIR = SLOT_FRAMES * HOP, PAIR_FRAMES * HOP  # samples
BANDS = 24
# Hz: between linear and logarithmic, 93 Hz wide at the bottom and 224 Hz at the top
EDGES = 2000 * np.expm1(np.linspace(np.log1p(300 / 2000), np.log1p(3600 / 2000), BANDS + 1))
GROUPS = BANDS // 2
STEP = 10.0  # dB between two lattice points of one symbol


@dataclass(frozen=True, slots=True)
class Mode:
    """What a mark says: an id and its MAC, once in every `pairs` pairs of slots."""

    name: str
    id_bits: int
    mac_bits: int
    pairs: int

    @property
    def bits(self) -> int:
        return self.id_bits + self.mac_bits


FULL = Mode("full", id_bits=64, mac_bits=32, pairs=48)
SHORT = Mode("short", id_bits=32, mac_bits=32, pairs=30)
MODES = (FULL, SHORT)
