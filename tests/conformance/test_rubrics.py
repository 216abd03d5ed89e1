"""C2PA's published asset rubrics, run over what Guard signs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import pytest

from guard.media import Artifact, Modality
from guard.provenance.claim import IPTC, Edit
from guard.provenance.ingredients import PERSONAL, Input
from guard.provenance.keys import KeyStore
from guard.provenance.read import read
from guard.provenance.sdk import context
from guard.provenance.text import carried_in
from guard.provenance.trust import Trust
from tests.conformance.rubric import load
from tests.unit.provenance.media import SIGNABLE, TEXTS, image, make

Release = Callable[..., Artifact]
CONFORMANCE = "asset-rubric-conformance0.2-spec2.4.yml"
INTEGRITY = "asset-rubric-integrity.yml"
SIGNALS = "asset-rubric-signals-local.yml"
TEXT = "asset-rubric-text-conformance.yml"


def _crjson(artifact: Artifact, anchors: str) -> dict[str, Any]:
    if artifact.modality is Modality.TEXT:
        return _crjson_of_text(artifact, anchors)
    with (
        context(Trust.of(anchors)) as settings,
        c2pa.Reader(artifact.mime, io.BytesIO(artifact.data), context=settings) as reader,
    ):
        return dict(json.loads(reader.crjson()))


def _crjson_of_text(artifact: Artifact, anchors: str) -> dict[str, Any]:
    """The library knows no text: it reads the manifest alone, and the tie to the text is Guard's to judge."""
    assert read(artifact, trust=Trust.of(anchors)).state == "trusted"
    carried = carried_in(artifact.text)
    assert carried is not None
    store = Artifact(Modality.DOCUMENT, "application/c2pa", carried.store)
    document = _crjson(store, anchors)
    failures = document["manifests"][0]["validationResults"]["failure"]
    assert [each["code"] for each in failures] == ["assertion.dataHash.mismatch"]
    failures.clear()
    return document


def _unmet(rubric: Path, document: dict[str, Any]) -> list[str]:
    return [check.id for check in load(rubric) if not check(document, expected_spec_version="2.4")]


@pytest.mark.parametrize("mime", [*SIGNABLE, *TEXTS])
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


@pytest.mark.parametrize("mime", TEXTS)
def test_text_meets_the_rubric_for_text_but_for_one_that_contradicts_another(
    mime: str, rubrics: Path, release: Release, store: KeyStore
) -> None:
    """It looks for the type under `dc:format` among an action's parameters, where the conformance rubric
    forbids names without a dot, or in a field that claims of this version do not have."""
    assert _unmet(rubrics / TEXT, _crjson(release(make(mime)), store.anchors())) == ["text:is_text_asset"]


@pytest.mark.parametrize("mime", ["image/png", "text/plain"])
def test_what_a_model_made_of_other_files_meets_the_whole_rubric(
    mime: str, rubrics: Path, release: Release, store: KeyStore
) -> None:
    inputs = [Input(release(image()), edited=True), Input(image("image/webp"))]
    edits = (Edit("c2pa.addedText", IPTC + "algorithmicMedia"), Edit("c2pa.transcoded"))
    signed = release(make(mime, seed=1), inputs=inputs, edits=edits, redact=PERSONAL)
    document = _crjson(signed, store.anchors())
    for rubric in (CONFORMANCE, INTEGRITY):
        assert _unmet(rubrics / rubric, document) == []
    signals = {check.id for check in load(rubrics / SIGNALS) if check(document["manifests"][0])}
    kinds = ("nonEditorial", "perceptibleGenAI", "perceptibleNonGenAI")
    assert signals == {f"transformation:signal_{kind}" for kind in kinds}


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
