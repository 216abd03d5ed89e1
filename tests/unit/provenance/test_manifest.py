"""What a claim says, and the manifest it becomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from guard import __version__
from guard.errors import CredentialError
from guard.provenance.claim import IPTC, TRAINED_ALGORITHMIC_MEDIA, Claim, Edit
from guard.provenance.manifest import History, manifest_definition

Maker = Callable[..., Claim]
OPENED = History(parent=True)


def _assertion(definition: dict[str, Any], label: str) -> dict[str, Any]:
    (found,) = [entry for entry in definition["assertions"] if entry["label"] == label]
    assert found["created"]
    return dict(found["data"])


def _actions(definition: dict[str, Any]) -> list[dict[str, Any]]:
    data = _assertion(definition, "c2pa.actions.v2")
    assert data["allActionsIncluded"]
    return list(data["actions"])


class TestClaim:
    def test_needs_a_time_zone(self, claim: Maker) -> None:
        with pytest.raises(CredentialError, match="no time zone"):
            claim(created_at=datetime(2026, 1, 1))

    def test_its_time_is_told_in_utc(self, claim: Maker) -> None:
        east = timezone(timedelta(hours=5, minutes=30))
        assert claim(created_at=datetime(2026, 1, 1, 2, tzinfo=east)).when == "2025-12-31T20:30:00Z"

    @pytest.mark.parametrize("source", ["", "ai", IPTC, IPTC + "trainedalgorithmicmedia"])
    def test_refuses_unknown_source_types_that_the_library_would_sign(
        self, claim: Maker, source: str
    ) -> None:
        with pytest.raises(CredentialError, match="no digital source type"):
            claim(digital_source_type=source)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, "pkg:generic/Acme%20%26%20S%C3%B6hne/scene@1"),
            ({"provider": ""}, "pkg:generic/scene@1"),
            ({"model_version": ""}, "pkg:generic/Acme%20%26%20S%C3%B6hne/scene"),
            ({"provider": "a/b", "model_name": "c@d"}, "pkg:generic/a%2Fb/c%40d@1"),
        ],
    )
    def test_names_the_model_in_one_package_url(
        self, claim: Maker, changes: dict[str, str], expected: str
    ) -> None:
        assert claim(**changes).model_identifier == expected

    @pytest.mark.parametrize("uses", [{"ai_dreaming": "allowed"}, {"ai_training": "maybe"}, "perhaps"])
    def test_refuses_uses_and_answers_that_cawg_does_not_know(self, claim: Maker, uses: Any) -> None:
        with pytest.raises(CredentialError, match="no such use or answer") as caught:
            claim(training_mining=uses)
        assert "data_mining" in caught.value.remedy


class TestEdit:
    @pytest.mark.parametrize(
        ("action", "source", "message"),
        [
            ("c2pa.color_adjustments", IPTC + "algorithmicMedia", "no edit that C2PA knows"),
            ("c2pa.created", IPTC + "algorithmicMedia", "no edit"),
            ("c2pa.edited", "", "needs a digital source type"),
            ("c2pa.edited", "https://example.org/mine", "needs a digital source type"),
            ("c2pa.transcoded", IPTC + "algorithmicMedia", "else has none"),
        ],
    )
    def test_refuses_what_conformance_would(self, action: str, source: str, message: str) -> None:
        with pytest.raises(CredentialError, match=message):
            Edit(action, source)

    def test_stands_between_the_origin_and_the_mark(self, claim: Maker) -> None:
        edits = (Edit("c2pa.adjustedColor", IPTC + "algorithmicMedia"), Edit("c2pa.transcoded"))
        stated = claim(edits=edits, soft_binding=("org.guard.tile", "00ff"))
        actions = _actions(manifest_definition(stated))
        assert [each["action"] for each in actions] == [
            "c2pa.created",
            "c2pa.adjustedColor",
            "c2pa.transcoded",
            "c2pa.watermarked.bound",
        ]
        assert [each.get("digitalSourceType") for each in actions[1:3]] == [IPTC + "algorithmicMedia", None]
        assert all(each["softwareAgent"]["name"] == "Guard" for each in actions[1:3])


class TestDefinition:
    def test_begins_with_the_creation_by_the_model(self, claim: Maker) -> None:
        stated = claim()
        (first,) = _actions(manifest_definition(stated))
        assert first == {
            "action": "c2pa.created",
            "when": stated.when,
            "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA,
            "softwareAgent": {"name": "scene", "version": "1"},
        }

    def test_begins_with_the_opening_of_a_parent_and_no_source_type(self, claim: Maker) -> None:
        (first,) = _actions(manifest_definition(claim(), OPENED))
        assert first["action"] == "c2pa.opened"
        assert first["softwareAgent"]["name"] == "Guard"
        assert first["parameters"] == {"ingredientIds": ["parent"]}
        assert "digitalSourceType" not in first

    @pytest.mark.parametrize("history", [OPENED, History()])
    def test_a_watermark_comes_with_its_binding_and_neither_without_the_other(
        self, claim: Maker, history: History
    ) -> None:
        bound = manifest_definition(claim(soft_binding=("org.guard.tile", "00ff")), history)
        assert _actions(bound)[1:] == [{"action": "c2pa.watermarked.bound"}]
        assert _assertion(bound, "c2pa.soft-binding") == {
            "alg": "org.guard.tile",
            "blocks": [{"scope": {}, "value": "00ff"}],
        }
        plain = manifest_definition(claim(), history)
        assert "watermarked" not in str(plain)
        assert "soft-binding" not in str(plain)

    def test_what_the_model_was_given_stands_by_what_it_did(self, claim: Maker) -> None:
        (created,) = _actions(manifest_definition(claim(), History(inputs=("input-1", "input-2"))))
        assert created["parameters"] == {"ingredientIds": ["input-1", "input-2"]}
        opened, edited = _actions(manifest_definition(claim(), History(parent=True, edited=True)))
        assert opened["parameters"] == {"ingredientIds": ["parent"]}
        assert edited["action"] == "c2pa.edited"
        assert edited["softwareAgent"] == {"name": "scene", "version": "1"}
        assert edited["digitalSourceType"] == IPTC + "compositeWithTrainedAlgorithmicMedia"
        assert "parameters" not in edited

    def test_a_redaction_is_stated_and_recorded(self, claim: Maker) -> None:
        definition = manifest_definition(claim(), History(parent=True, redacted=("self#jumbf=/c2pa/x",)))
        assert definition["redactions"] == ["self#jumbf=/c2pa/x"]
        redacted = _actions(definition)[-1]
        assert (redacted["action"], redacted["reason"]) == ("c2pa.redacted", "c2pa.PII.present")
        assert redacted["parameters"] == {"redacted": "self#jumbf=/c2pa/x"}

    def test_metadata_is_json_as_cawg_has_it(self, claim: Maker) -> None:
        kinds = {each["label"]: each.get("kind") for each in manifest_definition(claim())["assertions"]}
        assert kinds["cawg.metadata"] == "Json"
        assert kinds["c2pa.ai-disclosure"] is None

    def test_names_the_generator_with_the_version_of_the_specification(self, claim: Maker) -> None:
        (generator,) = manifest_definition(claim())["claim_generator_info"]
        assert generator == {"name": "Guard", "version": __version__, "specVersion": "2.4"}

    def test_holds_what_sb_942_asks_for(self, claim: Maker) -> None:
        stated = claim()
        definition = manifest_definition(stated)
        metadata = _assertion(definition, "cawg.metadata")
        assert metadata["dc:publisher"] == ["Acme & Söhne"]
        assert metadata["Iptc4xmpExt:AISystemUsed"] == "scene"
        assert metadata["Iptc4xmpExt:AISystemVersionUsed"] == "1"
        assert metadata["xmp:CreateDate"] == stated.when
        assert metadata["dc:identifier"] == "00ff00ff00ff00ff"
        assert definition["instance_id"] == "urn:guard:release:00ff00ff00ff00ff"
        prefixes = {key.partition(":")[0] for key in metadata if key != "@context"}
        assert prefixes == set(metadata["@context"])

    def test_leaves_out_what_nobody_knows(self, claim: Maker) -> None:
        definition = manifest_definition(claim(provider="", model_version=""))
        metadata = _assertion(definition, "cawg.metadata")
        assert "dc:publisher" not in metadata
        assert "Iptc4xmpExt:AISystemVersionUsed" not in metadata
        assert _actions(definition)[0]["softwareAgent"] == {"name": "scene"}
        assert "title" not in definition
        assert "contentProfile" not in _assertion(definition, "c2pa.ai-disclosure")

    def test_discloses_the_model_and_the_human_part(self, claim: Maker) -> None:
        definition = manifest_definition(claim(human_oversight="prompt_guided", title="A hill"))
        disclosure = _assertion(definition, "c2pa.ai-disclosure")
        assert disclosure["modelType"] == "c2pa.types.model"
        assert disclosure["modelName"] == "scene"
        assert disclosure["contentProfile"] == {"humanOversightLevel": "prompt_guided"}
        assert definition["title"] == "A hill"

    @pytest.mark.parametrize("use", ["allowed", "notAllowed"])
    def test_says_whether_models_may_train_on_it(self, claim: Maker, use: str) -> None:
        definition = manifest_definition(claim(training_mining=use))
        entries = _assertion(definition, "cawg.training-mining")["entries"]
        assert entries == {
            "cawg.ai_generative_training": {"use": use},
            "cawg.ai_training": {"use": use},
        }

    def test_answers_each_use_by_itself(self, claim: Maker) -> None:
        uses = {"data_mining": "constrained", "ai_inference": "allowed"}
        stated = claim(training_mining=uses, training_constraint="Ask <b>Acme</b> first.")
        entries = _assertion(manifest_definition(stated), "cawg.training-mining")["entries"]
        assert entries == {
            "cawg.data_mining": {"use": "constrained", "constraint_info": "Ask <b>Acme</b> first."},
            "cawg.ai_inference": {"use": "allowed"},
        }

    def test_its_default_is_no_training(self) -> None:
        claim = Claim("m", "1", datetime.now(UTC))
        assert claim.training_mining == "notAllowed"
