"""The code that spells marks: convolutional, tail-biting, of rate 1/4, read by a Viterbi search."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "Bits", "Soft", "convolve", "search"]

Bits: TypeAlias = NDArray[np.uint8]
Soft: TypeAlias = NDArray[np.float32]

RATE = 4
_MEMORY = 10
_STATES = 1 << _MEMORY
# Constraint length 11, maximal free distance (Proakis, Digital Communications, chapter 8).
_GENERATORS = np.array([0o2327, 0o2353, 0o2671, 0o3175])
# A tail-biting path needs a run-up until its survivors agree; 48 bits on either side are plenty.
_RUN_UP = 48

_PARITY = np.bitwise_count(np.arange(2 * _STATES) & _GENERATORS[:, None]) & 1
_SIGNS = _PARITY.astype(np.float32) * 2 - 1


def convolve(bits: Bits) -> Soft:
    """The 4n coded bits, as ±1, of n bits."""
    registers = np.zeros(len(bits), np.int64)
    for delay in range(_MEMORY + 1):
        registers |= np.roll(bits, delay).astype(np.int64) << (_MEMORY - delay)
    return np.ascontiguousarray(_SIGNS[:, registers].T).reshape(-1)


def search(soft: Soft) -> Bits:
    """The bits (n, b) of the best paths through soft bits (n, 4b).

    A register is the newest bit above the ten before it, so states 2j and 2j+1 lead to state j under bit 0
    and to state 512+j under bit 1: every step is one addition, one comparison and one maximum.
    """
    n, bits = len(soft), soft.shape[1] // RATE
    turns = np.arange(-_RUN_UP, bits + _RUN_UP) % bits
    branches = soft.reshape(n, bits, RATE) @ _SIGNS
    branches = np.ascontiguousarray(branches.transpose(1, 0, 2)).reshape(bits, n, 2, _STATES)
    metric = np.zeros((n, 1, _STATES), np.float32)
    paths = np.empty((n, 2, _STATES), np.float32)
    odd = np.empty((len(turns), n, 2, _STATES // 2), np.bool_)
    for step, position in enumerate(turns):
        np.add(metric, branches[position], out=paths)
        np.greater(paths[..., 1::2], paths[..., 0::2], out=odd[step])
        metric = np.maximum(paths[..., 1::2], paths[..., 0::2]).reshape(n, 1, _STATES)
    return _trace(odd.reshape(len(turns), n, _STATES), metric.reshape(n, _STATES).argmax(axis=1), bits)


def _trace(odd: NDArray[np.bool_], state: NDArray[np.intp], bits: int) -> Bits:
    """Walk back from the final states and keep the turn between the run-ups."""
    rows = np.arange(len(state))
    path = np.empty((len(odd), len(state)), np.uint8)
    for step in range(len(odd) - 1, -1, -1):
        path[step] = state >> (_MEMORY - 1)
        state = (state & (_STATES // 2 - 1)) << 1 | odd[step, rows, state]
    return np.ascontiguousarray(path[_RUN_UP : _RUN_UP + bits].T)
