"""Guards that streams go through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from guard.app import App
from guard.pipeline import Guard


@pytest.fixture
def guard(app: App) -> Guard:
    return app.guard()


@pytest.fixture(scope="module")
def quick(furnished_app: App) -> Guard:
    return furnished_app.guard()


@pytest.fixture(scope="module")
def furnished_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    from guard.app import open_app
    from guard.settings import Settings

    with open_app(Settings(home=tmp_path_factory.mktemp("streams"))) as opened:
        opened.keys.init_development()
        yield opened
