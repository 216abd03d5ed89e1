"""The boxes of a manifest store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.provenance.jumbf import active_label, active_manifest


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def named(name: bytes, *content: bytes) -> bytes:
    return box(b"jumb", box(b"jumd", bytes(16) + b"\x03" + name + b"\0") + b"".join(content))


OLD, NEW = named(b"urn:c2pa:old", box(b"cbor", b"1")), named(b"urn:c2pa:new", box(b"cbor", b"22"))
STORE = named(b"c2pa", OLD, NEW)


def test_the_last_manifest_is_the_active_one() -> None:
    assert active_label(STORE) == "urn:c2pa:new"
    assert active_manifest(STORE) == named(b"c2pa", NEW)
    assert active_manifest(active_manifest(STORE)) == active_manifest(STORE)


@pytest.mark.parametrize(
    "spoiled",
    [
        b"",
        b"\0" * 8,
        STORE[:-1],
        STORE + b"\0",
        STORE + STORE,
        named(b"c2pb", OLD),
        named(b"c2pa"),
        named(b"c2pa", box(b"cbor", b"")),
        box(b"free", STORE[8:]),
        STORE[:4] + b"jumb" + b"\0\0\0\1" + STORE[12:],
    ],
)
@pytest.mark.parametrize("ask", [active_label, active_manifest])
def test_what_is_no_store(spoiled: bytes, ask: Callable[[bytes], object]) -> None:
    with pytest.raises(ValueError, match=r"store|box"):
        ask(spoiled)


@pytest.mark.parametrize("name", ["urn:ä", "urn:\n", "urn:\x1b[31m"])
def test_a_name_is_fit_to_be_shown(name: str) -> None:
    with pytest.raises(ValueError, match="label"):
        active_label(named(b"c2pa", named(name.encode())))


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda noise: STORE[:60] + noise + STORE[60:]))
def test_noise_gives_a_name_or_an_error(noise: bytes) -> None:
    with suppress(ValueError):
        assert active_label(noise).isprintable()
