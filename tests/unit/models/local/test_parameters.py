from __future__ import annotations

from typing import Any

import pytest

from guard.errors import InputError
from models.local.parameters import integer, number, only, seed_or_random, size, strings


def test_known_parameters_pass_and_others_are_named() -> None:
    only({"a": 1}, ["a", "b"])
    with pytest.raises(InputError, match=r"no parameter x, y\. It has a, b") as caught:
        only({"y": 1, "a": 1, "x": 1}, ["b", "a"])
    assert "x, y" in caught.value.message


@pytest.mark.parametrize("value", [0, 1, 0.5, 2.0])
def test_numbers_in_range(value: float) -> None:
    assert number({"t": value}, "t", 1.0, 0.0, 2.0) == value
    assert number({}, "t", 1.0, 0.0, 2.0) == 1.0


@pytest.mark.parametrize("value", [-0.1, 2.1, float("nan"), float("inf"), "1", None, True, [1]])
def test_numbers_out_of_range(value: Any) -> None:
    with pytest.raises(InputError, match="t must be a number from 0 to 2"):
        number({"t": value}, "t", 1.0, 0.0, 2.0)


def test_whole_numbers_in_range() -> None:
    assert integer({"n": 3}, "n", 1, 1, 3) == 3
    assert integer({}, "n", 2, 1, 3) == 2


@pytest.mark.parametrize("value", [0, 4, 1.0, "2", None, False])
def test_whole_numbers_out_of_range(value: Any) -> None:
    with pytest.raises(InputError, match="n must be a whole number from 1 to 3"):
        integer({"n": value}, "n", 1, 1, 3)


@pytest.mark.parametrize(
    ("value", "found"), [("a", ["a"]), (["a", "b"], ["a", "b"]), (None, []), ([], []), ("", [])]
)
def test_one_text_or_many(value: Any, found: list[str]) -> None:
    assert strings({"stop": value}, "stop") == found


@pytest.mark.parametrize("value", [7, ["a", ""], ["a", 1], {"a": 1}])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(InputError, match="stop must be"):
        strings({"stop": value}, "stop")


def test_a_size_is_width_by_height() -> None:
    assert size("512x384") == (512, 384)


@pytest.mark.parametrize(
    "value", ["512", "x", "512x", "-1x2", "1x2x3", "auto", "512 x 384", "9999999x1", "٣x٣", 512]
)
def test_what_is_no_size(value: Any) -> None:
    with pytest.raises(InputError, match="WIDTHxHEIGHT"):
        size(value)


def test_seeds_fit_torch_and_none_is_random() -> None:
    assert seed_or_random(7) == 7
    assert 0 <= seed_or_random(-1) < 1 << 63
    assert 0 <= seed_or_random(1 << 80) < 1 << 63
    assert seed_or_random(None) != seed_or_random(None)
