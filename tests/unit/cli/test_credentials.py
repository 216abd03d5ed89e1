"""`guard credential`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Guard


@pytest.fixture
def signed(guard: Guard, photo: Path, tmp_path: Path) -> Path:
    """A picture that carries a credential and nothing else."""
    out = tmp_path / "signed.png"
    assert guard("credential", "sign", photo, "--out", out, "--model", "dreamer").code == 0
    return out


def test_sign_and_show(guard: Guard, signed: Path) -> None:
    record = guard("credential", "show", signed, "--json").record
    assert (record["file"], record["state"]) == (str(signed), "trusted")
    assert record["soft_bindings"] == []
    assert record["release_id"]
    shown = guard("credential", "show", signed)
    assert shown.code == 0
    assert shown.out.startswith(f"trusted  {signed}\n")
    assert "issuer" in shown.out


def test_signing_says_what_it_did(guard: Guard, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert guard("credential", "sign", photo, "--out", out).out == f"signed  {out}\n"
    record = guard("credential", "sign", photo, "--out", out, "--json").record
    assert (record["file"], record["out"], record["notes"]) == (str(photo), str(out), [])
    assert record["instance_id"].startswith("urn:guard:release:")


def test_a_text_that_was_normalised_says_so(guard: Guard, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("cafe\u0301")
    assert "NFC" in guard("credential", "sign", source, "--out", out).out
    assert guard("credential", "show", out).code == 0


def test_a_file_without_credentials_makes_the_answer_no(guard: Guard, signed: Path, photo: Path) -> None:
    ran = guard("credential", "show", signed, photo, "--json")
    assert ran.code == 1
    assert [record["state"] for record in ran.records] == ["trusted", "absent"]
    assert guard("credential", "show", photo).out.startswith("absent")


def test_bad_files_have_their_own_line(guard: Guard, signed: Path, empty: Path) -> None:
    ran = guard("credential", "show", empty, signed, "--json")
    assert ran.code == 2
    assert list(ran.records[0]) == ["file", "error"]
    assert ran.records[1]["state"] == "trusted"


def test_a_stranger_sees_a_valid_credential_of_an_unknown_signer(
    guard: Guard, signed: Path, no_keys: Path
) -> None:
    ran = guard("credential", "show", signed, "--json")
    assert (ran.code, ran.record["state"]) == (0, "valid")


def test_signing_needs_keys(guard: Guard, photo: Path, tmp_path: Path, no_keys: Path) -> None:
    ran = guard("credential", "sign", photo, "--out", tmp_path / "out.png")
    assert ran.code == 2
    assert "guard keys init" in ran.err
    assert not (tmp_path / "out.png").exists()


def test_the_original_is_kept(guard: Guard, photo: Path) -> None:
    before = photo.read_bytes()
    assert guard("credential", "sign", photo, "--out", photo).code == 2
    assert photo.read_bytes() == before


def test_an_ending_that_lies_is_refused(guard: Guard, photo: Path, tmp_path: Path) -> None:
    ran = guard("credential", "sign", photo, "--out", tmp_path / "out.webp")
    assert ran.code == 2
    assert "Name it out.png" in ran.err
