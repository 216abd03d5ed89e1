"""`guard watermark`."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.media import Artifact, Modality
from guard.watermark import Payload, Reading, ReadingState, Strength, registry
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard

PAYLOAD = "0123456789abcdef"
KEY = "11" * 32
OTHER = "22" * 32


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two pictures to mark."""
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for seed, path in enumerate(paths):
        path.write_bytes(encoded(natural(20 + seed)))
    return paths


def test_a_payload_is_read_back(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "marked"
    ran = guard("watermark", "embed", *pictures, "--payload", PAYLOAD, "--out-dir", out, "--json")
    assert ran.code == 0
    assert ran.records[0] == {
        "file": str(pictures[0]),
        "out": str(out / "a.png"),
        "engine": "tile",
        "payload": PAYLOAD,
        "short_id": PAYLOAD[:8],
    }
    ran = guard("watermark", "read", out / "a.png", out / "b.png", "--json")
    assert ran.code == 0
    for record in ran.records:
        assert list(record) == ["file", "state", "engine", "payload", "short_id", "p_value"]
        assert (record["state"], record["payload"], record["short_id"]) == ("found", PAYLOAD, PAYLOAD[:8])
        assert record["p_value"] < 1e-6


def test_people_are_told_the_payload(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    ran = guard("watermark", "embed", pictures[0], "--payload", PAYLOAD, "--out-dir", tmp_path / "out")
    assert ran.out == f"marked  {tmp_path / 'out' / 'a.png'}\n"
    ran = guard("watermark", "read", tmp_path / "out" / "a.png")
    assert ran.out.startswith("found")
    assert f"payload {PAYLOAD}" in ran.out


def test_an_unmarked_picture_makes_the_answer_no(guard: Guard, photo: Path) -> None:
    ran = guard("watermark", "read", photo, "--json")
    assert ran.code == 1
    assert (ran.record["state"], ran.record["payload"], ran.record["short_id"]) == ("absent", None, None)
    assert guard("watermark", "read", photo).out.startswith("absent")


def test_another_key_reads_nothing(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    options = ["--payload", PAYLOAD, "--out-dir", tmp_path / "out", "--key", KEY]
    assert guard("watermark", "embed", pictures[0], *options).code == 0
    marked = tmp_path / "out" / "a.png"
    assert guard("watermark", "read", marked, "--key", KEY).code == 0
    assert guard("watermark", "read", marked, "--key", OTHER).code == 1
    assert guard("watermark", "read", marked).code == 1


def test_a_key_file_is_a_ring_newest_first(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    ring = tmp_path / "ring"
    ring.write_text(f"{OTHER}\n{KEY}\n")
    out = tmp_path / "out"
    guard("watermark", "embed", pictures[0], "--payload", PAYLOAD, "--out-dir", out, "--key", KEY)
    guard("watermark", "embed", pictures[1], "--payload", PAYLOAD, "--out-dir", out, "--key", ring)
    assert guard("watermark", "read", out / "a.png", out / "b.png", "--key", ring).code == 0
    assert guard("watermark", "read", out / "b.png", "--key", OTHER).code == 0


@pytest.mark.parametrize("content", [b"", b"not a key", KEY.encode() + b"\nshort", b"\xff"])
def test_a_damaged_key_file_is_refused(guard: Guard, photo: Path, tmp_path: Path, content: bytes) -> None:
    ring = tmp_path / "ring"
    ring.write_bytes(content)
    ran = guard("watermark", "read", photo, "--key", ring)
    assert ran.code == 2
    assert "is no key file" in ran.err


def test_a_passphrase_works_and_is_said_aloud(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    options = ["--payload", PAYLOAD, "--out-dir", tmp_path / "out", "--key", "correct horse"]
    ran = guard("watermark", "embed", pictures[0], *options)
    assert ran.err == "guard: --key is taken as a passphrase.\n"
    marked = tmp_path / "out" / "a.png"
    assert guard("watermark", "read", marked, "--key", "correct horse").code == 0
    assert guard("watermark", "read", marked, "--key", "wrong horse").code == 1


def test_a_mistyped_key_path_is_no_passphrase(guard: Guard, photo: Path) -> None:
    ran = guard("watermark", "read", photo, "--key", "keys/rign")
    assert ran.code == 2
    assert "There is no key file keys/rign" in ran.err


def test_a_key_too_long_for_a_path_is_a_passphrase(guard: Guard, photo: Path) -> None:
    assert guard("watermark", "read", photo, "--key", "long " * 1000).code == 1


def test_without_keys_the_remedy_is_to_make_some(guard: Guard, photo: Path, no_keys: Path) -> None:
    ran = guard("watermark", "read", photo)
    assert ran.code == 2
    assert "guard keys init" in ran.err


def test_the_strength_reaches_the_engine(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    sizes = {}
    for strength in ("invisible", "robust"):
        out = tmp_path / strength
        options = ["--payload", PAYLOAD, "--out-dir", out, "--strength", strength]
        assert guard("watermark", "embed", pictures[0], *options).code == 0
        marked = Artifact.from_path(out / "a.png").picture.rgb(0).astype(int)
        sizes[strength] = abs(marked - natural(20)).mean()
    assert sizes["robust"] > sizes["invisible"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--payload", "xyz"], "is not a payload"),
        (["--payload", PAYLOAD, "--engine", "magic"], "no watermark engine 'magic'"),
        (["--payload", PAYLOAD, "--strength", "deafening"], "deafening"),
    ],
)
def test_bad_usage(guard: Guard, photo: Path, tmp_path: Path, options: list[str], message: str) -> None:
    ran = guard("watermark", "embed", photo, "--out-dir", tmp_path / "out", *options)
    assert ran.code == 2
    assert message in ran.err


def test_originals_are_kept_even_in_their_own_folder(guard: Guard, pictures: list[Path]) -> None:
    before = pictures[0].read_bytes()
    folder = pictures[0].parent
    ran = guard("watermark", "embed", *pictures, "--payload", PAYLOAD, "--out-dir", folder, "--json")
    assert ran.code == 2
    assert all("is the input itself" in record["error"] for record in ran.records)
    assert pictures[0].read_bytes() == before


def test_two_files_of_one_name_are_refused(guard: Guard, pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    twin = tmp_path / "sub" / "a.png"
    twin.write_bytes(pictures[0].read_bytes())
    ran = guard("watermark", "embed", pictures[0], twin, "--payload", PAYLOAD, "--out-dir", tmp_path / "out")
    assert ran.code == 2
    assert "Two of the files are named a.png" in ran.err


def test_a_folder_that_cannot_be_made(guard: Guard, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = guard("watermark", "embed", photo, "--payload", PAYLOAD, "--out-dir", tmp_path / "file" / "out")
    assert ran.code == 2
    assert "cannot be made" in ran.err


def test_other_media_than_the_engine_marks(guard: Guard, tmp_path: Path) -> None:
    text = tmp_path / "note.txt"
    text.write_text("Good morning.")
    ran = guard("watermark", "read", text, "--json")
    assert ran.code == 2
    assert "marks no text" in ran.record["error"]
    ran = guard("watermark", "embed", text, "--payload", PAYLOAD, "--out-dir", tmp_path / "out", "--json")
    assert ran.code == 2
    assert "error" in ran.record


class ShortEngine:
    """An engine of 32 bits without a presence test."""

    name = "short"
    modality = Modality.IMAGE
    alg = "tests.short"

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        return artifact

    def read(self, artifact: Artifact, *, keys: object) -> Reading:
        return Reading(ReadingState.CANDIDATE, "short", short_id=0xBEEF)


def test_a_candidate_is_no_mark(guard: Guard, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "engine", lambda _: ShortEngine())
    ran = guard("watermark", "read", photo, "--engine", "short", "--json")
    assert ran.code == 1
    assert ran.record == {
        "file": str(photo),
        "state": "candidate",
        "engine": "short",
        "payload": None,
        "short_id": "0000beef",
        "p_value": None,
    }
    assert "short id 0000beef" in guard("watermark", "read", photo, "--engine", "short").out
