"""Photographs, generated pictures and signed files from many cameras and programs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from guard.errors import MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact, Modality
from guard.media.encode import encode

NOT_MEDIA = {"rs__dash1.m4s": UnsupportedMediaError}
"""A segment of a stream, which means nothing without the file that begins it."""
WITHOUT_PICTURES = {"rs__dashinit.mp4": MalformedMediaError}
"""The file that begins a stream: a header and no frames."""


def signed_files(shared_data: Path) -> list[Path]:
    return sorted(path for path in (shared_data / "c2pa").iterdir() if path.is_file())


def test_every_signed_file_is_read_or_refused_for_a_known_reason(shared_data: Path) -> None:
    listed = json.loads((shared_data / "c2pa" / "manifest.json").read_text())
    digests = {entry["file"]: entry["sha256"] for entry in listed["files"]}
    for path in signed_files(shared_data):
        if path.name in NOT_MEDIA:
            with pytest.raises(NOT_MEDIA[path.name], match="segment"):
                Artifact.from_path(path)
            continue
        artifact = Artifact.from_path(path)
        assert artifact.sha256 == digests.get(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        assert artifact.modality in Modality


def test_every_signed_picture_decodes(shared_data: Path) -> None:
    pictures = [path for path in signed_files(shared_data) if path.suffix == ".jpg"]
    assert len(pictures) >= 15
    for path in pictures:
        artifact = Artifact.from_path(path, claimed="image/jpeg")
        assert artifact.picture.rgb().ndim == 3, path.name


def test_every_signed_sound_and_video_decodes(shared_data: Path) -> None:
    for path in signed_files(shared_data):
        if path.suffix == ".wav":
            artifact = Artifact.from_path(path)
            assert artifact.samples.duration == pytest.approx(artifact.duration, abs=0.05), path.name
        if path.suffix == ".mp4" and path.name not in WITHOUT_PICTURES:
            assert sum(1 for _ in Artifact.from_path(path).frames()) > 10, path.name


def test_a_stream_header_without_frames_says_so(shared_data: Path) -> None:
    for name, error in WITHOUT_PICTURES.items():
        artifact = Artifact.from_path(shared_data / "c2pa" / name)
        with pytest.raises(error, match="no frames"):
            list(artifact.frames())


def test_signed_pictures_keep_their_colours_when_written_again(shared_data: Path) -> None:
    for name in ("rs__cloud.jpg", "tm__example_wm_signed.jpg"):
        artifact = Artifact.from_path(shared_data / "c2pa" / name)
        again = Artifact.from_bytes(encode(artifact.picture, artifact.mime)).picture
        assert again.icc == artifact.picture.icc
        error = again.frames[0].astype(float) - artifact.picture.frames[0]
        assert 10 * np.log10(255**2 / (error**2).mean()) > 38, name


@pytest.mark.parametrize("mime", ["image/png", "image/webp", "image/tiff"])
def test_photographs_survive_lossless_formats(shared_data: Path, mime: str) -> None:
    path = sorted((shared_data / "photos_kodak").glob("*.png"))[0]
    picture = Artifact.from_path(path).picture
    assert np.array_equal(Artifact.from_bytes(encode(picture, mime)).picture.frames[0], picture.frames[0])


@pytest.mark.parametrize(("mime", "least"), [("image/jpeg", 39), ("image/avif", 41), ("image/gif", 30)])
def test_photographs_in_lossy_formats(shared_data: Path, mime: str, least: float) -> None:
    path = sorted((shared_data / "photos_kodak").glob("*.png"))[4]
    picture = Artifact.from_path(path).picture
    error = Artifact.from_bytes(encode(picture, mime)).picture.frames[0].astype(float) - picture.frames[0]
    assert 10 * np.log10(255**2 / (error**2).mean()) > least


def test_generated_pictures_decode(shared_data: Path) -> None:
    paths = [
        path
        for path in sorted((shared_data / "ai_gpt4o").rglob("*.*"))
        if path.suffix in (".png", ".jpg", ".webp")
    ]
    assert paths
    for path in paths[:20]:
        artifact = Artifact.from_path(path)
        assert artifact.modality is Modality.IMAGE, path.name
        assert artifact.picture.rgb().size > 0


def test_recorded_digits_decode(shared_data: Path) -> None:
    paths = sorted((shared_data / "fsdd" / "recordings").glob("*.wav"))[:10]
    assert paths
    for path in paths:
        samples = Artifact.from_path(path).samples
        assert samples.rate == 8_000, path.name
        assert 0.1 < samples.duration < 3
