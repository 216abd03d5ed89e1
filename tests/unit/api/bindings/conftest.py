"""A resolver with a release in its ledger, and the keys to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from guard.app import App
from guard.ledger.entry import Entry
from guard.pipeline import Origin, Release
from tests.pictures import png
from tests.unit.api.parts import serving


@pytest.fixture
def release(app: App) -> Release:
    return app.guard().release([png(seed=1)], Origin("painter"))[0]


@pytest.fixture
def entry(app: App, release: Release) -> Entry:
    found = app.ledger.by_id(release.id)
    assert found is not None
    assert found.manifest_label
    return found


@pytest.fixture
def resolver(app: App) -> Iterator[TestClient]:
    with serving(app, None) as client:
        yield client
