"""Walking JSON that strangers wrote."""

from __future__ import annotations

import pytest

from guard.api.jsontree import deeper_than, leaves


class TestDeeperThan:
    @pytest.mark.parametrize(
        ("value", "levels", "answer"),
        [
            ("flat", 0, False),
            ({}, 0, False),
            ({"a": 1}, 0, True),
            ({"a": 1}, 1, False),
            ([[[]]], 2, False),
            ([[[0]]], 2, True),
            ({"a": [{"b": [1]}]}, 4, False),
            ({"a": [{"b": [1]}]}, 3, True),
        ],
    )
    def test_counts_what_is_inside_of_what(self, value: object, levels: int, answer: bool) -> None:
        assert deeper_than(value, levels) is answer

    def test_needs_no_stack(self) -> None:
        value: list[object] = []
        for _ in range(100_000):
            value = [value]
        assert deeper_than(value, 64)
        while value:
            value = value.pop()  # type: ignore[assignment]  # freed level by level, for the same reason


class TestLeaves:
    def test_come_in_order_with_their_paths(self) -> None:
        value = {"a": "1", "b": [{"c": "2"}, "3", 4, None, True], "d": {"e": {"f": "5"}}}
        assert [(leaf.path, leaf.text) for leaf in leaves(value)] == [
            (("a",), "1"),
            (("b", 0, "c"), "2"),
            (("b", 1), "3"),
            (("d", "e", "f"), "5"),
        ]

    def test_can_be_replaced_where_they_stand(self) -> None:
        value = {"a": ["x", {"b": "y"}]}
        for leaf in leaves(value):
            leaf.holder[leaf.key] = leaf.text.upper()
        assert value == {"a": ["X", {"b": "Y"}]}

    def test_go_by_their_index_where_they_have_one(self) -> None:
        pieces = [{"index": 2, "arguments": "{}"}, {"index": None, "arguments": "[]"}]
        assert [leaf.path for leaf in leaves(pieces)] == [(2, "arguments"), (1, "arguments")]

    def test_structure_is_not_text(self) -> None:
        call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
        assert [leaf.text for leaf in leaves(call)] == ["{}"]

    def test_what_counts_as_structure_can_be_said(self) -> None:
        assert [leaf.text for leaf in leaves({"name": "Ann", "role": "user"}, {"role"})] == ["Ann"]

    def test_a_lone_text_has_no_place_to_stand_in(self) -> None:
        assert list(leaves("text")) == []
