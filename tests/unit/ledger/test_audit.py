"""Whatever is done to the ledger behind its back is found, and named."""

from __future__ import annotations

import dataclasses

import pytest

from guard.ledger import Status
from guard.ledger.audit import Report, audit
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.note import NoteSigner, new_key
from guard.ledger.repository import Repository
from guard.ledger.retention import forget_release
from tests.unit.ledger.conftest import Logged
from tests.unit.ledger.test_store import entry

TEN = entry(10).id


def checked(logged: Logged, kept: list[Checkpoint] | None = None) -> Report:
    return audit(logged.ledger.engine, logged.keys, kept or [])


@pytest.fixture
def filled(logged: Logged) -> Logged:
    """Releases, a refusal, streams that ended, one that goes on, and what was held and then released."""
    ledger = logged.ledger
    ledger.record([entry(100, status=Status.STREAMING), entry(101, status=Status.STREAMING)])
    ledger.record([entry(102, status=Status.HELD)])
    for first in (1, 7, 14):
        ledger.record([entry(n, caller=f"caller {n}") for n in range(first, first + 6)])
    ledger.record([entry(50, status=Status.BLOCKED), entry(100), entry(102)])
    return logged


def test_an_untouched_ledger_is_as_the_log_says(filled: Logged) -> None:
    seen: list[int] = []
    report = audit(filled.ledger.engine, filled.keys, progress=seen.append)
    assert report.problems == []
    assert (report.rows, report.leaves, report.checkpoints, report.signed) == (22, 24, 6, 24)
    assert seen == [24]
    assert Checkpoint.opened(filled.ledger.log.checkpoint(), filled.keys).root == report.root


def test_a_log_of_many_tiles_is_as_it_says(logged: Logged) -> None:
    logged.ledger.record([entry(n) for n in range(1, 600)])
    assert checked(logged).problems == []
    logged.tamper(
        'UPDATE log_nodes SET hash = (SELECT hash FROM log_leaves WHERE "index" = 0) WHERE "index" = 1'
    )
    assert checked(logged).problems == ["Node 1 of level 8 of the log is missing or was rewritten."]


def test_an_empty_ledger_is_fine(logged: Logged) -> None:
    assert checked(logged).problems == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"UPDATE releases SET model = 'other' WHERE id = '{TEN}'", f"{TEN} was rewritten: model."),
        (f"UPDATE releases SET sha256 = '{'0' * 64}' WHERE id = '{TEN}'", f"{TEN} was rewritten: sha256."),
        (f"UPDATE releases SET caller = 'eve' WHERE id = '{TEN}'", f"{TEN} was rewritten: caller."),
        (f"UPDATE releases SET findings = '[]' WHERE id = '{TEN}'", f"{TEN} was rewritten: findings."),
        (f"UPDATE releases SET decision = '{{}}' WHERE id = '{TEN}'", f"{TEN} was rewritten: decision."),
        (f"UPDATE releases SET status = 'blocked' WHERE id = '{TEN}'", f"{TEN} was rewritten: status."),
        (f"UPDATE releases SET created_at = '2020' WHERE id = '{TEN}'", f"{TEN} was rewritten: recorded at."),
        (
            f"UPDATE releases SET completed_at = '2020' WHERE id = '{TEN}'",
            f"{TEN} was rewritten: recorded at.",
        ),
        (
            f"UPDATE marks SET payload = '{'0' * 16}' WHERE release_id = '{TEN}'",
            f"{TEN} was rewritten: marks.",
        ),
        (f"DELETE FROM marks WHERE release_id = '{TEN}'", f"{TEN} was rewritten: marks."),
        (
            f"UPDATE manifests SET label = 'urn:x' WHERE release_id = '{TEN}'",
            f"{TEN} was rewritten: manifest_label.",
        ),
        (
            "UPDATE manifests SET manifest = (SELECT hash FROM log_leaves LIMIT 1) WHERE release_id = '"
            + TEN
            + "'",
            f"{TEN} was rewritten: manifest.",
        ),
        (f"UPDATE manifests SET sketch = NULL WHERE release_id = '{TEN}'", f"{TEN} lost sketch and the log"),
        (f"UPDATE releases SET salt = NULL WHERE id = '{TEN}'", f"{TEN} was rewritten: caller, findings."),
        (
            f"UPDATE releases SET salt = NULL, caller = NULL, findings = '[]' WHERE id = '{TEN}'",
            f"{TEN} lost caller, findings, prompt_sha256 and the log tells of no reason.",
        ),
        (
            f"UPDATE releases SET leaf = 3 WHERE id = '{TEN}'",
            f"{TEN} was rewritten: it belongs to leaf 12, not 3.",
        ),
        (
            f"UPDATE releases SET created_at = '2020' WHERE id = '{entry(100).id}'",
            "was rewritten: it began otherwise.",
        ),
    ],
)
def test_a_row_that_was_rewritten_is_named(filled: Logged, statement: str, named: str) -> None:
    filled.tamper(statement)
    assert any(named in problem for problem in checked(filled).problems), checked(filled).problems


def test_a_row_that_was_dropped_is_named(filled: Logged) -> None:
    filled.tamper(
        *(f"DELETE FROM {table} WHERE release_id = '{TEN}'" for table in ("marks", "manifests")),
        f"DELETE FROM releases WHERE id = '{TEN}'",
    )
    assert checked(filled).problems == [f"Release {TEN} was dropped: leaf 12 tells of it, no row does."]


def test_rows_that_changed_places_are_named(filled: Logged) -> None:
    filled.tamper(
        f"UPDATE releases SET \"index\" = 9000 WHERE id = '{entry(9).id}'",
        f'UPDATE releases SET "index" = (SELECT "index" - 1 FROM releases WHERE id = \'{entry(11).id}\') - 1 '
        f"WHERE id = '{TEN}'",
    )
    found = checked(filled).problems
    assert any(f"Release {TEN} was moved" in problem for problem in found), found


def test_a_row_that_was_slipped_in_is_named(filled: Logged) -> None:
    columns = (
        "status, created_at, modality, mime, sha256, size, model, model_version, policy, policy_sha256, "
    )
    columns += "action, decision, findings"
    for number, leaf in ((1, "NULL"), (2, "12")):
        filled.tamper(
            f'INSERT INTO releases ("index", id, leaf, {columns}) '
            f"SELECT {900 + number}, 'slipped{number}', {leaf}, {columns} FROM releases WHERE id = '{TEN}'"
        )
    assert checked(filled).problems == [
        f"Release slipped{number} was slipped in: no leaf of the log tells of it." for number in (1, 2)
    ]


class TestTheLogItself:
    def test_a_leaf_that_was_rewritten(self, filled: Logged) -> None:
        filled.tamper("UPDATE log_leaves SET leaf = replace(leaf, 'scene', 'other') WHERE \"index\" = 12")
        found = checked(filled).problems
        assert "Leaf 12 of the log was rewritten: its hash does not fit." in found
        assert any("The checkpoint of 15 leaves is not of these leaves." in problem for problem in found)

    def test_a_leaf_that_is_gone(self, filled: Logged) -> None:
        filled.tamper('DELETE FROM log_leaves WHERE "index" = 5')
        assert "Leaf 5 of the log is missing." in checked(filled).problems

    def test_leaves_that_changed_places(self, filled: Logged) -> None:
        filled.tamper(
            'UPDATE log_leaves SET "index" = -1 WHERE "index" = 4',
            'UPDATE log_leaves SET "index" = 4 WHERE "index" = 5',
            'UPDATE log_leaves SET "index" = 5 WHERE "index" = -1',
        )
        assert "The checkpoint of 9 leaves is not of these leaves." in checked(filled).problems

    def test_leaves_that_nothing_signs(self, filled: Logged) -> None:
        forger = NoteSigner(new_key("example.com/log"))
        filled.keys = (forger.verifier,)
        found = checked(filled).problems
        assert any("No key that counts" in problem for problem in found)
        assert found[-1] == "No valid signature covers the leaves from 0 on."

    def test_a_leaf_that_no_checkpoint_covers(self, filled: Logged) -> None:
        filled.tamper("DELETE FROM log_checkpoints WHERE size = 24")
        assert checked(filled).problems == ["The log has 24 leaves, but its newest checkpoint is of 21."]

    def test_a_note_of_another_tree(self, filled: Logged) -> None:
        filled.tamper(
            "UPDATE log_checkpoints SET note = (SELECT note FROM log_checkpoints WHERE size = 3) "
            "WHERE size = 9"
        )
        assert checked(filled).problems == ["The note of the checkpoint of 9 leaves is of another tree."]

    def test_what_is_no_json(self, filled: Logged) -> None:
        filled.tamper("UPDATE log_leaves SET leaf = '[' WHERE \"index\" = 12")
        assert "Leaf 12 of the log was rewritten: its hash does not fit." in checked(filled).problems

    def test_a_log_cut_short_shows_against_a_kept_checkpoint(self, filled: Logged) -> None:
        kept = Checkpoint.opened(filled.ledger.log.checkpoint(), filled.keys)
        filled.ledger.record([entry(60)])
        assert checked(filled, [kept]).problems == []
        gone = [entry(n).id for n in (50, 60)]
        filled.tamper(
            'DELETE FROM log_leaves WHERE "index" >= 21',
            "DELETE FROM log_checkpoints WHERE size > 21",
            *(
                f"DELETE FROM {t} WHERE release_id IN ('{gone[0]}', '{gone[1]}')"
                for t in ("marks", "manifests")
            ),
            f"DELETE FROM releases WHERE id IN ('{gone[0]}', '{gone[1]}')",
            *(
                f"UPDATE releases SET status = '{status}', leaf = {leaf}, completed_at = NULL "
                f"WHERE id = '{entry(n).id}'"
                for n, status, leaf in ((100, "streaming", 0), (102, "held", 2))
            ),
        )
        found = checked(filled, [kept]).problems
        assert "The log was cut short: the checkpoint kept is of 24 leaves, there are 21." in found

    def test_a_log_built_anew_shows_against_a_kept_checkpoint(self, filled: Logged) -> None:
        kept = Checkpoint.opened(filled.ledger.log.checkpoint(), filled.keys)
        other = dataclasses.replace(kept, root=bytes(32))
        assert checked(filled, [kept]).problems == []
        assert checked(filled, [other]).problems == [
            "The first 24 leaves are not those of the checkpoint that was kept."
        ]


def test_a_deposited_manifest_that_was_changed_or_slipped_in_is_named(logged: Logged) -> None:
    repository = Repository(logged.ledger)
    for number in (1, 2, 3):
        repository.deposit(f"urn:c2pa:{number}", b"store %d" % number, [], None)
    repository.delete("urn:c2pa:3")
    assert checked(logged).problems == []
    logged.tamper(
        "UPDATE deposits SET manifest = (SELECT hash FROM log_leaves LIMIT 1) WHERE id = 'urn:c2pa:1'",
        "INSERT INTO deposits (id, manifest, leaf, created_at) "
        "SELECT 'urn:c2pa:9', manifest, leaf, created_at FROM deposits WHERE id = 'urn:c2pa:2'",
    )
    assert checked(logged).problems == [
        f"Deposited manifest urn:c2pa:{n} was rewritten or slipped in: no leaf tells of it." for n in (1, 9)
    ]


def test_what_was_to_be_forgotten_and_came_back_is_named(filled: Logged) -> None:
    forget_release(filled.ledger, TEN)
    assert checked(filled).problems == []
    filled.tamper(f"UPDATE releases SET salt = (SELECT hash FROM log_leaves LIMIT 1) WHERE id = '{TEN}'")
    assert f"Release {TEN} was to be forgotten, and is not." in checked(filled).problems


def test_when_nothing_is_as_it_was_two_hundred_examples_do(logged: Logged) -> None:
    logged.ledger.record([entry(n) for n in range(1, 231)])
    logged.tamper("UPDATE releases SET model = 'other'")
    assert len(checked(logged).problems) == 200
