from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.upstream.sse import Event, events


def parse(*chunks: bytes) -> list[Event]:
    async def feed() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def collect() -> list[Event]:
        return [event async for event in events(feed())]

    return asyncio.run(collect())


def data(*chunks: bytes) -> list[str]:
    return [event.data for event in parse(*chunks)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]),
        (b"data: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: first\ndata: second\ndata:third\n\n", ["first\nsecond\nthird"]),
        (b"data\n\n", [""]),
        (b"data:\n\n", [""]),
        (b"data:  two spaces\n\n", [" two spaces"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b": keep-alive\n\n:\n\ndata: x\n\n", ["x"]),
        (b"id: 7\nretry: 10\nunknown: y\ndata: x\n\n", ["x"]),
        (b"event: ping\n\ndata: x\n\n", ["x"]),
        (b"\xef\xbb\xbfdata: x\n\n", ["x"]),
        (b"data: x\n\ndata: no blank line\n", ["x", "no blank line"]),
        (b"data: x\n\ndata: no line end", ["x", "no line end"]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_lines_become_events(stream: bytes, expected: list[str]) -> None:
    assert data(stream) == expected


def test_an_event_has_the_type_it_was_given_and_the_next_has_not() -> None:
    assert parse(b"event: error\ndata: x\n\ndata: y\n\n") == [Event("error", "x"), Event("message", "y")]


def test_a_type_without_data_does_not_stick_to_the_next_event() -> None:
    assert parse(b"event: ping\n\ndata: y\n\n") == [Event("message", "y")]


def test_a_second_byte_order_mark_is_data() -> None:
    assert data(b"data: x\n\n", b"\xef\xbb\xbfdata: y\n\n") == ["x"]


def test_bytes_that_are_not_utf8_are_an_error_not_a_guess() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse(b"data: \xff\n\n")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_single_cut_gives_the_same_events(end: bytes) -> None:
    stream = "data: größer 😀\n: note\ndata: zwei\n\nevent: e\ndata: 三\n\n".encode().replace(b"\n", end)
    expected = [Event("message", "größer 😀\nzwei"), Event("e", "三")]
    for cut in range(len(stream) + 1):
        assert parse(stream[:cut], stream[cut:]) == expected
    assert parse(*(bytes([byte]) for byte in stream)) == expected
    assert parse(*(piece for byte in stream for piece in (bytes([byte]), b""))) == expected


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=5),
    cuts=st.lists(st.integers(0, 400), max_size=20),
)
def test_what_is_written_is_read_back(texts: list[str], cuts: list[int]) -> None:
    stream = "".join(f"data: {text}\r\n\r\n" for text in texts).encode()
    assert data(*pieces(stream, sorted(cuts))) == texts


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = [0, *cuts, len(stream)]
    return [stream[a:b] for a, b in pairwise(bounds)] + [stream[max(bounds) :]]
