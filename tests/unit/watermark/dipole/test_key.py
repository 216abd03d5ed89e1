from __future__ import annotations

import hashlib

import numpy as np
import pytest

from guard.watermark.base import Payload
from guard.watermark.dipole.key import DATA, SYNC, ident, secret
from guard.watermark.dipole.shape import BANDS, FULL, GROUPS, MODES, SHORT, Mode

from .conftest import KEY, PAYLOAD


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_symbols_spell_the_value(mode: Mode) -> None:
    one = secret(KEY, mode)
    value = ident(PAYLOAD, mode)
    symbols = one.symbols(value)
    assert symbols.shape == (mode.pairs, GROUPS)
    assert set(np.unique(symbols).tolist()) == {-1.0, 1.0}
    assert (symbols[:, SYNC] == 1).all()
    assert one.values(symbols[None]) == [value]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_the_mac_denies_what_another_key_wrote_and_noise(mode: Mode) -> None:
    one, other = secret(KEY, mode), secret(b"another", mode)
    foreign = other.symbols(ident(PAYLOAD, mode))
    noise = np.random.default_rng(0).normal(size=(3, mode.pairs, GROUPS)).astype(np.float32)
    assert one.values(np.concatenate([foreign[None], noise])) == [None] * 4


def test_half_of_the_symbols_suffice() -> None:
    one = secret(KEY, FULL)
    seen = one.symbols(PAYLOAD.value)
    seen[::2] = 0
    assert one.values(seen[None]) == [PAYLOAD.value]


def test_a_group_has_two_neighbouring_bands_of_opposite_signs() -> None:
    signs = secret(KEY, FULL).signs
    assert signs.shape == (BANDS, GROUPS)
    assert (signs.sum(axis=0) == 0).all()
    assert (abs(signs).sum(axis=0) == 2).all()
    assert (abs(signs).sum(axis=1) == 1).all()
    assert np.ptp(np.nonzero(signs.T)[1].reshape(GROUPS, 2), axis=1).max() < 8


def test_every_lattice_shift_occurs_once_in_a_group() -> None:
    turns = secret(KEY, SHORT).turns
    assert turns.shape == (SHORT.pairs, GROUPS)
    assert np.array_equal(np.sort(turns, axis=0)[:, 3] * SHORT.pairs, np.arange(SHORT.pairs))


def test_groups_are_for_finding_or_for_data() -> None:
    assert sorted([*SYNC, *DATA]) == list(range(GROUPS))


def test_modes_share_the_bands_and_keys_do_not() -> None:
    assert np.array_equal(secret(KEY, FULL).signs, secret(KEY, SHORT).signs)
    assert not np.array_equal(secret(KEY, FULL).signs, secret(b"another", FULL).signs)
    assert not np.array_equal(secret(KEY, FULL).turns, secret(b"another", FULL).turns)


def test_the_short_mode_carries_the_upper_half() -> None:
    assert ident(PAYLOAD, SHORT) == PAYLOAD.short_id
    assert ident(PAYLOAD, FULL) == PAYLOAD.value
    assert ident(Payload(0xFFFFFFFF), SHORT) == 0


def test_layouts_stay_what_they_are() -> None:
    """Marks that are out in the world read only while this does not change."""
    one = secret(KEY, FULL)
    parts = (one.signs, (one.turns * 48).round(), one.order, one.flips, one.symbols(PAYLOAD.value))
    whole = b"".join(part.astype("<i2").tobytes() for part in parts)
    assert hashlib.sha256(whole).hexdigest()[:16] == "7557212bafa607f7"
