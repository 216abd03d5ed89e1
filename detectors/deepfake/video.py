"""Whether a video looks synthetic: its frames and its sound track, each by the detector for its kind."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from detectors.base import Context, Detector, DetectorCard, Finding, abstained
from detectors.deepfake.image import SILENT, SyntheticImage
from detectors.explain import Explanation
from detectors.quality import first, flat, opening, small_picture
from detectors.registry import load_all
from guard.errors import DetectorError, InputError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SyntheticVideo"]

_SECONDS = 30.0
_APART = 1.0
_FEWEST = 4
_AGREE = 0.75
_DISAGREE = "Frames disagree: {share:.0%} of {count} show a clear trace; {least:.0%} are needed."
_FEW = "Only {count} frames could be judged; {least} are needed."
_NOTE = (
    "Pooled over {count} frames of the first {seconds:g} s; not calibrated on videos: it is no probability."
)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that was judged: when it is shown, the log likelihood ratio of its picture, and whether the
    picture detector would have spoken."""

    time: float
    evidence: float
    clear: bool


class SyntheticVideo:
    """The picture detector on a frame a second, pooled by the median, and the sound detector on the track.

    No synthetic videos were at hand to calibrate on, so its findings carry no likelihood ratio and cannot
    make a verdict: a codec takes away much of what the picture detector looks for, and frames resemble their
    neighbours.
    """

    card = DetectorCard(
        id="synthetic-video",
        version="1",
        signal="synthetic",
        modalities=frozenset({Modality.VIDEO}),
        description="The picture detector on a frame a second, and the sound detector on the track.",
        licence="Apache-2.0",
        data="none of its own: the picture and the sound detector's",
        calibration="none on videos: the median of the frames' log likelihood ratios, halved",
        measured_error="not measured: no licensed set of synthetic and real videos was at hand",
        limits="A video's codec hides what it looks for. A high score is a reason to look closer, no more.",
        abstains=f"below {_FEWEST} frames with detail, and unless {_AGREE:.0%} of them show a clear trace",
        seconds=120.0,
    )

    def __init__(
        self, pictures: SyntheticImage | None = None, sounds: Sequence[Detector] | None = None
    ) -> None:
        self._pictures = pictures or SyntheticImage()
        self._given = sounds

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """One finding for the pictures, and one for the sound track where a sound detector is installed and
        there is a track. Raises `DetectorError` where the artifact is no video."""
        return [self._seen(artifact), *self._heard(artifact, context)]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each frame says for the time until the next one."""
        frames = self._frames(artifact)
        if len(frames) < _FEWEST:
            return None
        ends = [frame.time for frame in frames[1:]] + [frames[-1].time + _APART]
        times = tuple((f.time, end, f.evidence) for f, end in zip(frames, ends, strict=True))
        return Explanation(self.card.id, self.card.signal, times=times)

    def _seen(self, artifact: Artifact) -> Finding:
        frames = self._frames(artifact)
        if len(frames) < _FEWEST:
            return abstained(self.card, _FEW.format(count=len(frames), least=_FEWEST))
        share = sum(frame.clear for frame in frames) / len(frames)
        if share < _AGREE:
            why = (
                _DISAGREE.format(share=share, count=len(frames), least=_AGREE)
                if share > 1 - _AGREE
                else SILENT
            )
            return abstained(self.card, why)
        middle = median(frame.evidence for frame in frames)
        score = 1 / (1 + math.exp(-middle / 2))
        note = _NOTE.format(count=len(frames), seconds=_SECONDS)
        details = {"frames": [[round(frame.time, 2), round(frame.evidence, 3)] for frame in frames]}
        card = self.card
        return Finding(card.id, card.version, card.signal, score, 0.9, message=note, details=details)

    def _frames(self, artifact: Artifact) -> list[_Frame]:
        if artifact.modality is not Modality.VIDEO:
            raise DetectorError(f"This is {artifact.mime}, not a video.", "Give it a video.")
        found = []
        for time, pixels in _sampled(artifact):
            if first(small_picture(*pixels.shape[1::-1]), flat(pixels)):
                continue
            raw = self._pictures.raw(pixels)
            if raw is not None:
                found.append(_Frame(time, self._pictures.evidence(raw), raw > self._pictures.speaks))
        return found

    def _heard(self, artifact: Artifact, context: Context) -> list[Finding]:
        """The sound detectors' findings on the track, under their own names."""
        if not self._sounds:
            return []
        try:
            sound, rate = opening(artifact, _SECONDS)
        except InputError:  # there is no track that can be read
            return []
        track = Artifact.from_bytes(_wav(sound, rate), limits=artifact.limits)
        return [finding for detector in self._sounds for finding in detector.inspect(track, context)]

    @cached_property
    def _sounds(self) -> list[Detector]:
        """The installed detectors of synthetic sound; those that do not start are complained of elsewhere."""
        known = self._given if self._given is not None else list(load_all().detectors.values())
        return [d for d in known if d.card.signal == "synthetic" and Modality.AUDIO in d.card.modalities]


def _sampled(artifact: Artifact) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """A frame a second of the first half minute."""
    due = 0.0
    for frame in artifact.frames():
        if frame.time > _SECONDS:
            return
        if frame.time >= due:
            yield frame.time, frame.pixels
            due = frame.time + _APART


def _wav(mono: NDArray[np.float32], rate: int) -> bytes:
    """Mono samples (n,) as a WAV file of 16 bits."""
    import numpy as np

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
