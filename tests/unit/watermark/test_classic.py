from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import MarkError, MissingExtraError
from guard.media import Artifact, Modality
from guard.media.picture import Mode, Picture
from guard.watermark.base import Payload, Reading, ReadingState, Strength
from guard.watermark.classic import classic
from guard.watermark.pictures import PictureWatermarker

PAYLOAD = Payload.from_hex("deadbeef01234567")
METHODS = ("dwtDct", "dwtDctSvd", "rivaGan")


def colourful(height: int = 256, width: int = 264, channels: int = 3) -> NDArray[np.uint8]:
    """Clouds whose detail falls off as a photograph's does, in faint colours."""
    random = np.random.default_rng(1)
    up, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    falloff = np.maximum(np.hypot(up, across), 1 / height) ** -1.3

    def clouds(contrast: float) -> NDArray[Any]:
        noise = np.fft.rfft2(random.normal(size=(height, width)))
        plane = np.fft.irfft2(noise * falloff, s=(height, width))
        return (plane - plane.mean()) / plane.std() * contrast

    colour = 128 + clouds(30)[..., None] + np.dstack([clouds(5) for _ in range(3)])
    alpha = [np.full((height, width), 200, np.uint8)] * (channels - 3)
    return np.dstack([np.clip(colour, 0, 255).astype(np.uint8), *alpha])


def still(pixels: NDArray[Any], mime: str = "image/png") -> Artifact:
    return Artifact.from_picture(Picture.from_array(pixels), mime)


def mark(engine: PictureWatermarker, artifact: Artifact, payload: Payload = PAYLOAD) -> Artifact:
    return engine.embed(artifact, payload, key=b"key", strength=Strength.DEFAULT)


def look(engine: PictureWatermarker, artifact: Artifact) -> Reading:
    return engine.read(Artifact.from_bytes(artifact.data), keys=[b"key"])


def candidate(method: str, payload: Payload = PAYLOAD) -> Reading:
    return Reading(ReadingState.CANDIDATE, method, short_id=payload.short_id)


@pytest.mark.heavy
@pytest.mark.parametrize("method", METHODS)
def test_the_short_id_is_read_back_as_a_candidate(method: str) -> None:
    engine = classic(method)
    original = still(colourful())
    marked = mark(engine, original)
    assert look(engine, marked) == candidate(method)
    before, after = original.picture.rgb(), marked.picture.rgb()
    assert cv2.PSNR(before, after) > 34


@pytest.mark.heavy
@pytest.mark.parametrize("value", [0, 1 << 32, 0x80000000_00000000, (1 << 64) - 1])
def test_every_bit_of_the_short_id_has_its_place(value: int) -> None:
    engine = classic("dwtDctSvd")
    assert look(engine, mark(engine, still(colourful()), Payload(value))).short_id == value >> 32


@pytest.mark.heavy
@pytest.mark.parametrize("method", METHODS)
def test_an_unmarked_picture_is_a_candidate_too(method: str) -> None:
    reading = look(classic(method), still(colourful()))
    assert (reading.state, reading.payload, reading.p_value) == (ReadingState.CANDIDATE, None, None)
    assert reading.short_id != PAYLOAD.short_id


@pytest.mark.heavy
@pytest.mark.parametrize("method", ["dwtDctSvd", "rivaGan"])
def test_alpha_and_sixteen_bits_stay(method: str) -> None:
    engine = classic(method)
    pixels = colourful(channels=4).astype(np.uint16) * 257 + 3
    marked = mark(engine, still(pixels)).picture.frames[0]
    assert marked.dtype == np.uint16
    assert np.array_equal(marked[..., 3], pixels[..., 3])
    assert 0 < np.abs(marked.astype(int) - pixels).max() < 60 * 257
    assert look(engine, still(marked)) == candidate(method)


@pytest.mark.heavy
def test_what_the_package_itself_wrote_is_read() -> None:
    from imwatermark import WatermarkEncoder

    encoder = WatermarkEncoder()
    encoder.set_watermark("bytes", PAYLOAD.short_id.to_bytes(4, "big"))
    theirs = encoder.encode(np.ascontiguousarray(colourful()[..., ::-1]), "dwtDctSvd")
    assert look(classic("dwtDctSvd"), still(theirs[..., ::-1])) == candidate("dwtDctSvd")


@pytest.mark.heavy
@pytest.mark.parametrize("mime", ["image/jpeg", "image/webp", "image/avif"])
def test_a_mild_compression_is_survived(mime: str) -> None:
    engine = classic("dwtDctSvd")
    assert look(engine, mark(engine, still(colourful(), mime))) == candidate("dwtDctSvd")


@pytest.mark.heavy
def test_every_frame_is_marked() -> None:
    engine = classic("dwtDctSvd")
    shown = tuple(np.roll(colourful(), 16 * i, axis=1) for i in range(3))
    moving = Artifact.from_picture(Picture(Mode.RGB, shown, durations=(50.0,) * 3, loop=0), "image/png")
    for frame in mark(engine, moving).picture.frames:
        assert look(engine, still(frame)) == candidate("dwtDctSvd")


@pytest.mark.heavy
@pytest.mark.parametrize("method", ["dwtDct", "dwtDctSvd"])
def test_a_picture_that_would_read_back_wrong_is_not_given_out(method: str) -> None:
    white = still(np.full((256, 256, 3), 255, np.uint8))
    with pytest.raises(MarkError, match="cannot be read back") as caught:
        mark(classic(method), white)
    assert "tile" in caught.value.remedy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "pixels",
    [colourful(255, 256), colourful(63, 2000), colourful()[..., 0], colourful()[..., :2]],
    ids=["small", "thin", "gray", "gray-alpha"],
)
def test_pictures_that_carry_nothing(method: str, pixels: NDArray[Any]) -> None:
    engine = classic(method)
    with pytest.raises(MarkError, match="in colour of at least 256 × 256 pixels"):
        mark(engine, still(pixels))
    assert look(engine, still(pixels)) == Reading(ReadingState.UNSUPPORTED, method)


@pytest.mark.heavy
def test_photographs(shared_data: Path) -> None:
    engine = classic("dwtDctSvd")
    for path in sorted((shared_data / "photos_kodak").rglob("*.png"))[:3]:
        assert look(engine, mark(engine, Artifact.from_path(path))) == candidate("dwtDctSvd")


@pytest.mark.heavy
@pytest.mark.parametrize(("method", "missing"), [("dwtDct", "imwatermark"), ("rivaGan", "onnxruntime")])
def test_without_the_extra_it_says_what_to_install(
    method: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = classic(method)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"guard-provenance\[local\]"):
        mark(engine, still(colourful()))
    with pytest.raises(MissingExtraError, match=method):
        look(engine, still(colourful()))


@pytest.mark.parametrize("method", METHODS)
def test_the_engines_name_themselves_without_the_package(method: str) -> None:
    engine = classic(method)
    assert (engine.name, engine.alg, engine.modality) == (method, f"guard.{method}.1", Modality.IMAGE)


def test_the_module_alone_imports_nothing_heavy() -> None:
    code = "import sys, guard.watermark.classic; print('torch' in sys.modules, 'imwatermark' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "False"]
