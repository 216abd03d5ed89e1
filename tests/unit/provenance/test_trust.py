"""Whose signatures count: the purpose of each list is kept, whatever the library would take."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date

import pytest

from guard.errors import ConfigurationError
from guard.media import Artifact
from guard.provenance.crjson import crjson
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, ListKind, Trust, TrustList
from tests.unit.provenance.issuing import issue
from tests.unit.provenance.media import image, text
from tests.unit.provenance.test_read import Maker


@pytest.fixture
def signed(claim: Maker, signer: Signer) -> Artifact:
    return sign(image(), claim(), signer).artifact


def only(anchors: str, kind: ListKind, name: str = "a list") -> Trust:
    return Trust().plus(TrustList(name, anchors, kind, date(2026, 8, 5)))


class TestPurposes:
    def test_a_list_of_signers_makes_trusted_and_is_named_with_its_date(
        self, signed: Artifact, anchors: str
    ) -> None:
        found = read(signed, trust=only(anchors, ListKind.SIGNERS, "C2PA Trust List"))
        assert (found.state, found.trusted_by) == ("trusted", "C2PA Trust List of 2026-08-05")
        assert not found.interim
        assert "C2PA Trust List of 2026-08-05" in found.explanation[0]

    def test_an_authority_of_time_stamps_vouches_for_no_signer(self, signed: Artifact, anchors: str) -> None:
        trust = only(anchors, ListKind.TIMESTAMPS)
        found = read(signed, trust=trust)
        assert (found.state, found.trusted_by) == ("valid", None)
        assert "signingCredential.untrusted" in found.codes
        results = crjson(signed, trust=trust)["manifests"][0]["validationResults"]
        assert "signingCredential.trusted" not in [each["code"] for each in results["success"]]
        assert "signingCredential.untrusted" in [each["code"] for each in results["failure"]]

    def test_an_interim_list_is_shown_apart(self, signed: Artifact, anchors: str) -> None:
        found = read(signed, trust=only(anchors, ListKind.INTERIM, "the old list"))
        assert (found.state, found.interim, found.trusted_by) == ("valid", True, "the old list of 2026-08-05")
        assert "signingCredential.untrusted" not in found.codes
        assert "interim list only: the old list" in found.explanation[0]

    def test_better_lists_come_first(self, signed: Artifact, anchors: str) -> None:
        kinds = (ListKind.TIMESTAMPS, ListKind.INTERIM, ListKind.SIGNERS)
        lists = [TrustList(kind.value, anchors, kind) for kind in kinds]
        assert read(signed, trust=Trust().plus(*lists)).trusted_by == "signers"
        assert read(signed, trust=Trust().plus(*lists[:2])).trusted_by == "interim"

    def test_a_single_signer_can_be_trusted_without_its_authority(
        self, signed: Artifact, signer: Signer
    ) -> None:
        leaf = signer.certificates.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        found = read(signed, trust=only(leaf, ListKind.ALLOWED, "people I know"))
        assert (found.state, found.trusted_by) == ("trusted", "people I know of 2026-08-05")
        stranger, _ = issue("EC")
        assert read(signed, trust=only(stranger.certificates, ListKind.ALLOWED)).state == "valid"

    def test_the_same_holds_for_texts(self, claim: Maker, signer: Signer, anchors: str) -> None:
        artifact = sign(text("The hill is green.\n"), claim(), signer).artifact
        for kind, state in ((ListKind.SIGNERS, "trusted"), (ListKind.INTERIM, "valid")):
            assert read(artifact, trust=only(anchors, kind)).state == state
        assert read(artifact, trust=only(anchors, ListKind.TIMESTAMPS)).state == "valid"

    def test_other_key_purposes_can_be_demanded(self, signed: Artifact, anchors: str) -> None:
        # Of e-mail protection the library thinks well whatever it is told: the list can only add to it.
        assert read(signed, trust=replace(Trust.of(anchors), ekus=("1.2.3.4",))).state == "trusted"


class TestOfSigner:
    @pytest.mark.parametrize(
        "said",
        [
            None,
            7,
            "",
            "found in [list-9] trust anchors",
            "found in [mine] trust anchors",
            "list-0",
            "found in []",
        ],
    )
    def test_a_remark_that_names_no_list_of_ours_is_no_trust(self, said: object) -> None:
        assert Trust.of(issue("EC")[1]).of_signer(said) is None

    def test_no_single_signer_was_listed(self) -> None:
        assert Trust.of(issue("EC")[1]).of_signer("found in [] trust anchors") is None


def test_empty_lists_are_left_out() -> None:
    assert Trust.of("  \n") == NOBODY


def test_a_damaged_list_is_an_error_and_not_passed_over() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for kind in ListKind:
        with pytest.raises(ConfigurationError, match="trust anchors"):
            only(broken, kind).for_library()


def test_trust_survives_json(anchors: str) -> None:
    trust = replace(only(anchors, ListKind.INTERIM), hosts=("ocsp.example",)).plus(TrustList("b", anchors))
    assert Trust.from_record(json.loads(json.dumps(asdict(trust), default=str))) == trust
