from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.watermark.base import Payload, ReadingState, Strength
from guard.watermark.registry import engine, engines


def test_the_default_comes_first() -> None:
    assert engines() == ("tile", "dwtDct", "dwtDctSvd", "rivaGan")


@pytest.mark.parametrize("name", engines())
def test_every_name_has_an_engine(name: str) -> None:
    found = engine(name)
    assert (found.name, found.alg, found.modality) == (name, f"guard.{name}.1", Modality.IMAGE)


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


def test_the_registry_alone_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'imwatermark', 'cv2', 'scipy'}"
    code = f"import sys, guard.watermark.registry; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
