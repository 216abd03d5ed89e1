"""Fixtures for the tests of the HTTP door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from guard.app import App
from tests.unit.api.parts import Painter, Script, serving


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def client(app: App, script: Script, painter: Painter) -> Iterator[TestClient]:
    """The API with a scripted upstream and the built-in model `painter`; it asks for no keys."""
    with serving(app, script, generators={"painter": painter}) as opened:
        yield opened


@pytest.fixture
def alone(app: App, painter: Painter) -> Iterator[TestClient]:
    """The API without an upstream."""
    with serving(app, None, generators={"painter": painter}) as opened:
        yield opened


@pytest.fixture
def strict(app: App, tmp_path: Path) -> App:
    """An app whose policy labels and signs what is said in chats, and blocks all pictures."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        """
name: strict
version: 1
require: {image: {mark: true, sign: true}, text: {mark: false, sign: true}, chat: {sign: true}}
rules:
  - {id: no-pictures, stages: [output], when: 'modality == "image"', action: block, reason: No pictures here.}
  - {id: known-users, stages: [prompt], when: '"id" in user && user["id"] == "mallory"', action: block,
     reason: Not for Mallory.}
"""
    )
    return replace(app, settings=app.settings.model_copy(update={"policy": policy}))
