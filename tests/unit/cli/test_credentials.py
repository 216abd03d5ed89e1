"""`guard credential`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Guard
from tests.unit.provenance.media import make


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


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.pdf", "application/pdf"),
        ("a.svg", "image/svg+xml"),
        ("a.heic", "image/heic"),
        ("a.jxl", "image/jxl"),
    ],
)
def test_types_that_guard_cannot_look_into(guard: Guard, tmp_path: Path, name: str, mime: str) -> None:
    source, out = tmp_path / f"in-{name}", tmp_path / name
    source.write_bytes(make(mime).data)
    assert guard("credential", "sign", source, "--out", out).code == 0
    assert guard("credential", "show", out, "--json").record["state"] == "trusted"
    verdict = guard("verify", out, "--json").record
    assert (verdict["verdict"], verdict["mime"]) == ("trusted", mime)
    assert verdict["watermark"]["state"] == "unsupported"
    refused = guard("release", source, "--out", tmp_path / f"no-{name}", "--model", "m")
    assert refused.code == 2
    assert f"cannot look into {mime}" in refused.err


def test_markdown_is_told_by_its_name(guard: Guard, tmp_path: Path) -> None:
    source, out = tmp_path / "in.md", tmp_path / "out.md"
    source.write_text("# A hill\n")
    assert guard("credential", "sign", source, "--out", out).code == 0
    assert out.read_text().startswith("<!-- -----BEGIN C2PA MANIFEST-----")
    assert guard("credential", "show", out, "--json").record["state"] == "trusted"


@pytest.mark.parametrize(
    ("suffix", "mime", "beside"), [(".wav", "audio/wav", False), (".mp4", "video/mp4", True)]
)
def test_files_over_the_limit_are_signed_block_by_block(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, mime: str, beside: bool
) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(make(mime).data)
    monkeypatch.setenv("GUARD_LIMITS__MAX_BYTES", "2000")
    record = guard("credential", "sign", source, "--out", out, "--json").record
    assert bool(record["sidecar"]) == beside
    assert guard("credential", "show", out, "--json").record["state"] == "trusted"
    assert guard("credential", "show", source, "--json").record["state"] == "absent"
    refused = guard("verify", out)
    assert refused.code == 2
    assert "max_bytes" in refused.err
