"""`guard trust`, and `guard credential show` with trust of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guard.provenance.certificates import issue_development
from tests.unit.cli.conftest import Guard

AUTHORITY = issue_development()[2]


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "partner.pem"
    path.write_text(AUTHORITY)
    return path


@pytest.fixture
def signed(guard: Guard, photo: Path, tmp_path: Path) -> Path:
    out = tmp_path / "signed.png"
    assert guard("credential", "sign", photo, "--out", out).code == 0
    return out


def test_the_official_lists_are_shown_with_their_date(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_TRUST_DAYS", "100000")
    ran = guard("trust", "show", "--json")
    assert ran.code == 0
    assert [(each["name"], each["certificates"], each["dated"]) for each in ran.records] == [
        ("c2pa-signers", 30, "2026-08-05"),
        ("c2pa-timestamps", 22, "2026-08-05"),
    ]
    assert "c2pa-signers  signers  30 certificates of 2026-08-05  https://" in guard("trust", "show").out


def test_lists_out_of_date_are_warned_of(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_TRUST_DAYS", "1")
    ran = guard("trust", "show")
    assert ran.code == 1
    assert "may be out of date. Fetch them anew with: guard trust refresh" in ran.err
    monkeypatch.setenv("GUARD_TRUST_OFFICIAL", "false")
    ran = guard("trust", "show")
    assert ran.code == 0
    assert "not used: GUARD_TRUST_OFFICIAL is off" in ran.out


def test_a_list_is_added_and_removed(guard: Guard, pem: Path) -> None:
    added = guard(
        "trust", "add", pem, "--name", "partner", "--kind", "interim", "--dated", "2026-01-02", "--json"
    )
    assert added.record == {
        "name": "partner",
        "title": "partner",
        "kind": "interim",
        "dated": "2026-01-02",
        "certificates": 1,
        "source": "partner.pem",
        "used": True,
    }
    assert guard("trust", "show", "--json").records[-1]["name"] == "partner"
    assert guard("trust", "remove", "partner").code == 0
    ran = guard("trust", "remove", "partner")
    assert (ran.code, "No trust list 'partner'" in ran.err) == (2, True)


def test_today_is_the_date_of_a_list_without_one(guard: Guard, pem: Path) -> None:
    dated = guard("trust", "add", pem, "--name", "partner", "--json").record["dated"]
    assert abs((datetime.now(UTC).date() - datetime.fromisoformat(dated).date()).days) <= 1


@pytest.mark.parametrize(("content", "why"), [(b"", "no certificates"), (None, "cannot be read")])
def test_a_file_that_is_no_list(guard: Guard, tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    ran = guard("trust", "add", path, "--name", "bad")
    assert ran.code == 2
    assert why in ran.err


def test_refreshing_asks_only_where_it_was_told(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "guard.provenance.fetch.Fetcher.get", lambda _, url: asked.append(url) or AUTHORITY.encode()
    )
    monkeypatch.setenv("GUARD_TRUST_URL", "https://mirror.example/signers.pem")
    ran = guard("trust", "refresh", "--json")
    assert [each["certificates"] for each in ran.records] == [1, 1]
    assert asked[0] == "https://mirror.example/signers.pem"
    assert guard("trust", "show").code == 0


class TestShow:
    def test_the_list_and_its_date_are_named(self, guard: Guard, signed: Path) -> None:
        shown = guard("credential", "show", signed)
        assert "trusted by   this Guard's own authorities" in shown.out

    def test_given_lists_replace_all_others(self, guard: Guard, signed: Path, pem: Path) -> None:
        ran = guard("credential", "show", signed, "--trust", pem, "--json")
        assert (ran.code, ran.record["state"], ran.record["trusted_by"]) == (0, "valid", None)

    def test_crjson_for_the_conformance_programme(
        self, guard: Guard, signed: Path, pem: Path, template_home: Path
    ) -> None:
        own = template_home / "keys" / "anchors.pem"
        for option, code in (("--trust", "trusted"), ("--tsa", "untrusted")):
            report = guard("credential", "show", signed, "--crjson", option, own).record
            results = report["manifests"][0]["validationResults"]
            codes = [each["code"] for kind in ("success", "failure") for each in results[kind]]
            assert f"signingCredential.{code}" in codes

    def test_today_is_the_only_time(self, guard: Guard, signed: Path) -> None:
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        assert guard("credential", "show", signed, "--at", today).code == 0
        ran = guard("credential", "show", signed, "--at", "2020-01-01")
        assert ran.code == 2
        assert "as of today" in ran.err

    def test_a_list_that_is_none(self, guard: Guard, signed: Path) -> None:
        ran = guard("credential", "show", signed, "--trust", signed)
        assert ran.code == 2
        assert "cannot be used as a trust list" in ran.err

    def test_ingredients_are_a_tree(self, guard: Guard, shared_data: Path) -> None:
        folder = shared_data / "c2pa"
        roots = folder / "trust/test_cert_root_bundle.pem"
        shown = guard("credential", "show", folder / "rs__CIE-sig-CA.jpg", "--trust", roots).out
        assert (
            "  └ invalid  E-sig-CA.jpg  componentOf  C2PA Test Signing Cert  claimSignature.mismatch\n"
            in shown
        )
        assert "    └ absent  A.jpg  parentOf\n" in shown

    def test_what_is_not_covered_is_warned_of(self, guard: Guard, shared_data: Path) -> None:
        film = shared_data / "c2pa/rs__video1.mp4"
        assert (
            "  warning: The signature does not cover the XMP metadata"
            in guard("credential", "show", film).out
        )
        warnings = guard("verify", film, "--json").record["warnings"]
        assert any("XMP metadata of the file" in warning for warning in warnings)


def test_old_lists_are_named_with_what_was_judged_by_them(
    guard: Guard, signed: Path, no_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "which is long ago" not in guard("credential", "show", signed).out
    monkeypatch.setenv("GUARD_TRUST_DAYS", "1")
    for command in (("credential", "show"), ("verify",)):
        assert "the C2PA TSA Trust List of 2026-08-05, which is long ago" in guard(*command, signed).out
