"""A PostgreSQL server of our own: made, started and thrown away by the tests that need one."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

__all__ = ["Server", "find_binaries", "run_server"]

_QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "listen_addresses=",
    "shared_buffers=16MB",
    "max_connections=60",
)


def find_binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; Debian keeps it off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    return folders[-1].parent if folders else None


class Server:
    """A server that listens on a socket in `folder`, for whoever runs the tests."""

    def __init__(self, binaries: Path, folder: Path, user: str) -> None:
        self.binaries = binaries
        self.folder = folder
        self._user = user
        self._ledger: str | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{self._user}@/{database}?host={quote(str(self.folder))}"

    def database(self) -> str:
        """The URL of a fresh database."""
        name = f"guard_{secrets.token_hex(6)}"
        self.run("createdb", "--template", "template0", name)
        return self.url(name)

    def emptied(self) -> str:
        """The URL of a database with the ledger's tables and nothing in them: always the same one, since to
        empty it takes less long than to make another."""
        if self._ledger is None:
            from guard.ledger import Ledger

            self._ledger = self.database()
            Ledger.open(self._ledger).close()
        else:
            _empty(self._ledger)
        return self._ledger

    def run(self, command: str, *arguments: str) -> str:
        """Run one of PostgreSQL's commands against this server; what it prints."""
        line = [str(self.binaries / command), "-h", str(self.folder), "-U", self._user, *arguments]
        return subprocess.run(line, check=True, capture_output=True, text=True, env=_plain()).stdout


@contextmanager
def run_server(binaries: Path) -> Iterator[Server]:
    """A server on an empty cluster, stopped and removed afterwards."""
    # Its own short folder: the path of a socket may have no more than some hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = _owner()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    identity = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data = folder / "data"

    def run(command: str, *arguments: str) -> None:
        line = [str(binaries / command), "-D", str(data), *arguments]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=_plain(), **identity)

    try:
        run("initdb", "-U", "guard", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "--no-instructions")
        options = " ".join(f"-c {each}" for each in (*_QUICK, f"unix_socket_directories={folder}"))
        run("pg_ctl", "start", "-w", "-s", "-l", str(folder / "log"), "-o", options)
        yield Server(binaries, folder, "guard")
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")
        shutil.rmtree(folder)


def _empty(url: str) -> None:
    from sqlalchemy import create_engine, inspect, text

    engine = create_engine(url)
    with engine.begin() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        connection.execute(text("SET session_replication_role = replica"))  # the log's triggers refuse it
        tables = ", ".join(set(inspect(connection).get_table_names()) - {"alembic_version"})
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    engine.dispose()


def _owner() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is no user to run PostgreSQL as")


def _plain() -> dict[str, str]:
    """The environment without what would lead to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
