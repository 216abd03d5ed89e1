"""CBOR as far as signatures use it; whatever else comes is refused and does no harm."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.provenance.cbor import decode


@pytest.mark.parametrize(
    ("encoded", "item"),
    [
        ("00", 0),
        ("1818", 24),
        ("1b000000e8d4a51000", 1000000000000),
        ("3863", -100),
        ("4401020304", b"\1\2\3\4"),
        ("6161", "a"),
        ("83010203", [1, 2, 3]),
        ("a201020304", {1: 2, 3: 4}),
        ("d28441a0a0f640", [b"\xa0", {}, None, b""]),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("a118218140", {33: [b""]}),
    ],
)
def test_items_of_the_standard(encoded: str, item: Any) -> None:
    assert decode(bytes.fromhex(encoded)) == item


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "18",
        "5b7fffffffffffffff00",
        "9b7fffffffffffffff",
        "5fff",
        "9fff",
        "81" * 99,
        "a18000",
        "62ffff",
        "1c",
        "a101",
    ],
)
def test_what_is_none_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(bytes.fromhex(encoded))


@given(st.binary(max_size=60))
def test_any_bytes_end_in_an_item_or_a_refusal(data: bytes) -> None:
    with suppress(ValueError):
        decode(data)
