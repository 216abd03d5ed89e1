"""`guard verify` and `guard inspect`."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors import Loaded
from detectors.blocklist import Blocklist
from guard.provenance.keys import KeyStore
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard

KEYS = [
    "file",
    "verdict",
    "modality",
    "mime",
    "sha256",
    "summary",
    "credential",
    "watermark",
    "ledger",
    "detectors",
    "warnings",
    "explanation",
]


@pytest.fixture
def released(guard: Guard, tmp_path: Path) -> Path:
    """A picture that this Guard released."""
    source, out = tmp_path / "made.png", tmp_path / "released.png"
    source.write_bytes(encoded(natural(11)))
    assert guard("release", source, "--out", out).code == 0
    return out


def test_a_released_file_is_trusted(guard: Guard, released: Path) -> None:
    ran = guard("verify", released)
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out.startswith(f"trusted  {released}\n")
    assert "Watermark: tile carries" in ran.out


def test_verdicts_have_their_stable_keys_and_name_the_file_as_it_was_given(
    guard: Guard, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(released.parent)
    record = guard("verify", "--json", "./released.png").record
    assert list(record) == KEYS
    assert record["file"] == "./released.png"
    assert record["verdict"] == "trusted"


def test_a_copy_without_metadata_is_recovered_and_fine(guard: Guard, released: Path, tmp_path: Path) -> None:
    from PIL import Image

    with Image.open(released) as picture:
        picture.save(tmp_path / "copy.jpg", quality=85)
    ran = guard("verify", "--json", tmp_path / "copy.jpg")
    assert (ran.code, ran.record["verdict"]) == (0, "recovered")


def test_one_unknown_file_makes_the_answer_no(guard: Guard, released: Path, photo: Path) -> None:
    ran = guard("verify", "--json", released, photo)
    assert ran.code == 1
    assert [record["verdict"] for record in ran.records] == ["trusted", "no-evidence"]


def test_bad_files_get_their_own_line_and_exit_2(guard: Guard, released: Path, empty: Path) -> None:
    ran = guard("verify", "--json", "missing.png", empty, released)
    assert ran.code == 2
    missing, nothing, good = ran.records
    assert missing == {"file": "missing.png", "error": "missing.png is not a file. Name a file that exists."}
    assert list(nothing) == ["file", "error"]
    assert good["verdict"] == "trusted"


def test_the_name_of_a_file_cannot_touch_the_terminal(guard: Guard, photo: Path, tmp_path: Path) -> None:
    odd = tmp_path / "\x1b[2Jgone\n.png"
    odd.write_bytes(photo.read_bytes())
    ran = guard("verify", odd)
    assert "\x1b" not in ran.out
    assert "\\x1b[2Jgone\\n.png" in ran.out
    assert guard("verify", "--json", odd).record["file"] == str(odd)


def test_bytes_that_are_no_text_can_name_a_file(guard: Guard, photo: Path, tmp_path: Path) -> None:
    odd = tmp_path / "caf\udce9.png"
    odd.write_bytes(photo.read_bytes())
    assert "caf\\udce9.png" in guard("verify", odd).out
    assert guard("verify", "--json", odd).record["file"] == str(odd)


def test_verify_needs_no_keys(guard: Guard, photo: Path, no_keys: Path) -> None:
    ran = guard("verify", photo)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("no-evidence")


def test_trust_adds_authorities(guard: Guard, released: Path, template_home: Path, no_keys: Path) -> None:
    assert guard("verify", "--json", released).record["verdict"] == "valid"
    anchors = template_home / "keys" / "anchors.pem"
    assert guard("verify", "--json", "--trust", anchors, released).record["verdict"] == "trusted"


def test_trust_may_be_given_twice(guard: Guard, released: Path, template_home: Path, tmp_path: Path) -> None:
    KeyStore(tmp_path / "other").init_development()
    other = tmp_path / "other" / "keys" / "anchors.pem"
    ours = template_home / "keys" / "anchors.pem"
    assert guard("verify", "--trust", other, "--trust", ours, released).code == 0


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_trust_that_is_no_pem_is_bad_usage(
    guard: Guard, photo: Path, tmp_path: Path, content: bytes | None
) -> None:
    pem = tmp_path / "trust.pem"
    if content is not None:
        pem.write_bytes(content)
    ran = guard("verify", "--trust", pem, photo)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be read as PEM" in ran.err


def test_a_warning_is_shown(guard: Guard, released: Path, tmp_path: Path) -> None:
    """A credential cut in half is there and unreadable: other layers answer, and the reader is told."""
    data = bytearray(released.read_bytes())
    at = data.index(b"caBX") + 4
    data[at : at + 64] = bytes(64)
    import struct
    import zlib

    (length,) = struct.unpack_from(">I", data, at - 8)
    data[at + length : at + length + 4] = struct.pack(">I", zlib.crc32(data[at - 4 : at + length]))
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(data)
    ran = guard("verify", damaged)
    assert "Warning: A credential is there but cannot be read" in ran.out


def test_limits_of_the_settings_apply(guard: Guard, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_LIMITS__MAX_BYTES", "100")
    for command in ("verify", "inspect"):
        ran = guard(command, photo)
        assert ran.code == 2
        assert "at most 100 are accepted" in ran.err


def test_wrong_settings_are_named(guard: Guard, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_LIMITS__MAX_BYTES", "many")
    ran = guard("verify", photo)
    assert ran.code == 2
    assert "GUARD_LIMITS__MAX_BYTES" in ran.err


def test_inspect_finds_nothing_in_a_harmless_text(guard: Guard, tmp_path: Path) -> None:
    text = tmp_path / "note.txt"
    text.write_text("Good morning.")
    record = guard("inspect", "--json", text).record
    assert list(record) == ["file", "modality", "mime", "sha256", "findings", "flagged"]
    assert (record["modality"], record["mime"], record["flagged"]) == ("text", "text/plain", False)
    assert {finding["flagged"] for finding in record["findings"]} == {False}


def test_inspect_says_where_a_term_stands(guard: Guard, tmp_path: Path) -> None:
    text = tmp_path / "note.txt"
    text.write_text("It says forbidden-demo-term here.")
    ran = guard("inspect", "--json", text)
    assert (ran.code, ran.record["flagged"]) == (1, True)
    spans = [span for finding in ran.record["findings"] for span in finding["spans"]]
    assert {"start": 8, "end": 27} in [{"start": span["start"], "end": span["end"]} for span in spans]
    shown = guard("inspect", text)
    assert shown.code == 1
    assert "blocklist" in shown.out
    assert "1.00" in shown.out


def test_inspect_where_no_detector_looks(guard: Guard, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.app.load_all", lambda: Loaded({"blocklist": Blocklist()}, {}))
    ran = guard("inspect", photo)
    assert ran.code == 0
    assert "no detector looks at this kind of file" in ran.out


def test_inspect_reports_a_detector_that_failed(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Blocklist, "inspect", fail)
    text = tmp_path / "note.txt"
    text.write_text("Good morning.")
    ran = guard("inspect", "--json", text)
    assert ran.code == 1
    assert ran.record["flagged"] is False
    assert "out of order" in ran.record["findings"][0]["error"]
    assert "failed" in guard("inspect", text).out
