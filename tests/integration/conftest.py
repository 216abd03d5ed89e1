"""One upstream and one Guard for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from guard.app import open_app
from guard.settings import Settings
from tests.integration.sites import Site, guarding
from tests.upstream import Server, as_json, serving


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Site]]:
    """An upstream and the Guard in front of it, for all tests in turn."""
    home = tmp_path_factory.mktemp("guard") / "home"
    with serving(as_json({})) as server, open_app(Settings(home=home)) as opened:
        opened.keys.init_development()
        with guarding(opened, server.url) as site:
            yield server, site


@pytest.fixture
def upstream(standing: tuple[Server, Site]) -> Server:
    server, _ = standing
    server.seen.clear()
    server.answers[:] = [as_json({})]
    return server


@pytest.fixture
def site(standing: tuple[Server, Site]) -> Iterator[Site]:
    _, site = standing
    site.earlier = 0
    site.earlier = len(site.records())
    with site.clients:
        yield site
