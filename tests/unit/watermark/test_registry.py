from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from guard.errors import ConfigurationError, InputError, MarkError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.media.stream import Samples
from guard.watermark.audioseal import Checkpoint
from guard.watermark.base import Payload, ReadingState, Strength
from guard.watermark.registry import engine, engines


def test_the_default_comes_first() -> None:
    assert engines(Modality.IMAGE) == ("tile", "dwtDct", "dwtDctSvd", "rivaGan")
    assert engines(Modality.AUDIO) == ("dipole", "audioseal", "perth")
    assert engines(Modality.TEXT) == ()
    assert engines() == (*engines(Modality.IMAGE), *engines(Modality.AUDIO))


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.AUDIO])
def test_every_name_has_an_engine(modality: Modality) -> None:
    for name in engines(modality):
        found = engine(name)
        alg = "ai.resemble.perth.implicit" if name == "perth" else f"guard.{name}.1"
        assert (found.name, found.alg, found.modality) == (name, alg, modality)


def test_audioseal_gets_its_checkpoints_and_asks_for_those_it_lacks(tmp_path: Path) -> None:
    sound = Artifact.from_samples(Samples(16_000, np.zeros((32_000, 1), np.float32)), "audio/wav")
    missing = Checkpoint(tmp_path / "none.pth", "0" * 64)
    payload = Payload.from_hex("0123456789abcdef")
    options = {"payload": payload, "key": b"k", "strength": Strength.DEFAULT}
    with pytest.raises(ConfigurationError, match="No generator of AudioSeal"):
        engine("audioseal").embed(sound, **options)
    with pytest.raises(ConfigurationError) as refused:
        engine("audioseal", generator=missing).embed(sound, **options)
    assert "No generator" not in refused.value.message
    with pytest.raises(ConfigurationError, match="No detector of AudioSeal"):
        engine("audioseal", generator=missing).read(sound, keys=[])


def test_perth_is_only_read() -> None:
    sound = Artifact.from_samples(Samples(16_000, np.zeros((32_000, 1), np.float32)), "audio/wav")
    payload = Payload.from_hex("0123456789abcdef")
    with pytest.raises(MarkError, match="only read"):
        engine("perth").embed(sound, payload, key=b"k", strength=Strength.DEFAULT)


@pytest.mark.parametrize("name", ["", "Tile", "dwtdct", "trustmark"])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(InputError) as caught:
        engine(name)
    assert all(known in caught.value.remedy for known in engines())


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/webp", "image/gif"])
def test_the_default_engine_marks_files(mime: str) -> None:
    random = np.random.default_rng(3)
    blobs = cv2.resize(random.uniform(40, 210, (32, 32, 3)), (384, 256), interpolation=cv2.INTER_CUBIC)
    pixels = np.clip(blobs + random.normal(0, 6, blobs.shape), 0, 255).astype(np.uint8)
    original = Artifact.from_picture(Picture.from_array(pixels), mime)
    payload = Payload.from_hex("0123456789abcdef")
    marked = engine("tile").embed(original, payload, key=b"a key", strength=Strength.DEFAULT)
    reading = engine("tile").read(Artifact.from_bytes(marked.data), keys=[b"another", b"a key"])
    assert (reading.state, reading.payload, reading.key_index) == (ReadingState.FOUND, payload, 1)
    assert reading.p_value is not None
    assert reading.p_value < 1e-8
    assert engine("tile").read(original, keys=[b"a key"]).state is ReadingState.ABSENT


@pytest.mark.parametrize("mime", ["audio/wav", "audio/mpeg", "audio/ogg"])
def test_the_default_engine_marks_sounds(mime: str) -> None:
    random = np.random.default_rng(3)
    time = np.arange(6 * 24_000) / 24_000
    notes = 200 * 2 ** (random.integers(0, 24, 24).repeat(6_000) / 12)
    voice = sum(np.sin(2 * np.pi * np.cumsum(notes) / 24_000 * (n + 1)) / (n + 1) for n in range(12))
    tune = 0.15 * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)) + random.normal(0, 0.01, time.shape)
    original = Artifact.from_samples(Samples(24_000, tune[:, None].astype(np.float32)), mime)
    payload = Payload.from_hex("0123456789abcdef")
    marked = engine("dipole").embed(original, payload, key=b"a key", strength=Strength.DEFAULT)
    assert marked.mime == mime
    again = Artifact.from_bytes(marked.data)
    assert again.samples.data.shape == original.samples.data.shape
    reading = engine("dipole").read(again, keys=[b"another", b"a key"])
    assert (reading.state, reading.payload, reading.key_index) == (ReadingState.FOUND, payload, 1)
    assert reading.p_value is not None
    assert reading.p_value < 1e-8
    assert engine("dipole").read(original, keys=[b"a key"]).state is ReadingState.ABSENT


def test_the_registry_alone_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'imwatermark', 'cv2', 'scipy', 'soxr', 'av', 'audioseal'}"
    code = f"import sys, guard.watermark.registry; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
