"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guard.app import App, open_app
from guard.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test media beside the checkout; a stranger's clone has none."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the test media beside the checkout (../shared/data) are not here")
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Guard with fresh development keys and an empty ledger."""
    with open_app(Settings(home=tmp_path / "guard-home")) as opened:
        opened.keys.init_development()
        yield opened
