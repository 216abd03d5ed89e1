"""Every installed detector on input that nobody expects: it answers or abstains, within its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from detectors import Context, Detector, inspect_all, load_all
from guard.media import Artifact, Modality
from guard.media.stream import Samples
from tests.pictures import encoded, natural
from tests.unit.media.makers import video

_RATE = 8_000


def text(content: str) -> Callable[[], Artifact]:
    return lambda: Artifact.from_text(content)


def picture(pixels: np.ndarray, kind: str = "PNG") -> Callable[[], Artifact]:
    return lambda: Artifact.from_bytes(encoded(pixels, kind))


def sound(samples: np.ndarray, rate: int = _RATE, mime: str = "audio/wav") -> Callable[[], Artifact]:
    return lambda: Artifact.from_samples(Samples(rate, samples.astype(np.float32).reshape(-1, 1)), mime)


def noise(seconds: float) -> np.ndarray:
    return np.tile(0.1 * np.random.default_rng(0).standard_normal(_RATE), int(seconds))


CASES: dict[str, Callable[[], Artifact]] = {
    "empty text": text(""),
    "one letter": text("a"),
    "emoji alone": text("😀🏳️‍🌈👩‍👩‍👧‍👦" * 200),
    "10 MB of one line": text("lorem ipsum dolor sit amet " * 400_000),
    "1 MB without a blank": text("x" * 1_000_000),
    "odd blanks": text("\u00a0\u2028\u2029\u200b\u202e\ufeff\t\r\n\u3000\u180e" * 20_000),
    "escape sequences": text("\x1b[31m\x1b]8;;x\x1b\\" * 2_000),
    "marks stacked on one letter": text("a" + "\u0301" * 100_000),
    "one pixel": picture(np.zeros((1, 1, 3), np.uint8)),
    "a line of pixels": picture(natural(0, 1, 4_000)),
    "one colour": picture(np.full((300, 300, 3), 128, np.uint8)),
    "a gray picture": picture(natural(0, 300, 300)[..., 0]),
    "noise": picture(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)),
    "a JPEG of quality 1": lambda: Artifact.from_bytes(encoded(natural(1, 300, 300), "JPEG", quality=1)),
    "16 megapixels": picture(np.tile(natural(2, 400, 400), (10, 10, 1)), "JPEG"),
    "no sample": sound(np.zeros(0)),
    "one sample": sound(np.ones(1)),
    "silence": sound(np.zeros(3 * _RATE)),
    "full scale": sound(np.sign(np.sin(np.arange(3 * _RATE)))),
    "an odd rate": sound(noise(2), 11_127),
    "an hour": sound(noise(3_600)),
    "one small frame": lambda: Artifact.from_bytes(video(count=1)),
    "a still film with a tone": lambda: Artifact.from_bytes(
        video(width=192, height=160, count=20, sound_too=True)
    ),
}


@cache
def made(case: str) -> Artifact | None:
    """The case, or None where media of that kind cannot even be written."""
    try:
        return CASES[case]()
    except Exception:
        return None


def pairs() -> Iterator[object]:
    for name, detector in load_all().detectors.items():
        for case in CASES:
            yield pytest.param(detector, case, id=f"{name}-{case}")


@pytest.mark.parametrize(("detector", "case"), list(pairs()))
def test_it_answers_or_abstains(detector: Detector, case: str) -> None:
    artifact = made(case)
    if artifact is None or artifact.modality not in detector.card.modalities:
        return
    for finding in inspect_all([detector], artifact, Context("upload")):
        missing = finding.error is not None and "pip install" in finding.error
        assert finding.error is None or missing, finding.error
        if finding.state == "inconclusive":
            assert finding.inconclusive.endswith("."), "a reason is a sentence"


@pytest.mark.parametrize("case", list(CASES))
def test_every_case_but_a_sound_without_samples_can_be_made(case: str) -> None:
    assert (made(case) is None) == (case == "no sample")


def test_some_detector_looks_at_text() -> None:
    assert any(Modality.TEXT in detector.card.modalities for detector in load_all().detectors.values())
