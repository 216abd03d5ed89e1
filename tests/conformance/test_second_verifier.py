"""An independent verifier, offline and without telemetry, must agree with what Guard reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest

from guard.media import Artifact
from guard.provenance.claim import IPTC, Edit
from guard.provenance.ingredients import Input
from guard.provenance.keys import KeyStore
from guard.provenance.read import read
from guard.provenance.trust import Trust
from tests.unit.provenance.media import SIGNABLE, TEXTS, image, make

Release = Callable[..., Artifact]


@pytest.fixture(autouse=True)
def _no_settings_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes its telemetry preference, "off", into the user's configuration: into a passing one here."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))


def _second(artifact: Artifact, anchors: str) -> dict[str, Any]:
    trust = {"trust_pem": anchors} if anchors else {}
    report = encypher_c2pa.verify(
        artifact.data, artifact.mime, no_default_trust=True, telemetry=False, online=False, **trust
    )
    return dict(report)


def _agree(artifact: Artifact, anchors: str, state: str) -> None:
    assert read(artifact, trust=Trust.of(anchors)).state == state
    assert _second(artifact, anchors)["validation_state"].lower() == state


@pytest.mark.parametrize("mime", [*SIGNABLE, *TEXTS])
def test_on_every_type_that_guard_signs(mime: str, release: Release, store: KeyStore) -> None:
    signed = release(make(mime))
    _agree(signed, store.anchors(), "trusted")
    _agree(signed, "", "valid")


@pytest.mark.parametrize("mime", [*SIGNABLE, *TEXTS])
def test_on_every_type_after_tampering(mime: str, release: Release, store: KeyStore) -> None:
    signed = release(make(mime))
    if mime in TEXTS:
        data = signed.data.replace(b"green", b"brown")
    else:
        place = signed.data.index(b"mdat") + 40 if b"mdat" in signed.data else len(signed.data) - 40
        data = signed.data[:place] + bytes([signed.data[place] ^ 1]) + signed.data[place + 1 :]
    _agree(Artifact(signed.modality, signed.mime, data), store.anchors(), "invalid")


def test_on_a_release_with_a_parent(release: Release, store: KeyStore) -> None:
    _agree(release(image(seed=1), ingredient=release(image("image/png"))), store.anchors(), "trusted")


@pytest.mark.parametrize("mime", ["image/jpeg", "video/mp4", "application/pdf", "text/plain", "text/html"])
def test_on_what_a_model_made_of_other_files(mime: str, release: Release, store: KeyStore) -> None:
    before = release(image())
    bent = Artifact(before.modality, before.mime, before.data + b"x")
    inputs = [Input(before, edited=True), Input(image("image/png")), Input(bent)]
    edits = (Edit("c2pa.addedText", IPTC + "algorithmicMedia"), Edit("c2pa.transcoded"))
    _agree(release(make(mime, seed=1), inputs=inputs, edits=edits), store.anchors(), "trusted")


def test_it_was_asked_offline(release: Release, store: KeyStore) -> None:
    network = _second(release(image()), store.anchors())["network"]
    assert not network.get("performed")
    assert not network.get("enabled", False)
