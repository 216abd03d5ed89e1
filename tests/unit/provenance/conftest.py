"""Keys, a claim and small files of every type that carries credentials."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guard.provenance.keys import KeyStore
from guard.provenance.manifest import Claim
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.issuing import issue


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    """A key store with development keys, shared by tests that leave it as it is."""
    keys = KeyStore(tmp_path_factory.mktemp("home"))
    keys.init_development()
    return keys


@pytest.fixture(scope="session")
def signer(store: KeyStore) -> Signer:
    return store.signer()


@pytest.fixture(scope="session")
def anchors(store: KeyStore) -> str:
    return store.anchors()


@pytest.fixture(scope="session")
def trust(anchors: str) -> Trust:
    return Trust.of(anchors)


@pytest.fixture
def claim() -> Callable[..., Claim]:
    """Makes a claim, with what a test wants different given by name."""

    def make(**changes: Any) -> Claim:
        facts: dict[str, Any] = {
            "model_name": "scene",
            "model_version": "1",
            "provider": "Acme & Söhne",
            "release_id": "00ff00ff00ff00ff",
            "created_at": datetime.now(UTC),  # text is signed only for times of its certificate
        }
        return Claim(**facts | changes)

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A GUARD_HOME of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def make_signer() -> Callable[..., tuple[Signer, str]]:
    """Makes a signer of kind EC, RSA or self-signed, with the anchors that trust it."""
    return issue
