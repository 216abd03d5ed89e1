"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from guard.app import App, open_app
from guard.settings import Settings

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
