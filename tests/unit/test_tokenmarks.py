"""Marks in the choice of words: what a key makes of them, checked against statistics."""

from __future__ import annotations

import random

import pytest

from guard.tokenmarks import Scheme, TokenMark

VOCABULARY = 1000

pytestmark = pytest.mark.heavy


def tokens(count: int, seed: int = 0) -> list[int]:
    return random.Random(seed).choices(range(VOCABULARY), k=count)


@pytest.mark.parametrize("scheme", Scheme)
class TestEveryScheme:
    def test_a_key_gives_one_configuration_and_another_key_another(self, scheme: Scheme) -> None:
        first, again, other = (TokenMark(scheme, key).config().to_dict() for key in (b"a", b"a", b"b"))
        assert first == again
        assert first != other

    def test_the_configuration_is_one_that_the_library_takes(self, scheme: Scheme) -> None:
        TokenMark(scheme, b"key").config().validate()

    def test_text_of_no_key_comes_out_as_chance_says(self, scheme: Scheme) -> None:
        tallies = [TokenMark(scheme, b"key").tally(tokens(200, seed), VOCABULARY) for seed in range(30)]
        share = sum(t.hits for t in tallies) / sum(t.draws for t in tallies)
        expected = tallies[0].winning / (tallies[0].population or 1)
        assert share == pytest.approx(expected, abs=0.03)

    def test_what_is_said_twice_counts_once(self, scheme: Scheme) -> None:
        mark, text = TokenMark(scheme, b"key"), tokens(100)
        once, often = mark.tally(text, VOCABULARY), mark.tally(text * 5, VOCABULARY)
        # Only the seams between the repetitions are new.
        assert often.draws - once.draws <= 4 * 12
        assert abs(often.hits - once.hits) <= 4 * 12

    @pytest.mark.parametrize("text", [[], [5], [5, 6]])
    def test_a_text_of_hardly_a_token_is_no_trouble(self, scheme: Scheme, text: list[int]) -> None:
        tally = TokenMark(scheme, b"key").tally(text, VOCABULARY)
        assert tally.draws <= 1
        assert tally.hits <= tally.draws


def test_synthid_draws_no_slot_of_its_table_twice() -> None:
    tally = TokenMark(Scheme.SYNTHID, b"key").tally(tokens(5000), VOCABULARY)
    # 60,000 pairs of n-gram and depth cannot all have a slot of their own among 65,536.
    assert tally.draws < 45_000
    assert tally.population == 65_536


def test_synthid_depths_are_independent_of_each_other() -> None:
    config = TokenMark(Scheme.SYNTHID, b"key").config()
    assert len(set(config.keys)) == len(config.keys)
    assert len({key % 65_536 for key in config.keys}) == len(config.keys)


def test_a_key_is_not_to_be_read_off_its_configuration() -> None:
    key = b"\x01\x02\x03\x04 secret"
    shown = str(TokenMark(Scheme.KGW, key).config().to_dict())
    assert str(int.from_bytes(key[:4])) not in shown
