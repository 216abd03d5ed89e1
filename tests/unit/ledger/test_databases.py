"""One ledger, two databases: connections, migrations both ways, writers in many processes, copies."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from guard.errors import ConfigurationError, InputError, LedgerError, MissingExtraError
from guard.ledger import Ledger, Status
from guard.ledger.audit import audit
from guard.ledger.backup import backup
from guard.ledger.databases import connect
from guard.ledger.log.note import NoteSigner, new_key
from guard.ledger.migrate import HEAD, downgrade, revision, upgrade
from guard.ledger.tables import metadata
from tests.conftest import REPOSITORY
from tests.postgres import Server
from tests.unit.ledger.conftest import SIGNER, Logged
from tests.unit.ledger.test_store import entry

WRITER = """
import sys
from guard.ledger import Ledger
from guard.ledger.log.note import NoteSigner
from tests.unit.ledger.test_store import entry
url, key, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = Ledger.open(url, lambda: NoteSigner(key))
for number in range(first, first + 25):
    (receipt,) = ledger.record([entry(number)])
    receipt.inclusion.check([NoteSigner(key).verifier])
ledger.close()
"""


def test_writers_in_several_processes_build_one_log(logged: Logged) -> None:
    key = new_key("example.com/log")
    command = [sys.executable, "-c", WRITER, logged.url, key]
    writers = [
        subprocess.Popen([*command, str(first)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        for first in (1000, 2000)
    ]
    errors = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], errors
    report = audit(logged.ledger.engine, [NoteSigner(key).verifier])
    assert report.problems == []
    assert (report.rows, report.leaves) == (50, 50)


class TestMigrations:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def url(self, request: pytest.FixtureRequest, tmp_path: Path) -> str:
        """A database that nobody else uses."""
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / 'own.db'}"
        server: Server = request.getfixturevalue("postgres")
        return server.database()

    def test_down_and_up_again_keeps_what_was_there_before_the_log(self, url: str) -> None:
        old = Ledger.open(url, lambda: SIGNER)
        old.record([entry(1), entry(2, status=Status.STREAMING)])
        old.record([entry(2), entry(3, status=Status.STREAMING)])
        downgrade(old.engine, "0002")
        assert revision(old.engine) == "0002"
        assert not any(name.startswith("log_") for name in inspect(old.engine).get_table_names())
        old.close()

        new = Ledger.open(url, lambda: SIGNER)
        assert revision(new.engine) == HEAD
        assert new.log.size() == 3
        report = audit(new.engine, [SIGNER.verifier])
        assert report.problems == ["No valid signature covers the leaves from 0 on."]
        receipt = new.receipt(entry(1).id)
        assert receipt is not None
        assert receipt.as_json()["checkpoint"] is None
        new.record([entry(3), entry(4)])
        assert audit(new.engine, [SIGNER.verifier]).problems == []
        receipt = new.receipt(entry(1).id)
        assert receipt is not None
        assert receipt.inclusion is not None
        assert receipt.inclusion.check([SIGNER.verifier]).size == 5
        new.close()

    def test_to_the_ground_and_up(self, url: str) -> None:
        engine = connect(url)
        upgrade(engine)
        downgrade(engine, "0001")
        upgrade(engine)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
        engine.dispose()

    @pytest.mark.parametrize("to", ["9999", "0000", "base", "../x", "-1"])
    def test_there_is_no_way_down_to_anywhere_else(self, logged: Logged, to: str) -> None:
        with pytest.raises(InputError, match="cannot go down"):
            downgrade(logged.ledger.engine, to)

    def test_what_an_older_ledger_held_is_signed_on_asking(self, url: str) -> None:
        old = Ledger.open(url)
        old.record([entry(1)])
        old.close()
        new = Ledger.open(url, lambda: SIGNER)
        assert new.log.checkpoint().startswith("example.com/log\n1\n")
        new.close()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot live in mysql"):
        connect("mysql://localhost/guard")


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match="postgres"):
        connect("postgresql+psycopg://localhost/guard")


def test_a_server_that_does_not_answer_is_an_error_of_the_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger.open(f"postgresql+psycopg://guard:secret@/guard?host={tmp_path}")


class TestCopies:
    @pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
    def test_a_backup_is_a_ledger(self, logged: Logged, tmp_path: Path) -> None:
        logged.ledger.record([entry(1), entry(2)])
        copy = tmp_path / "copy.db"
        backup(logged.ledger, copy)
        logged.ledger.record([entry(3)])
        restored = Ledger.open(f"sqlite:///{copy}", lambda: SIGNER)
        assert restored.log.size() == 2
        assert audit(restored.engine, logged.keys).problems == []
        assert restored.receipt(entry(2).id) == logged.ledger.receipt(entry(2).id)
        restored.record([entry(4)])
        restored.close()

    @pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
    def test_a_backup_replaces_nothing(self, logged: Logged, tmp_path: Path) -> None:
        (tmp_path / "copy.db").write_text("dear diary")
        with pytest.raises(InputError, match="there already"):
            backup(logged.ledger, tmp_path / "copy.db")

    @pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
    def test_a_copy_that_cannot_be_made_says_so(self, logged: Logged, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="cannot be copied"):
            backup(logged.ledger, tmp_path / "nowhere" / "copy.db")

    @pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
    def test_postgresql_is_dumped_and_restored(
        self, logged: Logged, postgres: Server, tmp_path: Path
    ) -> None:
        logged.ledger.record([entry(1), entry(2)])
        with pytest.raises(InputError, match="pg_dump"):
            backup(logged.ledger, tmp_path / "copy")
        dump, url = tmp_path / "ledger.dump", postgres.database()
        source = logged.ledger.engine.url.database
        postgres.run("pg_dump", "--format=custom", "--file", str(dump), str(source))
        postgres.run(
            "pg_restore", "--exit-on-error", "--dbname", url.partition("@/")[2].split("?")[0], str(dump)
        )
        restored = Ledger.open(url, lambda: SIGNER)
        assert audit(restored.engine, logged.keys).problems == []
        assert restored.receipt(entry(2).id) == logged.ledger.receipt(entry(2).id)
        assert [receipt.index for receipt in restored.record([entry(3)])] == [3]
        with restored.engine.connect() as connection:
            query = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'log_%'"
            assert connection.execute(text(query)).scalar() == 8
        restored.close()
