"""Signed files of every kind, and the second verifier's view of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guard.media import Artifact
from guard.provenance.claim import Claim, Edit
from guard.provenance.keys import KeyStore
from guard.provenance.sign import sign

BINDING = ("org.guard.tile", "AP8A/wD/AP8=")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    keys = KeyStore(tmp_path_factory.mktemp("home"))
    keys.init_development()
    return keys


@pytest.fixture(scope="session")
def release(store: KeyStore) -> Callable[..., Artifact]:
    """Signs an artifact as a release of Guard does."""
    signer = store.signer()

    def make(artifact: Artifact, *, edits: tuple[Edit, ...] = (), **lineage: Any) -> Artifact:
        claim = Claim(
            model_name="scene",
            model_version="1",
            provider="Acme",
            release_id="00ff00ff00ff00ff",
            created_at=datetime.now(UTC),
            human_oversight="prompt_guided",
            soft_binding=BINDING,
            edits=edits,
        )
        return sign(artifact, claim, signer, **lineage).artifact

    return make


@pytest.fixture
def rubrics(shared_data: Path) -> Path:
    """C2PA's published asset rubrics."""
    return shared_data / "c2pa/rubrics"
