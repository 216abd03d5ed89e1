"""Receipts, read back by whoever holds one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509

from guard.errors import InputError
from guard.ledger.log.anchor import check_anchor
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.inclusion import Inclusion
from tests.unit.ledger.conftest import SIGNER, Logged
from tests.unit.ledger.test_store import entry


def test_a_receipt_survives_json(logged: Logged) -> None:
    logged.ledger.record([entry(n) for n in range(1, 6)])
    receipt = logged.ledger.receipt(entry(3).id)
    assert receipt is not None
    again = Inclusion.from_json(receipt.as_json())
    assert again == receipt.inclusion
    assert again.check([SIGNER.verifier]).size == 5
    assert again.facts()["at"] == receipt.recorded_at
    assert datetime.fromisoformat(again.facts()["at"]).tzinfo is UTC


@pytest.mark.parametrize("leaf", ["", "[]", "{", "nothing"])
def test_a_leaf_has_to_be_an_object(leaf: str) -> None:
    with pytest.raises(InputError, match="leaf is no JSON"):
        Inclusion(leaf, 0, 1, (), "").facts()


def test_a_receipt_without_proof_is_not_whole() -> None:
    with pytest.raises(InputError, match="not whole"):
        Inclusion.from_json({"release_id": "f" * 16, "index": 1, "recorded_at": "2026"})


@pytest.mark.parametrize("token", [b"junk", b"\x30\x03\x02\x01\x00" * 60])
def test_what_is_no_time_stamp_cannot_be_read(token: bytes) -> None:
    roots: list[x509.Certificate] = []
    with pytest.raises(InputError, match="cannot be read"):
        check_anchor(Checkpoint("example.com/log", 1, bytes(32)), token, roots)
