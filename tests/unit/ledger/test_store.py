"""The ledger: what is recorded comes back, all or nothing, and survives what a crash may do."""

from __future__ import annotations

import dataclasses
import os
import random
import sqlite3
import threading
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from guard.errors import LedgerError
from guard.ledger import Entry, Ledger, MarkEntry, Status
from guard.ledger.migrate import HEAD, upgrade
from guard.ledger.tables import metadata
from guard.ledger.text_sketch import make_sketch

MIGRATIONS = Path(__file__).resolve().parents[3] / "guard" / "ledger" / "migrations"


def passage(seed: int, count: int) -> str:
    """Words that no other seed gives."""
    draw = random.Random(seed)
    return " ".join(f"word{draw.getrandbits(24)}" for _ in range(count))


def entry(number: int = 1, **changes: object) -> Entry:
    release_id = f"{number:016x}"
    plain = Entry(
        id=release_id,
        status=Status.RELEASED,
        modality="image",
        mime="image/png",
        sha256=f"{number:064x}",
        size=123,
        model="scene",
        model_version="1",
        policy="default",
        policy_sha256="f" * 64,
        action="allow",
        decision={"action": "allow", "fired": []},
        findings=[{"signal": "blocklist", "score": 0.0}],
        marks=(MarkEntry("tile", "guard.tile.1", release_id, number >> 32),),
        manifest=b"manifest",
        sketch=b"sketch",
    )
    return dataclasses.replace(plain, **changes)


@pytest.fixture
def ledger(ledger_url: str):
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def test_what_is_recorded_comes_back_whole(ledger: Ledger) -> None:
    written = entry(caller="alice", prompt_sha256="a" * 64, rule="r1")
    (receipt,) = ledger.record([written])
    assert ledger.by_id(written.id) == written
    assert receipt.release_id == written.id
    assert receipt.recorded_at == written.created_at
    assert ledger.receipt(written.id) == receipt
    told = {"release_id": written.id, "index": 1, "recorded_at": written.created_at}
    assert receipt.as_json().items() >= told.items()


def test_index_grows_and_is_never_reused(ledger: Ledger) -> None:
    receipts = ledger.record([entry(n) for n in (1, 2, 3)])
    assert [receipt.index for receipt in receipts] == [1, 2, 3]


def test_found_by_hash_payload_and_short_id(ledger: Ledger) -> None:
    written = entry(0xABCDEF0123456789)
    ledger.record([written])
    assert ledger.by_sha256(written.sha256) == written
    assert ledger.by_payload("abcdef0123456789") == written
    assert ledger.by_short_id(0xABCDEF01) == [written]


def test_found_by_the_hash_of_the_bare_text(ledger: Ledger) -> None:
    written = entry(content_sha256="c" * 64, modality="text", mime="text/plain", marks=(), sketch=None)
    ledger.record([written])
    assert ledger.by_sha256("c" * 64) == written


def test_every_release_with_a_short_id_is_returned(ledger: Ledger) -> None:
    twins = [entry((7 << 32) + 1), entry((7 << 32) + 2)]
    ledger.record(twins)
    assert ledger.by_short_id(7) == twins


def test_unknown_things_are_not_found(ledger: Ledger) -> None:
    assert ledger.by_id("0" * 16) is None
    assert ledger.by_sha256("0" * 64) is None
    assert ledger.by_payload("0" * 16) is None
    assert ledger.by_short_id(0) == []
    assert ledger.receipt("0" * 16) is None


@pytest.mark.parametrize("status", [Status.BLOCKED, Status.HELD])
def test_what_was_refused_is_on_record_but_is_no_release(ledger: Ledger, status: Status) -> None:
    refused = entry(status=status)
    ledger.record([refused])
    assert ledger.by_id(refused.id) == refused
    assert ledger.by_sha256(refused.sha256) is None
    assert ledger.by_payload(refused.id) is None


class TestStreams:
    """A stream is on record before its first byte leaves, and completed on the same row."""

    def begin(self, ledger: Ledger, number: int = 1) -> Entry:
        begun = entry(number, status=Status.STREAMING, size=0, sha256="0" * 64, manifest=None, sketch=None)
        ledger.record([dataclasses.replace(begun, marks=())])
        return begun

    @pytest.mark.parametrize("status", [Status.RELEASED, Status.CUT, Status.BLOCKED])
    def test_its_end_completes_its_row(self, ledger: Ledger, status: Status) -> None:
        begun = self.begin(ledger)
        ledger.record([entry(2)])
        (receipt,) = ledger.record([entry(1, status=status)])
        assert (receipt.index, receipt.recorded_at) == (1, begun.created_at)
        assert ledger.by_id(begun.id) == entry(1, status=status, created_at=begun.created_at)
        assert ledger.receipt(begun.id) == receipt

    @pytest.mark.parametrize("status", [Status.RELEASED, Status.CUT, Status.BLOCKED])
    def test_what_left_of_it_is_found(self, ledger: Ledger, status: Status) -> None:
        self.begin(ledger)
        ledger.record([entry(1, status=status)])
        for found in (ledger.by_sha256(entry(1).sha256), ledger.by_payload(entry(1).id)):
            assert found is not None
            assert found.status is status

    @pytest.mark.parametrize("status", [Status.CUT, Status.BLOCKED])
    def test_nothing_that_left_is_nothing_to_find(self, ledger: Ledger, status: Status) -> None:
        self.begin(ledger)
        ledger.record([entry(1, status=status, size=0)])
        assert ledger.by_sha256(entry(1).sha256) is None

    def test_before_its_end_it_is_not_found_by_its_hash(self, ledger: Ledger) -> None:
        assert ledger.by_sha256(self.begin(ledger).sha256) is None

    def test_it_ends_once(self, ledger: Ledger) -> None:
        self.begin(ledger)
        with pytest.raises(LedgerError, match="complete"):
            ledger.record([entry(1), entry(1)])
        ledger.record([entry(1)])
        with pytest.raises(LedgerError):
            ledger.record([entry(1, status=Status.CUT)])
        assert ledger.by_sha256(entry(1).sha256) is not None

    def test_it_begins_once(self, ledger: Ledger) -> None:
        self.begin(ledger)
        with pytest.raises(LedgerError):
            self.begin(ledger)

    def test_ends_and_new_entries_go_into_one_commit(self, ledger: Ledger) -> None:
        self.begin(ledger)
        receipts = ledger.record([entry(3), entry(1), entry(2)])
        assert [receipt.index for receipt in receipts] == [2, 1, 3]


class TestTexts:
    """Texts are found by the runs of words that they share with one in hand."""

    def written(self, number: int, text: str, **changes: object) -> Entry:
        sketch = make_sketch(text)
        return entry(number, modality="text", marks=(), sketch=sketch, sha256=f"{number:064x}", **changes)

    def test_by_a_part_of_its_words(self, ledger: Ledger) -> None:
        ledger.record([self.written(n, passage(n, 80)) for n in range(1, 40)])
        found = ledger.by_text(make_sketch(" ".join(passage(7, 80).split()[30:60])) or b"")
        assert found[0] == self.written(7, passage(7, 80), created_at=found[0].created_at)

    def test_other_words_lead_nowhere(self, ledger: Ledger) -> None:
        ledger.record([self.written(1, passage(1, 80))])
        assert ledger.by_text(make_sketch(passage(2, 80)) or b"") == []

    def test_the_rarer_words_lead_first_and_common_ones_are_capped(self, ledger: Ledger) -> None:
        common = passage(99, 60)
        ledger.record([self.written(n, f"{common} {passage(n, 60)}") for n in range(1, 31)])
        found = ledger.by_text(make_sketch(f"{common} {passage(25, 60)}") or b"")
        assert found[0].id == entry(25).id
        assert len(found) == 8
        ledger.record([self.written(n, common) for n in range(31, 40)])
        with ledger.engine.connect() as connection:
            filed = connection.exec_driver_sql("SELECT count(*) FROM shingles GROUP BY shingle").scalars()
            assert max(filed) <= 30

    @pytest.mark.parametrize("status", [Status.BLOCKED, Status.HELD, Status.STREAMING])
    def test_what_did_not_leave_is_not_found(self, ledger: Ledger, status: Status) -> None:
        ledger.record([self.written(1, passage(1, 80), status=status)])
        assert ledger.by_text(make_sketch(passage(1, 80)) or b"") == []

    def test_a_stream_is_filed_at_its_end(self, ledger: Ledger) -> None:
        ledger.record([entry(1, status=Status.STREAMING, modality="text", marks=(), sketch=None)])
        ledger.record([self.written(1, passage(1, 80), status=Status.CUT)])
        assert [found.status for found in ledger.by_text(make_sketch(passage(1, 80)) or b"")] == [Status.CUT]


@pytest.mark.parametrize(("bits", "short_id"), [(32, 0xABCDEF01), (16, 0xABCD), (1, 1)])
def test_a_short_id_of_fewer_bits_is_a_beginning(ledger: Ledger, bits: int, short_id: int) -> None:
    ledger.record([entry(0xABCDEF0123456789), entry(0x7BCDEF0123456789)])
    assert [found.id for found in ledger.by_short_id(short_id, bits)] == ["abcdef0123456789"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_records_for_itself(ledger: Ledger) -> None:
    ledger.record([entry(1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        try:
            ledger.record([entry(2)])
        finally:
            os._exit(0 if ledger.by_id(entry(2).id) else 1)
    assert os.waitpid(child, 0)[1] == 0
    ledger.record([entry(3)])
    assert ledger.by_id(entry(2).id) is not None


def test_the_latest_release_of_the_same_bytes_wins(ledger: Ledger) -> None:
    first, second = entry(1, sha256="d" * 64), entry(2, sha256="d" * 64)
    ledger.record([first, second])
    assert ledger.by_sha256("d" * 64) == second


def test_one_bad_entry_leaves_no_trace_of_the_others(ledger: Ledger) -> None:
    ledger.record([entry(1)])
    with pytest.raises(LedgerError, match="could not be recorded") as caught:
        ledger.record([entry(2), entry(1)])
    assert "Nothing was released" in caught.value.remedy
    assert ledger.by_id(entry(2).id) is None


def test_an_error_does_not_repeat_what_was_to_be_written(ledger: Ledger) -> None:
    ledger.record([entry(1)])
    with pytest.raises(LedgerError) as caught:
        ledger.record([entry(1, caller="secret-caller")])
    assert "secret-caller" not in str(caught.value)


def test_records_outlive_the_process_that_wrote_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = Ledger.open(url)
    first.record([entry(1)])
    first.close()
    second = Ledger.open(url)
    assert second.by_id(entry(1).id) == entry(1, created_at=second.by_id(entry(1).id).created_at)
    second.close()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_sqlite_syncs_every_commit_in_wal_mode(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_postgresql_syncs_every_commit(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_many_threads_write_without_losing_a_record(ledger: Ledger) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 10):
            ledger.record([entry(number)])

    threads = [threading.Thread(target=work, args=(n * 100 + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [ledger.by_id(f"{n * 100 + 1 + k:016x}") for n in range(4) for k in range(10)]
    assert all(found)


def test_ping_answers_for_a_working_ledger_and_complains_of_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{path}")
    ledger.ping()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE releases")
    raw.close()
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.ping()
    ledger.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/ledger.db", "not a url", "sqlite://user@host/x"])
def test_a_ledger_that_cannot_be_opened_says_so(url: str) -> None:
    with pytest.raises(LedgerError, match="cannot be opened") as caught:
        Ledger.open(url)
    assert "GUARD_LEDGER_URL" in caught.value.remedy


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(f"sqlite:///{path}")


class TestMigrations:
    def test_the_tables_are_those_the_migrations_build(self, ledger: Ledger) -> None:
        with ledger.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_the_named_head_is_the_newest_migration(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        assert ScriptDirectory.from_config(config).get_current_head() == HEAD

    def test_two_processes_that_start_together_both_succeed(self, tmp_path: Path) -> None:
        errors: list[Exception] = []

        def start() -> None:
            try:
                Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}").close()
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=start) for _ in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
        assert errors == []

    def test_a_ledger_of_before_streams_is_brought_along(self, tmp_path: Path) -> None:
        from alembic import command

        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        old = Ledger.open(url)
        old.record([entry(1)])
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with old.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0001")
        old.close()
        new = Ledger.open(url)
        assert new.by_sha256(entry(1).sha256) is not None
        new.record([entry(2, status=Status.STREAMING)])
        assert new.record([entry(2)])[0].index == 2
        new.close()

    def test_down_and_up_again(self, tmp_path: Path) -> None:
        from alembic import command

        engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
        upgrade(engine)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
        assert set(inspect(engine).get_table_names()) == {"alembic_version"}
        upgrade(engine)
        assert "releases" in inspect(engine).get_table_names()
        engine.dispose()
