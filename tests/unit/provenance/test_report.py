"""Whatever a manifest store holds, a credential comes out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.media import Artifact, Modality
from guard.provenance import report as report_module
from guard.provenance.certificates import issue_development
from guard.provenance.credential import CredentialState
from guard.provenance.judging import Judge
from guard.provenance.read import read
from guard.provenance.report import Report, absent, unreadable
from guard.provenance.trust import NOBODY, Trust

LABEL = "urn:c2pa:1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = [
    "claim_generator_info",
    "claim_generator",
    "signature_info",
    "instance_id",
    "assertions",
    "ingredients",
]


def _store(active: dict[str, Any], **more: Any) -> Report:
    return Report(
        {"active_manifest": LABEL, "manifests": {LABEL: active}, "validation_state": "Valid"} | more,
        Judge(NOBODY),
    )


def _actions(*actions: dict[str, Any], label: str = "c2pa.actions.v2") -> dict[str, Any]:
    return {"assertions": [{"label": label, "data": {"actions": list(actions)}}]}


class TestHostileShapes:
    @given(st.dictionaries(st.sampled_from([*KEYS, "label"]), JSON))
    def test_any_manifest_gives_a_credential(self, active: dict[str, Any]) -> None:
        found = _store(active).credential(CredentialState.VALID, ("a.b",))
        assert found.manifest_label == LABEL

    @given(JSON, JSON, JSON)
    def test_any_store_gives_a_credential(self, manifests: Any, results: Any, label: Any) -> None:
        store = {"manifests": manifests, "validation_results": results, "active_manifest": label}
        report = Report(store, Judge(NOBODY))
        assert report.state is CredentialState.INVALID
        assert report.codes("failure") == ()
        assert report.credential(report.state, ()).issuer is None

    def test_an_active_manifest_that_is_missing(self) -> None:
        report = Report(
            {"active_manifest": "urn:c2pa:gone", "manifests": {}, "validation_state": "Trusted"},
            Judge(NOBODY),
        )
        found = report.credential(report.state, ())
        assert (found.generator, found.created, found.ingredients) == (None, None, ())

    def test_parents_that_go_round_in_circles(self) -> None:
        manifest = _actions({"action": "c2pa.created", "digitalSourceType": "a"}) | {
            "ingredients": [{"relationship": "parentOf", "active_manifest": LABEL}]
        }
        assert _store(manifest).credential(CredentialState.VALID, ()).digital_source_types == ("a",)

    @pytest.mark.parametrize("error", [RecursionError("maximum recursion depth"), ValueError("bad json")])
    def test_a_store_that_cannot_be_listed(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(report_module.Report, "of", fail)
        found = read(Artifact(Modality.IMAGE, "image/png", b""), trust=NOBODY)
        assert found.state == "unreadable"
        assert str(error) in found.explanation[0]


class TestStatements:
    @pytest.mark.parametrize(
        ("active", "expected"),
        [
            ({"claim_generator_info": [{"name": "A", "version": "1"}, {"name": "B"}]}, "A 1"),
            ({"claim_generator_info": [{"name": "A"}]}, "A"),
            ({"claim_generator_info": [{}], "claim_generator": "old/1"}, "old/1"),
            ({"claim_generator": "old/1"}, "old/1"),
            ({}, None),
        ],
    )
    def test_generator(self, active: dict[str, Any], expected: str | None) -> None:
        assert _store(active).credential(CredentialState.VALID, ()).generator == expected

    def test_the_claimed_time_comes_before_the_time_stamp(self) -> None:
        stamped = {"signature_info": {"time": "2026-02-02T00:00:00Z"}}
        claimed = _actions({"action": "c2pa.created", "when": "2026-01-01T00:00:00Z"})
        assert _store(stamped).credential(CredentialState.VALID, ()).created == "2026-02-02T00:00:00Z"
        assert (
            _store(stamped | claimed).credential(CredentialState.VALID, ()).created == "2026-01-01T00:00:00Z"
        )

    @pytest.mark.parametrize("label", ["c2pa.actions", "c2pa.actions.v2", "c2pa.actions.v2__3"])
    def test_actions_of_every_version_are_read(self, label: str) -> None:
        manifest = _actions({"digitalSourceType": "x"}, label=label)
        assert _store(manifest).credential(CredentialState.VALID, ()).digital_source_types == ("x",)

    def test_the_common_name_stands_in_for_an_organisation(self) -> None:
        active = {"signature_info": {"issuer": None, "common_name": "Somebody"}}
        assert _store(active).credential(CredentialState.VALID, ()).issuer == "Somebody"

    def test_source_types_of_components_are_not_the_file_s(self) -> None:
        part = {"relationship": "componentOf", "active_manifest": "urn:c2pa:2"}
        store = {
            "active_manifest": LABEL,
            "manifests": {
                LABEL: _actions({"digitalSourceType": "own"}) | {"ingredients": [part]},
                "urn:c2pa:2": _actions({"digitalSourceType": "part"}),
            },
        }
        assert Report(store, Judge(NOBODY)).credential(CredentialState.VALID, ()).digital_source_types == (
            "own",
        )


class TestIngredients:
    def _state(self, ingredient: dict[str, Any], **delta: list[str]) -> tuple[str, list[str]]:
        changes = {kind: [{"code": code} for code in codes] for kind, codes in delta.items()}
        return self._judged(ingredient, NOBODY, changes)

    def _judged(
        self, ingredient: dict[str, Any], trust: Trust, changes: dict[str, Any]
    ) -> tuple[str, list[str]]:
        address = f"self#jumbf=/c2pa/{LABEL}/c2pa.assertions/c2pa.ingredient.v3"
        results = {"ingredientDeltas": [{"ingredientAssertionURI": address, "validationDeltas": changes}]}
        active = {"ingredients": [{"label": "c2pa.ingredient.v3"} | ingredient]}
        store = {"active_manifest": LABEL, "manifests": {LABEL: active}, "validation_results": results}
        (found,) = Report(store, Judge(trust)).credential(CredentialState.VALID, ()).ingredients
        return found["state"], found["codes"]

    def _recorded(self, **codes: list[str]) -> dict[str, Any]:
        entries = {kind: [{"code": code} for code in listed] for kind, listed in codes.items()}
        return {"active_manifest": "urn:c2pa:2", "validation_results": {"activeManifest": entries}}

    def test_without_credentials(self) -> None:
        assert self._state({}, informational=["ingredient.unknownProvenance"]) == ("absent", [])

    def test_what_is_found_today_counts_beside_what_was_recorded(self) -> None:
        recorded = self._recorded(success=["claimSignature.validated"])
        bad = ["assertion.hashedURI.mismatch"]
        assert self._state(recorded, failure=bad) == ("invalid", bad)

    def test_trust_of_today_replaces_the_distrust_that_was_recorded(self) -> None:
        recorded = self._recorded(failure=["signingCredential.untrusted"])
        assert self._state(recorded) == ("valid", ["signingCredential.untrusted"])
        trust = Trust.of(issue_development()[2])
        delta = {"code": "signingCredential.trusted", "explanation": "found in [list-0] trust anchors"}
        assert self._judged(recorded, trust, {"success": [delta]}) == ("trusted", [])
        assert self._judged(recorded, NOBODY, {"success": [delta]}) == (
            "valid",
            ["signingCredential.untrusted"],
        )

    def test_distrust_of_today_replaces_the_trust_that_was_recorded(self) -> None:
        recorded = self._recorded(success=["signingCredential.trusted"])
        assert self._state(recorded) == ("trusted", [])
        assert self._state(recorded, failure=["signingCredential.untrusted"])[0] == "valid"

    def test_old_manifests_list_passed_checks_among_the_statuses(self) -> None:
        old = {
            "active_manifest": "urn:uuid:2",
            "validation_status": [{"code": "claimSignature.validated"}, {"code": "claim.malformed"}],
        }
        assert self._state(old) == ("invalid", ["claim.malformed"])


def test_absence_and_unreadability_carry_their_reason() -> None:
    assert absent("Nothing here.").explanation == ("Nothing here.",)
    found = unreadable("it is bent", "claim.missing")
    assert (found.state, found.codes) == ("unreadable", ("claim.missing",))
    assert "it is bent" in found.explanation[0]
