"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from guard.app import App, open_app
from guard.ledger import Ledger
from guard.settings import Settings
from tests.postgres import Server, find_binaries, run_server

REPOSITORY = Path(__file__).resolve().parent.parent

# Speed is measured in `bench/`: a busy machine fails no test. A check before landing draws no new examples.
settings.register_profile(
    "guard", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("guard")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test media beside the checkout; a stranger's clone has none."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the test media beside the checkout (../shared/data) are not here")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for these tests alone, where its programs are installed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    with run_server(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite ledger with nothing in it, made once: to copy it takes less long than to migrate another."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path, empty_ledger: Path) -> str:
    """The URL of a ledger of the test's own, in each database that one may live in."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(empty_ledger, tmp_path / 'ledger.db')}"
    server: Server = request.getfixturevalue("postgres")
    return server.emptied()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with development keys and an empty ledger, made once: the many tests that need one copy it."""
    home = tmp_path_factory.mktemp("furnished") / "home"
    with open_app(Settings(home=home)) as made:
        made.keys.init_development()
    return home


@pytest.fixture
def app(furnished: Path, tmp_path: Path) -> Iterator[App]:
    """Guard with development keys and an empty ledger of its own."""
    home = shutil.copytree(furnished, tmp_path / "guard-home")
    with open_app(Settings(home=home)) as opened:
        yield opened
