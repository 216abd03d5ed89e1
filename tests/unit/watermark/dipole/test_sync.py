from __future__ import annotations

import math

import numpy as np
import pytest

from guard.watermark.dipole.cells import Cells
from guard.watermark.dipole.key import SYNC, secret
from guard.watermark.dipole.shape import BANDS, FULL, GROUPS, PAIR_FRAMES, STEP
from guard.watermark.dipole.sync import Folds, Template, agreement, dipoles, fold, soft, tail

from .conftest import KEY, PAYLOAD

SECRET = secret(KEY, FULL)
SYMBOLS = SECRET.symbols(PAYLOAD.value)


def folds(offset: int, shift: int, noise: float = 0.0) -> Folds:
    """What marked sound folds to, if its first pair starts at `offset` and is the mark's pair `shift`."""
    rng = np.random.default_rng(3)
    shape = (PAIR_FRAMES, FULL.pairs, GROUPS)
    seen = noise * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    seen[offset] += np.roll(SYMBOLS * np.exp(2j * np.pi * SECRET.turns), -shift, axis=0)
    return seen.astype(np.complex64)


@pytest.mark.parametrize("template", [Template.sync(SECRET), Template.known(SECRET, PAYLOAD.value)])
def test_the_grid_is_found(template: Template) -> None:
    best = template.best(folds(7, 31, 0.4), 3)
    assert (best[0].offset, best[0].shift) == (7, 31)
    assert [fit.score for fit in best] == sorted((fit.score for fit in best), reverse=True)
    assert best[0].score > 8
    assert best[1].score < 6


def test_known_symbols_score_higher_than_the_sync_groups_alone() -> None:
    seen = folds(0, 0, 0.5)
    known = Template.known(SECRET, PAYLOAD.value).best(seen, 1)[0].score
    assert known > 1.5 * Template.sync(SECRET).best(seen, 1)[0].score


def test_silence_loops_and_constants_do_not_score() -> None:
    template = Template.sync(SECRET)
    for value in (0, 1, 1j):
        assert abs(template.scores(np.full((20, 48, len(SYNC)), value, np.complex64))).max() < 1e-3


def test_soft_symbols_are_the_symbols() -> None:
    seen = folds(3, 40, 0.05)
    words = soft(seen, Template.sync(SECRET).best(seen, 1), SECRET)
    assert words.shape == (1, 48, GROUPS)
    assert np.array_equal(np.sign(words[0]), SYMBOLS)
    assert SECRET.values(words) == [PAYLOAD.value]


def test_groups_without_order_count_for_less() -> None:
    seen = folds(0, 0)
    seen[0, :, 5] = np.exp(2j * np.pi * np.random.default_rng(0).random(48))
    words = abs(soft(seen, Template.sync(SECRET).best(seen, 1), SECRET)[0])
    assert words[:, 5].mean() < 0.5 * words[:, 6].mean()


def test_agreement_is_in_deviations_of_random_signs() -> None:
    rng = np.random.default_rng(0)
    seen = abs(rng.normal(size=(4, 100))).astype(np.float32)
    random = [agreement(seen, rng.choice([-1, 1], (4, 100))) for _ in range(400)]
    assert np.std(random) == pytest.approx(1, abs=0.1)
    assert agreement(seen, np.ones((4, 100), np.float32)) > 10


def test_folding_adds_up_what_lies_a_turn_apart() -> None:
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(2 * 20 * 48, 2)).astype(np.complex64)
    assert np.allclose(fold(seen, 48)[4, 7], seen[7 * 20 + 4] + seen[(48 + 7) * 20 + 4], atol=1e-6)
    assert fold(seen[:30], 48).shape == (20, 48, 2)
    assert not fold(seen[:30], 48)[:, 3:].any()


def test_folding_follows_the_tempo() -> None:
    marks = np.zeros((2000, 1), np.complex64)
    marks[np.rint(np.arange(90) * PAIR_FRAMES / 0.95).astype(int)] = 1
    slow = fold(marks, 30, 0.95)
    assert len(slow) == math.ceil(PAIR_FRAMES / 0.95)
    assert (slow[0] == 3).all()


def test_dipoles_turn_once_a_step_and_are_as_long_as_their_trust() -> None:
    level = np.zeros((40, BANDS), np.float32)
    band = int(SECRET.signs[:, 0].argmax())
    level[:10, band] = STEP / 4
    response = np.full((40, BANDS), 0.25, np.float32)
    seen = dipoles(Cells(level, response), SECRET.signs)
    assert seen.shape == (30, GROUPS)
    assert seen[0, 0] == pytest.approx(0.5j, abs=1e-5)
    assert seen[0, 1] == pytest.approx(0.5, abs=1e-5)
    assert seen[15] == pytest.approx(0.5, abs=1e-5)


def test_the_tail_bounds_the_best_of_many() -> None:
    assert tail(0, 0) == 1
    assert tail(5, 100) == 1
    assert tail(-9, 0) == 1
    assert tail(8, math.log(1000)) == pytest.approx(1000 * math.exp(-32))
    rng = np.random.default_rng(2)
    phases = np.exp(2j * np.pi * rng.random((200, 500, 60))).real
    best = (phases.sum(axis=2) / np.sqrt(30)).max(axis=1)
    for level in (0.1, 0.5):
        assert np.mean([tail(score, math.log(500)) <= level for score in best]) <= level + 0.05
