"""What a release was made from stays with it, and personal data need not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import pytest

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.claim import IPTC, Claim, Edit
from guard.provenance.ingredients import PERSONAL, Input, check_keepable, lineage_of
from guard.provenance.read import read
from guard.provenance.sdk import context
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.media import SIGNABLE, image, make, text

Maker = Callable[..., Claim]


def _crjson(signed: Signed, trust: Trust) -> dict[str, Any]:
    artifact = signed.artifact
    with (
        context(trust) as settings,
        c2pa.Reader(artifact.mime, io.BytesIO(artifact.data), context=settings) as reader,
    ):
        return dict(json.loads(reader.crjson())["manifests"][0])


def _actions(signed: Signed, trust: Trust) -> list[dict[str, Any]]:
    return list(_crjson(signed, trust)["assertions"]["c2pa.actions.v2"]["actions"])


def _names(actions: list[dict[str, Any]]) -> list[str]:
    return [each["action"] for each in actions]


class TestInputs:
    def test_an_edited_picture_is_the_parent_and_a_hint_is_an_input(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        before = sign(image(), claim(title="before"), signer).artifact
        inputs = [Input(before, edited=True), Input(image("image/png", seed=2))]
        signed = sign(image(seed=1), claim(), signer, inputs=inputs)
        found = read(signed.artifact, trust=trust)
        assert found.state == "trusted"
        assert [(each["relationship"], each["state"]) for each in found.ingredients] == [
            ("parentOf", "trusted"),
            ("inputTo", "absent"),
        ]
        opened, edited = _actions(signed, trust)
        assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
        assert edited["digitalSourceType"] == IPTC + "compositeWithTrainedAlgorithmicMedia"
        assert len(edited["parameters"]["ingredients"]) == 1

    def test_a_picture_that_the_model_only_looked_at_is_an_input(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(image(seed=1), claim(), signer, inputs=[Input(image())])
        found = read(signed.artifact, trust=trust)
        assert [(each["relationship"], each["state"]) for each in found.ingredients] == [
            ("inputTo", "absent")
        ]
        (created,) = _actions(signed, trust)
        assert (created["action"], len(created["parameters"]["ingredients"])) == ("c2pa.created", 1)

    def test_an_edited_picture_without_credentials_is_a_parent_of_unknown_origin(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(image(seed=1), claim(), signer, inputs=[Input(image(), edited=True)])
        assert _names(_actions(signed, trust)) == ["c2pa.opened", "c2pa.edited"]
        assert read(signed.artifact, trust=trust).ingredients[0]["state"] == "absent"

    def test_credentials_of_the_models_own_maker_come_first(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        theirs = sign(image(seed=1), claim(title="theirs"), signer).artifact
        signed = sign(theirs, claim(), signer, inputs=[Input(image(), edited=True)])
        found = read(signed.artifact, trust=trust)
        assert [(each["relationship"], each["state"]) for each in found.ingredients] == [
            ("parentOf", "trusted"),
            ("inputTo", "absent"),
        ]
        assert _names(_actions(signed, trust)) == ["c2pa.opened"]

    def test_broken_credentials_are_kept_with_what_is_wrong_with_them(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        before = sign(image(), claim(), signer).artifact
        bent = Artifact(before.modality, before.mime, before.data + b"x")
        check_keepable(bent)
        for edited in (True, False):
            signed = sign(image(seed=1), claim(), signer, inputs=[Input(bent, edited)])
            found = read(signed.artifact, trust=trust)
            assert (found.state, found.ingredients[0]["state"]) == ("trusted", "invalid")
            assert found.ingredients[0]["codes"] == ["assertion.dataHash.mismatch"]

    @pytest.mark.parametrize("mime", ["image/png", "audio/ogg", "video/mp4", "application/pdf"])
    def test_they_may_be_of_any_type(self, mime: str, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image(), claim(), signer, inputs=[Input(make(mime))])
        assert [each["title"] for each in read(signed.artifact, trust=trust).ingredients] == ["input"]

    @pytest.mark.parametrize("name", ["enc__truncated_jumbf", "rs__prerelease", "rs__no_alg"])
    def test_unreadable_credentials_are_refused(
        self, shared_data: Path, name: str, claim: Maker, signer: Signer
    ) -> None:
        broken = Artifact(Modality.IMAGE, "image/jpeg", (shared_data / f"c2pa/{name}.jpg").read_bytes())
        with pytest.raises(CredentialError, match="cannot be kept"):
            check_keepable(broken)
        with pytest.raises(CredentialError, match="cannot be kept"):
            sign(image(), claim(), signer, inputs=[Input(broken)])

    def test_a_text_as_an_input_is_refused(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="no manifest can keep a text"):
            sign(image(), claim(), signer, inputs=[Input(text("hello"))])

    def test_a_text_keeps_the_pictures_it_was_made_from(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        seen = sign(image(), claim(), signer).artifact
        found = read(sign(text("A hill."), claim(), signer, inputs=[Input(seen)]).artifact, trust=trust)
        assert (found.state, [each["state"] for each in found.ingredients]) == ("trusted", ["trusted"])


@pytest.mark.parametrize("mime", SIGNABLE)
def test_credentials_are_seen_in_every_type(mime: str, claim: Maker, signer: Signer, trust: Trust) -> None:
    """A glance tells what certainly has none; nothing that has some may slip through."""
    before = sign(make(mime), claim(), signer).artifact
    assert lineage_of(make(mime, seed=1), before).history.parent
    assert not lineage_of(make(mime)).history.parent


class TestRedaction:
    @pytest.fixture
    def personal(self, signer: Signer, claim: Maker) -> Artifact:
        """A picture whose credentials tell where it was taken."""
        place = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}, "exif:GPSLatitude": "39,21.102N"}
        definition = {
            "claim_generator_info": [{"name": "camera"}],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "created": True,
                    "data": {
                        "actions": [{"action": "c2pa.created", "digitalSourceType": IPTC + "digitalCapture"}]
                    },
                },
                {"label": "c2pa.metadata", "created": True, "kind": "Json", "data": place},
            ],
        }
        output = io.BytesIO()
        from guard.provenance.sdk_signer import sdk_signer

        with context() as settings, c2pa.Builder(definition, settings) as builder, sdk_signer(signer) as key:
            builder.sign(key, "image/jpeg", io.BytesIO(image().data), output)
        return Artifact(Modality.IMAGE, "image/jpeg", output.getvalue())

    def test_takes_personal_data_out_of_an_ingredients_credentials(
        self, personal: Artifact, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        assert b"39,21.102N" in personal.data
        for inputs, ingredient in (
            ([Input(personal, edited=True)], None),
            ([], personal),
            ([Input(personal)], None),
        ):
            signed = sign(
                image(seed=1), claim(), signer, inputs=inputs, ingredient=ingredient, redact=PERSONAL
            )
            assert b"39,21.102N" not in signed.artifact.data
            found = read(signed.artifact, trust=trust)
            assert found.state == "trusted"
            assert [each["state"] for each in found.ingredients] == ["trusted"]
            (redacted,) = [each for each in _actions(signed, trust) if each["action"] == "c2pa.redacted"]
            assert redacted["reason"] == "c2pa.PII.present"
            assert _crjson(signed, trust)["claim.v2"]["redacted_assertions"] == [
                redacted["parameters"]["redacted"]
            ]

    def test_nothing_is_taken_out_unasked(
        self, personal: Artifact, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(image(seed=1), claim(), signer, ingredient=personal)
        assert b"39,21.102N" in signed.artifact.data
        assert "c2pa.redacted" not in _names(_actions(signed, trust))

    @pytest.mark.parametrize("data", [b"", b"nonsense"])
    def test_an_ingredient_without_credentials_has_nothing_to_take_out(self, data: bytes) -> None:
        part = Artifact(Modality.IMAGE, "image/jpeg", data)
        assert lineage_of(image(), inputs=[Input(part)], redact=PERSONAL).history.redacted == ()
        assert lineage_of(image(), inputs=[Input(make("audio/ogg"))], redact=PERSONAL).history.redacted == ()


HOSTILE = [
    "<script>alert(1)</script>",
    "\x1b[2J\u202eevil",
    '"; DROP TABLE releases; --',
    "x" * 10_000,
    "\0null",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_strings_stay_text(words: str, claim: Maker, signer: Signer, trust: Trust) -> None:
    stated = claim(
        model_name=words,
        model_version=words,
        provider=words,
        title=words,
        soft_binding=(words, words),
        training_mining={"data_mining": "constrained"},
        training_constraint=words,
        edits=(Edit("c2pa.transcoded"),),
    )
    signed = sign(image(), stated, signer)
    found = read(signed.artifact, trust=trust)
    assert found.state == "trusted"
    assertions = _crjson(signed, trust)["assertions"]
    assert assertions["cawg.metadata"]["dc:publisher"] == [words]
    assert assertions["cawg.training-mining"]["entries"]["cawg.data_mining"]["constraint_info"] == words
    for alg, value in found.soft_bindings:
        assert not set(alg + value) & set("\x1b\u202e\0")
        assert len(alg) <= 300
