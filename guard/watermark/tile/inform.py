"""Informed embedding: given what the reader would see of the unmarked picture, what to add at every line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from guard.watermark.tile.code import CODED_BITS
from guard.watermark.tile.pattern import LINES, Pattern
from guard.watermark.tile.sync import radial_mean

__all__ = ["coefficients"]

_HELP = 1.5  # deviations by which the picture itself is to favour every coded bit
_SYNC_LIFT = 1.5  # the most that a sync line is raised, in sync levels


def coefficients(
    host: NDArray[np.complex64], code: NDArray[np.float32], key: Pattern, sync_share: float
) -> NDArray[np.complex64]:
    """The mark at every line (1008,), for `host` in units of its power; sync lines get `sync_share` of that.

    `code` holds the 384 coded bits as ±1.
    """
    values = np.empty(len(LINES), np.complex64)
    values[key.sync] = _sync(host[key.sync], key.phases, np.sqrt(sync_share / len(key.sync)))
    count = len(key.data)
    chips = _chips(host, code, key, np.sqrt((1 - sync_share) / count / 2))
    values[key.data] = chips[:count] + 1j * chips[count:]
    return values


def _sync(host: NDArray[np.complex64], phases: NDArray[np.complex64], level: float) -> NDArray[np.complex64]:
    """Sync lines at a level, raised where the host pulls the other way."""
    against = np.maximum(0, -(host * phases.conj()).real)
    raised: NDArray[np.complex64] = (level + np.minimum(against, _SYNC_LIFT * level)) * phases
    return raised


def _chips(
    host: NDArray[np.complex64], code: NDArray[np.float32], key: Pattern, level: float
) -> NDArray[np.float32]:
    """Chips of one level plus, per coded bit, what lifts the host's share of that bit to +1.5 deviations.

    This is improved spread spectrum (Malvar and Florêncio 2003) with a target instead of plain cancellation.
    A bit has about five chips; only the one direction among them that the reader looks along is corrected.
    """
    noise = radial_mean(np.square(np.abs(host)))[key.data] / 2 + level**2
    weights = np.tile(level / noise, 2)
    values = np.concatenate([host.real[key.data], host.imag[key.data]])
    direction = key.signs * code[key.bits]
    helping = np.bincount(key.bits, weights * values * direction, CODED_BITS)
    most = 2 * level * np.bincount(key.bits, weights, CODED_BITS)
    need = np.clip(_HELP * np.sqrt(np.square(helping).mean()) - helping, 0, most)
    lift = need / np.bincount(key.bits, weights**2, CODED_BITS)
    chips: NDArray[np.float32] = direction * (level + lift[key.bits] * weights)
    return chips
