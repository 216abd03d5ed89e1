"""Ways to "trusted" without a key, replayed: bytes put where a signature does not look.

Each begins with a file that our own signer, who is trusted here, did sign; then someone without a key changes
it, in the room that padding leaves or in what the signer left out of the hash.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from guard.media import Artifact
from guard.provenance.apart import binding_in, sign_apart
from guard.provenance.binding import Binding, Hole
from guard.provenance.ingredients import Lineage
from guard.provenance.manifest import manifest_definition
from guard.provenance.padding import Padded
from guard.provenance.read import read
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.media import image, make
from tests.unit.provenance.test_read import Maker

MISMATCH = "assertion.dataHash.mismatch"
TIED_BY_PLACE = [
    *("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/jxl", "image/svg+xml"),
    *("audio/wav", "audio/mpeg", "audio/flac", "video/x-msvideo", "application/pdf"),
]


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes) -> bytes:
    """A segment of JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def hole_of(signed: Signed) -> Hole:
    binding = binding_in(signed.manifest)
    assert binding is not None
    return max(binding.holes, key=lambda hole: hole.length)


def filled(signed: Signed, content: bytes) -> Artifact:
    """The file with other content in the manifest's place."""
    hole, data = hole_of(signed), signed.artifact.data
    assert len(content) == hole.length
    return replace(signed.artifact, data=data[: hole.start] + content + data[hole.start + hole.length :])


def shrunk(signed: Signed) -> tuple[bytes, int]:
    """The manifest without its padding, which nobody signed, and the bytes that this frees."""
    small = Padded(signed.manifest).with_padding(0)
    return small, len(signed.manifest) - len(small)


class TestDetached:
    """A manifest that is given beside the file excludes the place where it was: anything may stand there."""

    @pytest.mark.parametrize("mime", TIED_BY_PLACE)
    def test_what_stands_where_the_manifest_was_is_not_vouched_for(
        self, mime: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(make(mime), claim(), signer)
        assert read(signed.artifact, trust=trust, manifest=signed.manifest).state == "trusted"
        found = read(filled(signed, b"A" * hole_of(signed).length), trust=trust, manifest=signed.manifest)
        assert (found.state, found.codes[0]) == ("invalid", MISMATCH)

    def test_neither_where_a_stranger_s_manifest_is_there(
        self, claim: Maker, signer: Signer, trust: Trust, make_signer: Callable[..., tuple[Signer, str]]
    ) -> None:
        signed = sign(make("audio/mpeg"), claim(), signer)
        stranger, _ = make_signer("EC")
        other = sign(make("audio/mpeg"), claim(), stranger)
        assert read(other.artifact, trust=trust, manifest=signed.manifest).state == "invalid"


class TestMoreExclusions:
    """A signer may leave more than the manifest out of the hash."""

    SIZE, AT = 6000, 33

    def signed(self, claim: Maker, signer: Signer, holes: Callable[[Hole, int], Iterable[Hole]]) -> Artifact:
        """A PNG whose signer left `holes` out, told where the manifest goes and how long the file gets."""
        whole = image("image/png").data
        manifest = Hole(self.AT, self.SIZE + 12)
        blank = whole[: self.AT] + bytes(manifest.length) + whole[self.AT :]
        chosen = sorted(holes(manifest, len(blank)), key=lambda hole: hole.start)
        edges = [0, *(edge for hole in chosen for edge in (hole.start, hole.start + hole.length)), len(blank)]
        parts = [blank[start:end] for start, end in list(pairwise(edges))[::2]]
        definition = manifest_definition(claim())
        store = Padded(sign_apart(definition, Binding.of(parts, *chosen), signer, Lineage().add_to))
        padded = next(s for n in range(self.SIZE) if len(s := store.with_padding(n)) == self.SIZE)
        data = whole[: self.AT] + chunk(b"caBX", padded) + whole[self.AT :]
        return replace(image("image/png"), data=data)

    def test_the_control(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        found = read(self.signed(claim, signer, lambda own, _: [own]), trust=trust)
        assert (found.state, found.warnings) == ("trusted", ())

    def test_content_left_out_is_warned_of_whether_it_changed_or_not(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        artifact = self.signed(claim, signer, lambda own, size: [own, Hole(size - 200, 150)])
        place = len(artifact.data) - 100
        bent = artifact.data[:place] + bytes([artifact.data[place] ^ 1]) + artifact.data[place + 1 :]
        for each in (artifact, replace(artifact, data=bent)):
            found = read(each, trust=trust)
            assert "assertion.dataHash.additionalExclusionsPresent" in found.codes
            assert f"150 bytes at {len(bent) - 200:,}" in found.warnings[0]
            assert "anyone may have changed" in found.warnings[0]

    @pytest.mark.parametrize(("before", "behind"), [(0, 1), (0, 100), (20, 0), (25, 300)])
    def test_one_that_is_wider_than_the_manifest_does_not_hold(
        self, before: int, behind: int, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        def wide(own: Hole, _: int) -> list[Hole]:
            return [Hole(own.start - before, own.length + before + behind)]

        found = read(self.signed(claim, signer, wide), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", MISMATCH)

    def test_what_tiff_needs_is_not_warned_of(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        found = read(sign(make("image/tiff"), claim(), signer).artifact, trust=trust)
        assert "assertion.dataHash.additionalExclusionsPresent" in found.codes
        assert found.warnings == ()


class TestSmuggled:
    """In the room that padding leaves, beside a smaller copy of the same signed manifest."""

    @pytest.mark.parametrize("marker", [0xEB, 0xE1, 0xFE], ids=["APP11", "XMP", "comment"])
    @pytest.mark.parametrize("first", [True, False], ids=["in front", "behind"])
    @pytest.mark.parametrize("kind", [b"smuggled", b"JP\0\2\0\0\0\1"], ids=["foreign", "JUMBF"])
    def test_another_segment_of_a_jpeg(
        self, marker: int, first: bool, kind: bytes, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(image(), claim(), signer)
        hole, (small, free) = hole_of(signed), shrunk(signed)
        head = signed.artifact.data[hole.start + 4 : hole.start + 12]
        own = segment(0xEB, head + small)
        other = segment(marker, kind + bytes(free - 4 - len(kind)))
        found = read(filled(signed, other + own if first else own + other), trust=trust)
        assert found.state in {"invalid", "unreadable"}

    @pytest.mark.parametrize("first", [True, False], ids=["in front", "behind"])
    def test_another_chunk_of_a_png(self, first: bool, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image("image/png"), claim(), signer)
        small, free = shrunk(signed)
        own, other = chunk(b"caBX", small), chunk(b"tEXt", b"Comment\0" + b"x" * (free - 20))
        found = read(filled(signed, other + own if first else own + other), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", MISMATCH)

    def test_another_chunk_of_a_wav(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(make("audio/wav"), claim(), signer)
        small = next(s for n in range(3) if len(s := Padded(signed.manifest).with_padding(n)) % 2 == 0)
        free = hole_of(signed).length - 16 - len(small)
        other = b"LIST" + struct.pack("<I", free) + b"x" * free
        found = read(filled(signed, b"C2PA" + struct.pack("<I", len(small)) + small + other), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", MISMATCH)

    @pytest.mark.parametrize(
        "markup",
        [
            b"</c2pa:manifest><script>alert(1)</script><c2pa:manifest>",
            b"<!--alert(1)-->",
            b"<script>alert(1)</script>",
            b"",
        ],
        ids=["element", "comment", "inside", "spaces"],
    )
    @pytest.mark.parametrize("beside", [True, False])
    def test_markup_in_an_svg(
        self, markup: bytes, beside: bool, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(make("image/svg+xml"), claim(), signer)
        store = Padded(signed.manifest)
        small = next(base64.b64encode(s) for n in range(4) if len(s := store.with_padding(n)) % 3 == 0)
        content = small + markup
        bent = filled(signed, content + b" " * (hole_of(signed).length - len(content)))
        for manifest in (signed.manifest if beside else None, b"".join([store.with_padding(0)])):
            found = read(bent, trust=trust, manifest=manifest)
            assert found.state in {"invalid", "unreadable"}
