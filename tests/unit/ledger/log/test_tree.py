"""The tree in the tables: appended to by every record, proved from what is kept, refused to be changed."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from guard.errors import ConfigurationError, InputError, LedgerError
from guard.ledger import Ledger, Status
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.merkle import check_consistency, check_inclusion, leaf_hash
from guard.ledger.log.note import COSIGNATURE, Note, VerifierKey, cosign
from tests.unit.ledger.conftest import SIGNER, Logged
from tests.unit.ledger.log import reference
from tests.unit.ledger.log.test_note import TestCosignatures
from tests.unit.ledger.test_store import entry

BIG = 256 * 2 + 100
"""Two whole tiles and a part of one."""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory):
    made = Logged(f"sqlite:///{tmp_path_factory.mktemp('big') / 'ledger.db'}")
    for first in range(1, BIG, 90):
        made.ledger.record([entry(n) for n in range(first, min(first + 90, BIG + 1))])
    yield made.ledger
    made.ledger.close()


def texts(ledger: Ledger) -> list[bytes]:
    with ledger.engine.connect() as connection:
        rows = connection.execute(text('SELECT leaf FROM log_leaves ORDER BY "index"'))
        return [row.leaf.encode() for row in rows]


def test_each_record_comes_with_its_proof(logged: Logged) -> None:
    for count in (1, 3, 2):
        first = 100 * count
        receipts = logged.ledger.record([entry(first + n) for n in range(count)])
        for receipt in receipts:
            assert receipt.inclusion is not None
            checkpoint = receipt.inclusion.check(logged.keys)
            assert checkpoint.size == receipt.inclusion.size == len(texts(logged.ledger))
            assert checkpoint.root == reference.root(texts(logged.ledger))
            assert receipt.inclusion.facts()["id"] == receipt.release_id
            assert logged.ledger.receipt(receipt.release_id) == receipt


def test_no_record_is_no_leaf(logged: Logged) -> None:
    assert logged.ledger.record([]) == []
    assert logged.ledger.log.size() == 0


def test_a_stream_has_a_leaf_for_its_beginning_and_one_for_its_end(logged: Logged) -> None:
    logged.ledger.record([entry(1, status=Status.STREAMING)])
    logged.ledger.record([entry(2)])
    (receipt,) = logged.ledger.record([entry(1)])
    assert receipt.inclusion is not None
    assert receipt.inclusion.index == 2
    states = [json.loads(leaf)["status"] for leaf in texts(logged.ledger)]
    assert states == ["streaming", "released", "released"]
    assert logged.ledger.receipt(entry(1).id) == receipt


def test_the_leaf_holds_nothing_personal(logged: Logged) -> None:
    secret = hashlib.sha256(b"a prompt").hexdigest()
    finding = {"signal": "insult", "spans": [{"text": "a rude word"}]}
    logged.ledger.record([entry(1, caller="alice", prompt_sha256=secret, findings=[finding])])
    (leaf,) = texts(logged.ledger)
    for word in (b"alice", secret.encode(), b"rude", b"insult"):
        assert word not in leaf
    again = logged.ledger.record([entry(2, caller="alice", prompt_sha256=secret, findings=[finding])])
    assert again[0].inclusion is not None
    facts, other = json.loads(leaf), again[0].inclusion.facts()
    assert all(facts[name] != other[name] for name in ("caller", "prompt_sha256", "findings"))


def test_every_leaf_of_a_tree_of_many_tiles_is_proved(big: Ledger) -> None:
    root = reference.root(texts(big))
    for index in (0, 1, 89, 90, 255, 256, 511, 512, BIG - 1):
        proved = big.log.inclusion(index)
        checkpoint = proved.check([SIGNER.verifier])
        proof = [bytes(each) for each in proved.proof]
        check_inclusion(leaf_hash(proved.leaf.encode()), index, checkpoint.size, proof, checkpoint.root)
    assert Checkpoint.parse(Note.parse(big.log.checkpoint()).text).root == root


def test_it_continues_each_of_its_pasts(big: Ledger) -> None:
    leaves = texts(big)
    for old, new in ((1, 2), (90, 91), (255, 257), (256, BIG), (511, 512), (300, BIG), (BIG, BIG)):
        proof = big.log.consistency(old, new)
        check_consistency(old, new, proof, reference.root(leaves[:old]), reference.root(leaves[:new]))
    assert big.log.consistency(0, 7) == ()


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5), (5, BIG + 1)])
def test_sizes_that_it_never_had_have_no_proof(big: Ledger, old: int, new: int) -> None:
    with pytest.raises(InputError, match="no consistency proof"):
        big.log.consistency(old, new)


def test_tiles_hold_the_hashes_of_leaves_and_of_whole_tiles(big: Ledger) -> None:
    leaves = texts(big)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert big.log.tile(0, 1, 256) == b"".join(hashes[256:512])
    assert big.log.tile(0, 2, 100) == b"".join(hashes[512:])
    assert big.log.tile(1, 0, 2) == reference.root(leaves[:256]) + reference.root(leaves[256:512])
    assert [leaf.encode() for leaf in big.log.leaves(2, 100)] == leaves[512:]
    for ask in (
        lambda: big.log.tile(0, 2, 101),
        lambda: big.log.tile(1, 0, 3),
        lambda: big.log.leaves(2, 101),
    ):
        with pytest.raises(InputError):
            ask()


def test_a_leaf_that_is_not_there_has_no_proof(logged: Logged) -> None:
    with pytest.raises(LedgerError, match="no leaf"):
        logged.ledger.log.inclusion(0)


def test_a_proof_over_missing_leaves_says_so(logged: Logged) -> None:
    logged.ledger.record([entry(n) for n in range(1, 9)])
    logged.tamper('DELETE FROM log_leaves WHERE "index" = 6')
    with pytest.raises(LedgerError, match="missing"):
        logged.ledger.log.inclusion(0)


TABLES = {"log_leaves": "leaf", "log_nodes": "hash", "log_checkpoints": "note", "log_attestations": "name"}


def test_rows_of_the_log_can_only_be_added(logged: Logged) -> None:
    logged.ledger.record([entry(n) for n in range(1, 300)])
    signed = Note.parse(logged.ledger.log.checkpoint())
    line = cosign(signed, TestCosignatures.WITNESS.name, TestCosignatures.SECRET)
    logged.ledger.log.attach(str(Note(signed.text, (*signed.signatures, line))), [TestCosignatures.WITNESS])
    for table, column in TABLES.items():
        for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="append-only"), logged.ledger.engine.begin() as connection:
                connection.execute(text(act))


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_the_log_cannot_be_emptied_at_once(logged: Logged) -> None:
    with pytest.raises(DBAPIError, match="append-only"), logged.ledger.engine.begin() as connection:
        connection.execute(text("TRUNCATE log_leaves"))


def test_nothing_of_a_record_that_failed_is_in_the_log(logged: Logged) -> None:
    logged.ledger.record([entry(1)])
    with pytest.raises(LedgerError):
        logged.ledger.record([entry(2), entry(1)])
    assert logged.ledger.log.size() == 1


@pytest.mark.parametrize("damage", [{"model": "half \ud800"}, {"findings": [{"score": float("nan")}]}])
def test_what_cannot_be_written_down_fails_alone(logged: Logged, damage: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match="could not be recorded"):
        logged.ledger.record([entry(1, **damage)])
    assert logged.ledger.log.size() == 0


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_leaf_has_to_fit_a_bundle(logged: Logged) -> None:
    with pytest.raises(LedgerError, match="too long"):
        logged.ledger.record([entry(1, model="m" * 70_000)])


def test_threads_build_one_tree(logged: Logged) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 15):
            (receipt,) = logged.ledger.record([entry(number)])
            assert receipt.inclusion is not None
            receipt.inclusion.check(logged.keys)

    threads = [threading.Thread(target=work, args=(100 * n + 1,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checkpoint = Checkpoint.opened(logged.ledger.log.checkpoint(), logged.keys)
    assert checkpoint.size == 90
    assert checkpoint.root == reference.root(texts(logged.ledger))


def test_an_empty_log_has_a_checkpoint_too(logged: Logged) -> None:
    checkpoint = Checkpoint.opened(logged.ledger.log.checkpoint(), logged.keys)
    assert (checkpoint.size, checkpoint.root) == (0, hashlib.sha256().digest())


def test_a_log_without_a_key_proves_but_does_not_sign(ledger_url: str) -> None:
    ledger = Ledger.open(ledger_url)
    (receipt,) = ledger.record([entry(1)])
    assert receipt.as_json()["checkpoint"] is None
    with pytest.raises(ConfigurationError, match="no key"):
        ledger.log.checkpoint()
    ledger.close()


class TestCosignaturesAreKept:
    WITNESS, SECRET = TestCosignatures.WITNESS, TestCosignatures.SECRET

    def cosigned(self, logged: Logged, at: int | None = None) -> str:
        signed = Note.parse(logged.ledger.log.checkpoint())
        return str(
            Note(signed.text, (*signed.signatures, cosign(signed, self.WITNESS.name, self.SECRET, at)))
        )

    def test_and_shown_with_the_checkpoint(self, logged: Logged) -> None:
        logged.ledger.record([entry(1)])
        old, new = self.cosigned(logged, 1_700_000_000), self.cosigned(logged, 1_700_000_001)
        for each in (old, new):
            assert logged.ledger.log.attach(each, [self.WITNESS]) == [self.WITNESS.name]
        assert logged.ledger.log.checkpoint() == new
        logged.ledger.record([entry(2)])
        assert self.WITNESS.name not in logged.ledger.log.checkpoint()

    def test_only_of_this_log(self, logged: Logged) -> None:
        logged.ledger.record([entry(1)])
        other = Note("example.com/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        foreign = Note(other.text, (cosign(other, self.WITNESS.name, self.SECRET),))
        with pytest.raises(InputError, match="not of this log"):
            logged.ledger.log.attach(str(foreign), [self.WITNESS])

    def test_only_of_the_witnesses_named(self, logged: Logged) -> None:
        logged.ledger.record([entry(1)])
        stranger = VerifierKey("witness.example/w2", COSIGNATURE, self.WITNESS.public)
        with pytest.raises(InputError, match="None of these witnesses"):
            logged.ledger.log.attach(self.cosigned(logged), [stranger, SIGNER.verifier])
