"""Damaged files of every kind: they decode or give one of Guard's errors; no other exception, no warning, no
delay."""

from __future__ import annotations

import random

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard.errors import GuardError, InputError
from guard.media import Artifact, Modality
from tests.unit.media.makers import FILES, gradient

SAMPLES = {name: make()[1] for name, make in FILES.items()} | {
    "png-deep": cv2.imencode(".png", gradient(deep=True))[1].tobytes(),
    "tiff-deep": cv2.imencode(".tiff", gradient(deep=True))[1].tobytes(),
}


def use(data: bytes) -> Artifact | None:
    """Every view of the bytes, or None where Guard refuses them in its own words."""
    refusal: InputError | None = None
    try:
        artifact = Artifact.from_bytes(data)
        look(artifact)
    except InputError as error:
        refusal = error
    if refusal is None:
        return artifact
    assert refusal.message
    assert refusal.remedy
    return None


def look(artifact: Artifact) -> None:
    if artifact.modality is Modality.TEXT:
        assert isinstance(artifact.text, str)
    elif artifact.modality is Modality.IMAGE:
        assert artifact.picture.rgb().shape[2] == 3
    elif artifact.modality is Modality.AUDIO:
        assert artifact.samples.data.ndim == 2
        assert artifact.duration >= 0
    else:
        assert all(frame.pixels.shape[2] == 3 for frame in artifact.frames())
        assert artifact.duration >= 0


@pytest.mark.parametrize("name", SAMPLES)
def test_undamaged_files_are_used_whole(name: str) -> None:
    assert use(SAMPLES[name]) is not None


@pytest.mark.parametrize("name", SAMPLES)
def test_truncations(name: str) -> None:
    data = SAMPLES[name]
    chooser = random.Random(name)
    for _ in range(12):
        use(data[: chooser.randrange(len(data))])


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_bytes(name: str) -> None:
    data = SAMPLES[name]
    chooser = random.Random(name)
    for _ in range(25):
        broken = bytearray(data)
        reach = min(len(data), chooser.choice((40, 400, len(data))))
        for _ in range(chooser.choice((1, 1, 4, 30))):
            broken[chooser.randrange(reach)] = chooser.randrange(256)
        use(bytes(broken))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    whole = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    at = data.draw(st.integers(0, len(whole) - 1))
    insert = data.draw(st.binary(max_size=8))
    skip = data.draw(st.integers(0, 64))
    use(whole[:at] + insert + whole[at + skip :])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(4, 40), st.binary(max_size=200))
def test_any_bytes_behind_a_true_beginning(name: str, keep: int, rest: bytes) -> None:
    use(SAMPLES[name][:keep] + rest)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    use(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.sampled_from(sorted(SAMPLES)))
def test_two_files_in_one(one: str, other: str) -> None:
    use(SAMPLES[one] + SAMPLES[other])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.sampled_from(sorted(SAMPLES)))
def test_any_claim(name: str, claimed: str) -> None:
    mime = Artifact.from_bytes(SAMPLES[claimed]).mime
    try:
        artifact = Artifact.from_bytes(SAMPLES[name], claimed=mime)
    except GuardError:
        assert Artifact.from_bytes(SAMPLES[name]).mime != mime
    else:
        assert artifact.modality in Modality
