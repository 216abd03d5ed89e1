"""Parts of MP4 that no signature covers are named, wherever something is kept there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.media import Artifact, Modality
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, Trust
from guard.provenance.unhashed import unhashed_warnings
from tests.unit.provenance.media import make
from tests.unit.provenance.test_read import Maker

FTYP = b"\0\0\0\x14ftypisom\0\0\0\0isom"
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.mark.parametrize(
    ("added", "named"),
    [
        (box(b"free", b"a message"), ["a “free” box that is not empty (17 bytes at 20)"]),
        (box(b"skip", b"\0\0x"), ["a “skip” box that is not empty"]),
        (box(b"uuid", XMP + b"<x/>"), ["the XMP metadata of the file (28 bytes at 20), which anyone"]),
        (box(b"uuid", bytes(16) + b"any"), ["a “uuid” box (27 bytes at 20), which anyone"]),
        (box(b"mfra", b"index"), ["the “mfra” box"]),
        (box(b"ftyp", bytes(5000)), ["an “ftyp” box of unusual size"]),
        (box(b"free", b"") + box(b"free", bytes(9)), []),
        (box(b"mdat", b"media"), []),
        (b"\0\0\0\1free" + (25).to_bytes(8, "big") + b"a message", ["a “free” box"]),
        (b"\0\0\0\0free" + b"to the end", ["a “free” box"]),
        (b"\0\0\0\3free", []),
        (b"\0\0\1\0free" + b"cut short", []),
    ],
)
def test_each_part_is_named_with_its_size(added: bytes, named: list[str]) -> None:
    found = unhashed_warnings(FTYP + added)
    assert len(found) == len(named)
    assert all(part in sentence for part, sentence in zip(named, found, strict=True))


def test_many_are_counted_and_not_all_listed() -> None:
    found = unhashed_warnings(FTYP + box(b"free", b"x") * 50_000)
    assert len(found) == 9
    assert "more such parts" in found[-1]


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer(data: bytes) -> None:
    assert isinstance(unhashed_warnings(FTYP + data), tuple)
    assert unhashed_warnings(data[:4] + b"RIFF" + data) == ()


def test_what_is_written_there_after_signing_stays_trusted_and_is_named(
    claim: Maker, signer: Signer, trust: Trust
) -> None:
    signed = sign(make("video/mp4"), claim(), signer).artifact
    assert read(signed, trust=trust).warnings == ()
    changed = Artifact(Modality.VIDEO, "video/mp4", signed.data + box(b"free", b"not by the signer"))
    found = read(changed, trust=trust)
    assert found.state == "trusted"
    assert found.warnings == (
        f"The signature does not cover a “free” box that is not empty (25 bytes at {len(signed.data):,}).",
    )


def test_a_published_film(shared_data: Path) -> None:
    data = (shared_data / "c2pa/rs__video1.mp4").read_bytes()
    xmp, free = read(Artifact(Modality.VIDEO, "video/mp4", data), trust=NOBODY).warnings
    assert "XMP metadata of the file (4,562 bytes" in xmp
    assert "“free” box that is not empty (54,188 bytes" in free
