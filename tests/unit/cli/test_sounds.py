"""The commands at work on sound: mark, sidecar, verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from guard.media import Artifact
from guard.media.stream import Samples
from tests.unit.cli.conftest import Guard

PAYLOAD = "0123456789abcdef"
SUFFIXES = {"wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "pcm": "audio/pcm"}


def tune(seconds: float = 6.0, rate: int = 24_000) -> Samples:
    """Something like a voice that sings: a tone with overtones, a note every quarter of a second."""
    random = np.random.default_rng(3)
    count = int(seconds * rate)
    notes = 200 * 2 ** (random.integers(0, 24, count // 6_000 + 1).repeat(6_000)[:count] / 12)
    phase = 2 * np.pi * np.cumsum(notes) / rate
    voice = sum(np.sin(phase * (n + 1)) / (n + 1) for n in range(12))
    loud = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(count) / rate)
    return Samples(rate, (0.15 * voice * loud + random.normal(0, 0.01, count)).astype(np.float32)[:, None])


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each type."""
    folder = tmp_path_factory.mktemp("sounds")
    paths = {}
    for suffix, mime in SUFFIXES.items():
        paths[suffix] = folder / f"tune.{suffix}"
        paths[suffix].write_bytes(Artifact.from_samples(tune(), mime).data)
    return paths


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A click, too short for any mark."""
    path = tmp_path / "click.wav"
    path.write_bytes(Artifact.from_samples(tune(0.2), "audio/wav").data)
    return path


@pytest.mark.parametrize("suffix", ["wav", "mp3"])
def test_a_released_sound_is_marked_signed_and_trusted(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out.{suffix}"
    record = guard("release", sounds[suffix], "--out", out, "--model", "singer", "--json").record
    assert (record["engine"], record["mime"]) == ("dipole", SUFFIXES[suffix])
    assert record["payload"] == record["release_id"]
    assert record["sidecar"] is None
    assert list(tmp_path.iterdir()) == [out]
    verdict = guard("verify", "--json", out).record
    assert (verdict["verdict"], verdict["modality"]) == ("trusted", "audio")
    assert verdict["watermark"]["payload"] == record["payload"]
    assert guard("watermark", "read", out, "--json").record["payload"] == record["payload"]


@pytest.mark.parametrize("suffix", ["ogg", "pcm"])
def test_a_sound_without_room_for_a_credential_gets_one_beside_it(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out.{suffix}"
    beside = tmp_path / f"out.{suffix}.c2pa"
    record = guard("release", sounds[suffix], "--out", out, "--json").record
    assert (record["sidecar"], record["engine"]) == (str(beside), "dipole")
    assert beside.stat().st_size > 1_000
    shown = guard("release", sounds[suffix], "--out", out).out
    assert f"{SUFFIXES[suffix]} has no place for the credential: keep {beside} beside it." in shown
    assert guard("verify", "--json", out).record["verdict"] == "trusted"
    assert guard("credential", "show", out, "--json").record["state"] == "trusted"
    data = bytearray(out.read_bytes())
    data[-9] ^= 1
    out.write_bytes(bytes(data))
    assert guard("credential", "show", out, "--json").record["state"] == "invalid"


def test_without_its_sidecar_the_mark_is_left(guard: Guard, sounds: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.ogg"
    released = guard("release", sounds["ogg"], "--out", out, "--json").record
    Path(f"{out}.c2pa").unlink()
    assert guard("credential", "show", out, "--json").record["state"] == "absent"
    copy = tmp_path / "copy.mp3"
    copy.write_bytes(Artifact.from_samples(Artifact.from_path(out).samples, "audio/mpeg").data)
    verdict = guard("verify", copy, "--json").record
    assert (verdict["watermark"]["payload"], verdict["credential"]["state"]) == (
        released["payload"],
        "absent",
    )


def test_credentials_alone(guard: Guard, sounds: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "signed.ogg"
    record = guard("credential", "sign", sounds["ogg"], "--out", out, "--json").record
    assert record["sidecar"] == f"{out}.c2pa"
    assert "beside the file" in record["notes"][0]
    assert out.read_bytes() == sounds["ogg"].read_bytes()
    shown = guard("credential", "sign", sounds["ogg"], "--out", out).out
    assert f"  credential: {out}.c2pa\n" in shown
    assert guard("credential", "show", out).out.startswith("trusted")
    signed = tmp_path / "signed.wav"
    assert guard("credential", "sign", sounds["wav"], "--out", signed, "--json").record["sidecar"] is None
    assert guard("credential", "show", signed).code == 0


def test_a_sidecar_does_not_hide_what_the_file_itself_carries(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "signed.wav"
    guard("credential", "sign", sounds["wav"], "--out", out)
    Path(f"{out}.c2pa").write_bytes(b"nonsense")
    assert guard("credential", "show", out, "--json").record["state"] == "trusted"
    assert guard("verify", out, "--json").record["credential"]["state"] == "trusted"


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_sidecar_that_is_none(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path, content: bytes
) -> None:
    copy = tmp_path / "copy.ogg"
    copy.write_bytes(sounds["ogg"].read_bytes())
    Path(f"{copy}.c2pa").write_bytes(content)
    ran = guard("credential", "show", copy, "--json")
    assert (ran.code, ran.record["state"]) == (1, "unreadable")
    verdict = guard("verify", copy, "--json").record
    assert (verdict["credential"]["state"], verdict["verdict"]) == ("unreadable", "recovered")


def test_a_sidecar_of_absurd_size_is_named(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guard.cli.files._MOST_MANIFEST", 10)
    copy = tmp_path / "copy.ogg"
    copy.write_bytes(sounds["ogg"].read_bytes())
    Path(f"{copy}.c2pa").write_bytes(bytes(11))
    ran = guard("verify", copy, "--json")
    assert ran.code == 2
    assert "too large for a credential" in ran.record["error"]


def test_sound_and_pictures_are_marked_in_one_go(
    guard: Guard, sounds: dict[str, Path], photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "marked"
    ran = guard("watermark", "embed", sounds["mp3"], photo, "--payload", PAYLOAD, "--out-dir", out, "--json")
    assert [record["engine"] for record in ran.records] == ["dipole", "tile"]
    ran = guard("watermark", "read", out / "tune.mp3", out / photo.name, "--json")
    assert ran.code == 0
    assert [record["payload"] for record in ran.records] == [PAYLOAD, PAYLOAD]
    assert guard("watermark", "read", sounds["mp3"], "--json").record["state"] == "absent"
    assert guard("watermark", "read", out / "tune.mp3", "--key", "22" * 32).code == 1


def test_the_setting_chooses_the_engine_of_sound(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARD_AUDIO_ENGINE", "magic")
    ran = guard("watermark", "read", sounds["wav"], "--json")
    assert ran.code == 2
    assert "no watermark engine 'magic'" in ran.record["error"]


def test_an_engine_of_pictures_marks_no_sound(guard: Guard, sounds: dict[str, Path], photo: Path) -> None:
    ran = guard("watermark", "read", sounds["wav"], "--engine", "tile", "--json")
    assert (ran.code, "Engine tile marks no audio" in ran.record["error"]) == (2, True)
    ran = guard("watermark", "read", photo, "--engine", "dipole", "--json")
    assert (ran.code, "Engine dipole marks no image" in ran.record["error"]) == (2, True)


def test_a_sound_too_short_for_a_mark_is_neither_marked_nor_released(
    guard: Guard, short: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = guard("watermark", "embed", short, "--payload", PAYLOAD, "--out-dir", out, "--json")
    assert ran.code == 2
    assert "error" in ran.record
    assert not list(out.iterdir())
    ran = guard("release", short, "--out", tmp_path / "out.wav")
    assert ran.code == 2
    assert ran.err
    assert not (tmp_path / "out.wav").exists()


def test_inspecting_a_sound(guard: Guard, sounds: dict[str, Path]) -> None:
    for path in sounds.values():
        record = guard("inspect", path, "--json").record
        assert (record["modality"], record["flagged"]) == ("audio", False)


@pytest.mark.parametrize("name", ["empty.wav", "noise.mp3", "broken.ogg", "odd.pcm"])
@pytest.mark.parametrize("command", [["verify"], ["watermark", "read"], ["credential", "show"], ["inspect"]])
def test_bad_files_end_in_a_sentence(guard: Guard, tmp_path: Path, name: str, command: list[str]) -> None:
    content = {
        "empty.wav": b"",
        "noise.mp3": bytes(900),
        "broken.ogg": b"OggS\0\2" + bytes(20) + b"\5",
        "odd.pcm": b"",
    }
    path = tmp_path / name
    path.write_bytes(content[name])
    ran = guard(*command, path, "--json")
    assert ran.code == 2
    assert ran.record["error"].endswith(".")


def test_samples_without_a_header_are_known_by_their_ending_alone(
    guard: Guard, sounds: dict[str, Path], tmp_path: Path
) -> None:
    nameless = tmp_path / "tune.bin"
    nameless.write_bytes(sounds["pcm"].read_bytes())
    assert guard("verify", sounds["pcm"], "--json").record["mime"] == "audio/pcm"
    assert "error" in guard("verify", nameless, "--json").record


def test_the_ending_asks_for_sound(guard: Guard, tmp_path: Path) -> None:
    out = tmp_path / "waves.wav"
    record = guard("generate", "waves on a beach at night", "--seed", "3", "--out", out, "--json").record
    assert (record["mime"], record["engine"]) == ("audio/wav", "dipole")
    assert guard("verify", out, "--json").record["verdict"] == "trusted"
