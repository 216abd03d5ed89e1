"""A signature's padding may be of any length, and nothing that was signed changes with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guard.media import Artifact
from guard.provenance.claim import Claim
from guard.provenance.padding import Padded
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.media import make

Maker = Callable[..., Claim]


@pytest.fixture
def released(claim: Maker, signer: Signer) -> tuple[Artifact, bytes]:
    signed = sign(make("audio/ogg"), claim(), signer)
    return signed.artifact, signed.manifest


@pytest.mark.parametrize("first", [0, 1, 23, 24, 255, 256, 3_000])
@pytest.mark.parametrize("second", [None, 0, 24, 300])
def test_the_credential_holds_with_any_padding(
    released: tuple[Artifact, bytes], first: int, second: int | None, trust: Trust
) -> None:
    artifact, manifest = released
    padded = Padded(manifest).with_padding(first, second)
    assert read(artifact, trust=trust, manifest=padded).state == "trusted"
    assert Padded(padded).with_padding(0) == Padded(manifest).with_padding(0) or second is not None


def test_each_zero_adds_one_byte(released: tuple[Artifact, bytes]) -> None:
    padded = Padded(released[1])
    lengths = [len(padded.with_padding(count)) for count in range(24)]
    assert lengths == list(range(lengths[0], lengths[0] + 24))


def test_that_of_the_active_manifest_is_meant(claim: Maker, signer: Signer, trust: Trust) -> None:
    before = sign(make("audio/wav"), claim(title="before"), signer).artifact
    signed = sign(make("audio/ogg"), claim(), signer, ingredient=before)
    padded = Padded(signed.manifest).with_padding(7)
    found = read(signed.artifact, trust=trust, manifest=padded)
    assert found.state == "trusted"
    assert [each["state"] for each in found.ingredients] == ["trusted"]


@pytest.mark.parametrize(
    "store",
    [b"", b"\0" * 40, b"\0\0\0\x08jumb", b"\0\0\0\x10jumb\0\0\0\x08jumd", b"\0\0\xff\xffjumb" + bytes(60)],
)
def test_other_bytes_have_none(store: bytes) -> None:
    with pytest.raises(ValueError, match="no manifest store"):
        Padded(store)


def test_a_signature_without_padding_has_none(released: tuple[Artifact, bytes]) -> None:
    with pytest.raises(ValueError, match="no manifest store"):
        Padded(released[1].replace(b"\x63pad", b"\x63pud"))


def test_nor_has_one_whose_header_is_no_byte_string(released: tuple[Artifact, bytes]) -> None:
    manifest = released[1]
    place = manifest.rindex(b"\xd2\x84") + 2
    with pytest.raises(ValueError, match="no manifest store"):
        Padded(manifest[:place] + b"\xa0" + manifest[place + 1 :])
