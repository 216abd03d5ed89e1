"""The whole story of one picture: generated, released, and verified after what may happen to it out there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from detectors import DetectorCard
from guard.app import App, open_app
from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.pipeline import Release
from guard.provenance.keys import KeyStore
from guard.settings import Settings
from guard.trace import StepTimes
from guard.verdict import Verdict, VerdictState
from models.base import GenerationRequest, ModelCard
from models.registry import load

__all__ = ["PROMPT", "Step", "Story", "tell"]

PROMPT = "a lake at dawn with a red hot-air balloon, a small white house on the left and a woman with a dog"
SEED = 11
SIZE = "1024x768"
_RESIZED = 0.7
_QUALITY = 70


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the story: what was done to it, what Guard should say, what it said, and how fast."""

    file: Path
    done: str
    expected: VerdictState
    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happened; `detectors` did the screening, `seconds` are the release's, by step."""

    folder: Path
    prompt: str
    model: ModelCard
    detectors: list[DetectorCard]
    release: Release
    seconds: dict[str, float]
    steps: tuple[Step, ...]

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the right one."""
        return all(step.verdict.state is step.expected for step in self.steps)


def tell(folder: Path) -> Story:
    """Play the story in `folder`, where its files stay.

    Keys and ledger are its own, in `folder/guard-home`: neither the user's settings nor their state are
    touched. Raises `InputError` where the folder cannot be written.
    """
    home = folder / "guard-home"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}.", "Choose another --out-dir."
        ) from error
    KeyStore(home).init_development(force=True)
    with open_app(Settings.model_construct(home=home)) as app:
        times = StepTimes()
        scene = load("scene")
        request = GenerationRequest(
            PROMPT, Modality.IMAGE, seed=SEED, mime="image/png", parameters={"size": SIZE}
        )
        [release] = app.guard(times).generate(scene, request)
        steps = tuple(_verified(app, folder, release.artifact))
        cards = [detector.card for detector in app.detectors]
    return Story(folder, PROMPT, scene.card, cards, release, times.seconds, steps)


def _verified(app: App, folder: Path, released: Artifact) -> Iterator[Step]:
    verifier = app.verifier()
    for name, done, expected, data in _fates(released):
        path = folder / name
        path.write_bytes(data)
        start = perf_counter()
        verdict = verifier.verify(Artifact.from_path(path), name=name)
        yield Step(path, done, expected, verdict, perf_counter() - start)


def _fates(released: Artifact) -> Iterator[tuple[str, str, VerdictState, bytes]]:
    """File name, what was done, the verdict it deserves, and the bytes."""
    yield "01-released.png", "nothing: as it left Guard", VerdictState.TRUSTED, released.data
    yield (
        "02-reposted.jpg",
        f"metadata stripped, resized to {_RESIZED:.0%}, JPEG {_QUALITY}",
        VerdictState.RECOVERED,
        _reposted(released),
    )
    yield "03-edited.png", "a part pixelated, credential kept", VerdictState.ALTERED, _edited(released.data)
    yield "04-unrelated.jpg", "an unrelated photo", VerdictState.NO_EVIDENCE, _photo()


def _reposted(released: Artifact) -> bytes:
    """The picture as a social network would hand it on."""
    small = cv2.resize(released.picture.rgb(0), None, fx=_RESIZED, fy=_RESIZED, interpolation=cv2.INTER_AREA)
    picture = Picture.from_array(np.asarray(small))
    return Artifact.from_picture(picture, "image/jpeg", quality=_QUALITY).data


def _edited(png: bytes) -> bytes:
    """A PNG with other pixels in one place and everything else as it was, the credential included."""
    pixels = Artifact.from_bytes(png).picture.rgb(0).copy()
    height, width, _ = pixels.shape
    patch = pixels[height // 3 : height // 2, width // 3 : width // 2]
    coarse = cv2.resize(patch, (8, 8), interpolation=cv2.INTER_AREA)
    patch[...] = cv2.resize(coarse, patch.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    repainted = Artifact.from_picture(Picture.from_array(pixels), "image/png").data
    data = b"".join(body for kind, body in _chunks(repainted) if kind == b"IDAT")
    chunks = [(kind, body) for kind, body in _chunks(png) if kind != b"IDAT"]
    chunks.insert(-1, (b"IDAT", data))
    return png[:8] + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG: a length, a type, the body, a checksum (PNG 3rd ed. §5.3)."""
    start = 8
    while start < len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        yield kind, png[start + 8 : start + 8 + length]
        start += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _photo() -> bytes:
    """A real photograph that comes with matplotlib: Grace Hopper, U.S. Navy, in the public domain."""
    found = find_spec("matplotlib")  # not imported: that takes long and makes folders in the user's home
    if found is None or found.origin is None:
        raise InputError("The demo's photo comes with matplotlib, which is missing.", "Install Guard again.")
    return (Path(found.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg").read_bytes()
