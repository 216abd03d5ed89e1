"""crJSON for the kinds of file that the library does not read by itself."""

from __future__ import annotations

from typing import Any

import pytest

from guard.errors import CredentialError
from guard.media import Artifact
from guard.provenance.crjson import crjson
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.text import carried_in
from guard.provenance.trust import Trust
from tests.unit.provenance.media import TEXTS, image, make, text
from tests.unit.provenance.test_read import Maker


def codes(report: dict[str, Any], kind: str) -> list[str]:
    return [each["code"] for each in report["manifests"][0]["validationResults"][kind]]


@pytest.mark.parametrize("mime", TEXTS)
def test_a_text_s_own_tie_is_judged(mime: str, claim: Maker, signer: Signer, trust: Trust) -> None:
    artifact = sign(make(mime), claim(), signer).artifact
    whole = crjson(artifact, trust=trust)
    assert codes(whole, "failure") == []
    assert {"assertion.dataHash.match", "signingCredential.trusted"} <= set(codes(whole, "success"))
    bent = Artifact(artifact.modality, mime, artifact.data.replace(b"green", b"brown"))
    assert codes(crjson(bent, trust=trust), "failure") == ["assertion.dataHash.mismatch"]


def test_a_text_whose_manifest_is_beside_it(claim: Maker, signer: Signer, trust: Trust) -> None:
    made = sign(make("text/plain"), claim(), signer)
    report = crjson(make("text/plain"), trust=trust, manifest=made.manifest)
    assert "assertion.dataHash.match" in codes(report, "success")


@pytest.mark.parametrize("artifact", [image(), make("text/plain"), make("audio/ogg")], ids=lambda a: a.mime)
def test_files_without_credentials_give_nothing(artifact: Artifact, trust: Trust) -> None:
    assert crjson(artifact, trust=trust) == {}


def test_what_cannot_be_read_is_an_error(claim: Maker, signer: Signer, trust: Trust) -> None:
    words = sign(text("The hill is green.\n"), claim(), signer).artifact.text
    assert carried_in(words) is not None
    for artifact, manifest in (
        (text(words + words), None),
        (text("The hill."), b"junk"),
        (image(), b"junk"),
    ):
        with pytest.raises(CredentialError, match="No crJSON comes of these credentials"):
            crjson(artifact, trust=trust, manifest=manifest)
