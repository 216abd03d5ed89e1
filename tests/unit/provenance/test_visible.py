"""What is left of a text when its manifest is gone, whole or damaged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guard.provenance.manifest import Claim
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from guard.provenance.visible import normalised, visible_text, without_manifest
from tests.unit.provenance.media import text

LINES = "Cafe\u0301, ☀\ufe0f and ☀.\n"
SEEN = "Café, ☀\ufe0f and ☀."


@pytest.fixture
def signed(claim: Callable[..., Claim], signer: Signer) -> str:
    return sign(text(LINES), claim(), signer).artifact.data.decode()


def test_a_signed_text_is_known_by_what_is_seen(signed: str) -> None:
    assert visible_text(signed) == visible_text(LINES) == visible_text(LINES + " \n\n") == SEEN


@pytest.mark.parametrize("kept", [len(LINES) + 12, len(LINES) + 40, -1, -900])
def test_so_is_one_whose_manifest_was_cut(signed: str, kept: int) -> None:
    assert visible_text(signed[:kept]) == SEEN


def test_a_bent_manifest_is_taken_away_whole(signed: str) -> None:
    place = len(LINES) + 12
    bent = signed[:place] + "\U000e01ef" * 3 + signed[place + 3 :]
    assert without_manifest(bent).rstrip() == SEEN


@pytest.mark.parametrize("content", ["", "plain", "\ufeffwith a byte order mark", "☀\ufe0f", "\ufeff☀\ufe0f"])
def test_other_invisible_characters_stay(content: str) -> None:
    assert without_manifest(content) == content


def test_a_manifest_kept_apart_replaces_a_damaged_one(
    signed: str, claim: Callable[..., Claim], signer: Signer, trust: Trust
) -> None:
    manifest = sign(text(LINES), claim(), signer).manifest
    assert read(text(signed[:-50]), trust=trust, manifest=manifest).state == "trusted"


def test_endless_accents_are_left_as_they_are() -> None:
    # Sorting them would take quadratic time: minutes for this line.
    hostile = "a" + "\u0315\u0300" * 100_000
    assert normalised(hostile) == hostile
    assert normalised("e\u0301" * 1_000) == "é" * 1_000
