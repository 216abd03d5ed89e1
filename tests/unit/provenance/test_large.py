"""Files that do not fit into memory: signed and read block by block, as the library would."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from guard.errors import CredentialError, InputError
from guard.media import Artifact
from guard.provenance import large
from guard.provenance.claim import Claim
from guard.provenance.large import read_large, sign_large
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, Trust
from tests.unit.provenance.media import make

Maker = Callable[..., Claim]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    path.write_bytes(make("audio/wav").data)
    return path


@pytest.fixture
def signed(sound: Path, claim: Maker, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(large, "_BLOCK", 1_000)
    sign_large(sound, target := sound.with_name("signed.wav"), claim(), signer)
    return target


def test_the_library_reads_what_was_written_block_by_block(signed: Path, trust: Trust) -> None:
    found = read(Artifact.from_path(signed), trust=trust)
    assert (found.state, found.release_id) == ("trusted", "00ff00ff00ff00ff")
    again = read_large(signed, trust)
    assert (again.state, again.manifest_label) == ("trusted", found.manifest_label)
    assert read_large(signed, NOBODY).state == "valid"


def test_what_the_library_wrote_is_read_block_by_block(
    tmp_path: Path, claim: Maker, signer: Signer, trust: Trust
) -> None:
    path = tmp_path / "theirs.wav"
    path.write_bytes(sign(make("audio/wav"), claim(), signer).artifact.data)
    assert read_large(path, trust).state == "trusted"


@pytest.mark.parametrize("kind", ["EC", "EC-384", "RSA"])
def test_any_kind_of_key_will_do(
    kind: str, sound: Path, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
) -> None:
    signer, authority = make_signer(kind)
    target = sound.with_name("out.wav")
    result = sign_large(sound, target, claim(), signer)
    found = read(Artifact.from_path(target), trust=Trust.of(authority))
    assert result.embedded
    assert (found.state, found.manifest_label) == ("trusted", result.label)
    assert result.manifest in target.read_bytes()


@pytest.mark.parametrize("place", [4, 30, 5_000, -5_000, -4_500])
def test_every_change_shows(signed: Path, trust: Trust, place: int) -> None:
    data = bytearray(signed.read_bytes())
    data[place] ^= 1
    signed.write_bytes(data)
    assert read_large(signed, trust).state in ("invalid", "unreadable", "absent")
    assert read_large(signed, trust).state != "trusted"


@pytest.mark.parametrize("mime", ["video/mp4", "audio/ogg", "application/pdf"])
def test_other_types_get_it_beside_them(
    mime: str, tmp_path: Path, claim: Maker, signer: Signer, trust: Trust
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(make(mime).data)
    result = sign_large(source, target, claim(), signer)
    assert not result.embedded
    assert target.read_bytes() == source.read_bytes()
    assert read_large(target, trust).state == "absent"
    assert read_large(target, trust, result.manifest).state == "trusted"
    artifact = Artifact.from_path(target)
    assert read(artifact, trust=trust, manifest=result.manifest).state == "trusted"
    target.write_bytes(source.read_bytes() + b"x")
    assert read_large(target, trust, result.manifest).state == "invalid"


def test_credentials_that_are_there_already_are_not_lost(signed: Path, claim: Maker, signer: Signer) -> None:
    with pytest.raises(CredentialError, match="carries credentials already") as refused:
        sign_large(signed, signed.with_name("again.wav"), claim(), signer)
    assert "max_bytes" in refused.value.remedy
    assert not signed.with_name("again.wav").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\0",
        lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:],
        lambda data: data[:16] + b"\xff\xff\xff\x7f" + data[20:],
        lambda data: data[:4] + (8 * 20_000 + 4).to_bytes(4, "little") + b"WAVE" + b"junk\0\0\0\0" * 20_000,
        lambda data: b"",
    ],
)
def test_a_wav_whose_sizes_are_not_true_is_signed_beside_itself(
    change: Callable[[bytes], bytes], sound: Path, claim: Maker, signer: Signer, trust: Trust
) -> None:
    sound.write_bytes(change(sound.read_bytes()))
    result = sign_large(sound, target := sound.with_name("out.wav"), claim(), signer)
    assert not result.embedded
    assert read_large(target, trust, result.manifest).state == "trusted"


@pytest.mark.parametrize("damaged", [b"", b"nonsense", bytes(5_000)])
def test_a_damaged_manifest_gives_a_state(damaged: bytes, sound: Path, trust: Trust) -> None:
    assert read_large(sound, trust, damaged).state == "unreadable"


def test_a_file_that_is_not_there(tmp_path: Path, claim: Maker, signer: Signer, trust: Trust) -> None:
    with pytest.raises(InputError):
        sign_large(tmp_path / "none.wav", tmp_path / "out.wav", claim(), signer)
    with pytest.raises(InputError):
        read_large(tmp_path / "none.wav", trust)


def test_a_full_disk_leaves_nothing_half_written(
    sound: Path, claim: Maker, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: BinaryIO | int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        sign_large(sound, sound.with_name("out.wav"), claim(), signer)
    assert [path.name for path in sound.parent.iterdir()] == ["sound.wav"]


def test_a_certificate_that_may_not_sign_claims(
    sound: Path, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
) -> None:
    signer, _ = make_signer("self-signed")
    with pytest.raises(CredentialError, match="could not be signed"):
        sign_large(sound, sound.with_name("out.wav"), claim(), signer)
