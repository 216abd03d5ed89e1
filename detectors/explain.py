"""Why a detector says what it says: which words, which part of a picture, which seconds.

`words`, `patches` and `seconds` explain any model by occlusion (Zeiler and Fergus, 2014): what the output
loses when a part is taken away. Detectors that know better do it their own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from detectors.base import Context, Detector, Span
from detectors.budget import within
from guard.errors import DetectorError
from guard.media import Artifact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Explains", "Explanation", "explained", "patches", "seconds", "words"]

EFFORT = 5
_WORD = re.compile(r"\S{1,64}")


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What each part contributed to a finding: above 0 toward the signal, below 0 against it.

    `tokens` are places in a text; `heat` (rows, columns), float32, lies over the whole picture; `times` are
    (start, end, contribution) in seconds.
    """

    detector: str
    signal: str
    tokens: tuple[tuple[Span, float], ...] = ()
    heat: NDArray[np.float32] | None = None
    times: tuple[tuple[float, float, float], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What `guard inspect --explain --json` prints."""
        heat = None if self.heat is None else [[round(float(v), 4) for v in row] for row in self.heat]
        return {
            "detector": self.detector,
            "signal": self.signal,
            "tokens": [[span.start, span.end, round(value, 4)] for span, value in self.tokens],
            "heat": heat,
            "times": [[round(start, 3), round(end, 3), round(value, 4)] for start, end, value in self.times],
        }


@runtime_checkable
class Explains(Protocol):
    """A detector that can say why."""

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        """Contributions to the main signal's finding; None where it abstains. Raises `DetectorError`."""


def explained(detector: Detector, artifact: Artifact, context: Context) -> Explanation | DetectorError | None:
    """What a detector says of its reasons; None where it cannot say or abstains, the error where it fails.

    It has as long for this as for `EFFORT` answers.
    """
    if not isinstance(detector, Explains):
        return None
    explain = detector.explain
    try:
        return within(detector.card, lambda: explain(artifact, context), times=EFFORT)
    except DetectorError as error:
        return error
    except Exception as error:  # a detector is a plug-in: anything may come out of it
        return DetectorError(f"{type(error).__name__}: {error}")


def words(
    text: str, scores: Callable[[Sequence[str]], Sequence[float]], most: int = 200
) -> tuple[tuple[Span, float], ...]:
    """What each of the first `most` words adds to the score: the whole text's less that without the word."""
    places = [match.span() for _, match in zip(range(most), _WORD.finditer(text), strict=False)]
    whole, *without = scores([text, *(f"{text[:start]}{text[end:]}" for start, end in places)])
    return tuple(
        (Span(start, end, text[start:end]), float(whole - value))
        for (start, end), value in zip(places, without, strict=True)
    )


def patches(
    pixels: NDArray[np.uint8],
    scores: Callable[[Sequence[NDArray[np.uint8]]], Sequence[float]],
    rows: int = 8,
    columns: int = 8,
) -> NDArray[np.float32]:
    """What each patch of a picture (H, W, 3) adds to the score: the whole's less that with the patch in the
    picture's mean colour. (rows, columns), or fewer where the picture is smaller than that."""
    import numpy as np

    height, width = pixels.shape[:2]
    rows, columns = min(rows, height), min(columns, width)
    mean = pixels.reshape(-1, pixels.shape[2]).mean(axis=0).astype(np.uint8)
    whole = scores([pixels])[0]
    heat = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        covered = []
        for column in range(columns):
            copy = pixels.copy()
            down = slice(row * height // rows, (row + 1) * height // rows)
            across = slice(column * width // columns, (column + 1) * width // columns)
            copy[down, across] = mean
            covered.append(copy)
        heat[row] = whole - np.asarray(scores(covered), np.float32)
    return heat


def seconds(
    samples: NDArray[np.float32],
    rate: int,
    scores: Callable[[Sequence[NDArray[np.float32]]], Sequence[float]],
    most: int = 50,
) -> tuple[tuple[float, float, float], ...]:
    """What each stretch of a mono sound (n,) adds to the score: the whole's less that with it silent.

    Stretches last half a second, or longer where there would be more than `most`.
    """
    step = max(rate // 2, -(-len(samples) // most), 1)
    starts = range(0, len(samples), step)
    silenced = []
    for start in starts:
        copy = samples.copy()
        copy[start : start + step] = 0
        silenced.append(copy)
    whole, *without = scores([samples, *silenced])
    return tuple(
        (start / rate, min(start + step, len(samples)) / rate, float(whole - value))
        for start, value in zip(starts, without, strict=True)
    )
