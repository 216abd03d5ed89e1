"""C2PA's published asset rubrics, run over what Guard signs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import pytest

from guard.media import Artifact
from guard.provenance.keys import KeyStore
from guard.provenance.sdk import context
from tests.conformance.rubric import load
from tests.unit.provenance.media import SIGNABLE, image, make

Release = Callable[..., Artifact]
CONFORMANCE = "asset-rubric-conformance0.2-spec2.4.yml"
INTEGRITY = "asset-rubric-integrity.yml"
SIGNALS = "asset-rubric-signals-local.yml"


def _crjson(artifact: Artifact, anchors: str) -> dict[str, Any]:
    with (
        context(anchors) as settings,
        c2pa.Reader(artifact.mime, io.BytesIO(artifact.data), context=settings) as reader,
    ):
        return dict(json.loads(reader.crjson()))


def _unmet(rubric: Path, document: dict[str, Any]) -> list[str]:
    return [check.id for check in load(rubric) if not check(document, expected_spec_version="2.4")]


@pytest.mark.parametrize("mime", SIGNABLE)
@pytest.mark.parametrize(("rubric", "checks"), [(CONFORMANCE, 31), (INTEGRITY, 6)])
def test_every_type_meets_the_whole_rubric(
    mime: str, rubric: str, checks: int, rubrics: Path, release: Release, store: KeyStore
) -> None:
    document = _crjson(release(make(mime)), store.anchors())
    assert len(load(rubrics / rubric)) == checks
    assert _unmet(rubrics / rubric, document) == []


def test_a_release_with_a_parent_meets_the_whole_rubric(
    rubrics: Path, release: Release, store: KeyStore
) -> None:
    signed = release(image(seed=1), ingredient=release(image("image/png")))
    document = _crjson(signed, store.anchors())
    assert len(document["manifests"]) == 2
    for rubric in (CONFORMANCE, INTEGRITY):
        assert _unmet(rubrics / rubric, document) == []


def test_it_signals_fully_generated_media_and_no_edits(
    rubrics: Path, release: Release, store: KeyStore
) -> None:
    manifest = _crjson(release(image()), store.anchors())["manifests"][0]
    signals = {check.id for check in load(rubrics / SIGNALS) if check(manifest)}
    assert signals == {"inception:signal_fullyGenAIMedia", "transformation:signal_nonEditorial"}


def test_the_rubric_can_fail(rubrics: Path, release: Release, store: KeyStore) -> None:
    """A picture that someone else signed the plain way misses the very checks that are easy to miss."""
    signed = release(image())
    document = _crjson(signed, store.anchors())
    manifest = document["manifests"][0]
    claim = manifest["claim.v2"]
    claim["gathered_assertions"], claim["created_assertions"] = claim["created_assertions"], []
    del claim["claim_generator_info"]["specVersion"]
    del manifest["assertions"]["c2pa.actions.v2"]["allActionsIncluded"]
    assert set(_unmet(rubrics / CONFORMANCE, document)) == {
        "validation:mandatory_spec_version",
        "validation:mandatory_all_actions_included",
        "validation:inception_action_position",
    }


def test_an_unknown_signer_and_a_bent_file_fail_the_integrity_rubric(
    rubrics: Path, release: Release, store: KeyStore
) -> None:
    signed = release(image())
    assert _unmet(rubrics / INTEGRITY, _crjson(signed, "")) == ["validation:trusted_success"]
    bent = Artifact(signed.modality, signed.mime, signed.data + b"x")
    assert _unmet(rubrics / INTEGRITY, _crjson(bent, store.anchors())) == ["validation:valid_success"]
