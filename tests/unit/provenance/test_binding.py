"""The hash that ties a manifest to a file."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from guard.provenance.binding import Binding, Hole

DIGEST = hashlib.sha384(b"hill").digest()


def _manifest(**changes: Any) -> dict[str, Any]:
    data = {
        "hash": f"b64'{base64.b64encode(DIGEST).decode()}'",
        "alg": "sha384",
        "exclusions": [{"start": 4, "length": 9}],
    }
    stated = {name: value for name, value in (data | changes).items() if value is not None}
    return {"assertions": {"c2pa.hash.data": stated}, "claim.v2": {"alg": "sha256"}}


def test_it_hashes_what_is_outside_the_holes() -> None:
    binding = Binding.of([b"hi", b"ll"], Hole(4, 9))
    assert binding.fits([b"hill"])
    assert not binding.fits([b"hull"])
    assert binding.assertion["data"]["exclusions"] == [{"start": 4, "length": 9}]
    assert bytes(binding.assertion["data"]["hash"]) == hashlib.sha256(b"hill").digest()


def test_it_is_read_as_it_was_stated() -> None:
    assert Binding.stated(_manifest()) == Binding("sha384", DIGEST, (Hole(4, 9),))
    assert Binding.stated(_manifest(exclusions=None)) == Binding("sha384", DIGEST, ())
    whole = Binding.stated(_manifest(alg=None))
    assert whole is not None
    assert whole.algorithm == "sha256"  # the claim's, where the assertion names none


@pytest.mark.parametrize(
    "changes",
    [{"hash": None}, {"hash": 7}, {"hash": "b64'%%%'"}, {"exclusions": [{"start": 1}]}, {"exclusions": 5}],
)
def test_a_bad_statement_is_none(changes: dict[str, Any]) -> None:
    assert Binding.stated(_manifest(**changes)) is None


@pytest.mark.parametrize(
    "manifest", [None, {}, [], {"assertions": {}}, {"assertions": {"c2pa.hash.data": 1}}]
)
def test_so_is_what_has_no_statement(manifest: object) -> None:
    assert Binding.stated(manifest) is None


def test_a_weak_hash_fits_nothing() -> None:
    assert not Binding("md5", hashlib.md5(b"x", usedforsecurity=False).digest(), ()).fits([b"x"])
