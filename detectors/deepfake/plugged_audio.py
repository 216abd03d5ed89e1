"""Sound classifiers that somebody else trained, run from files on this machine.

Nothing is fetched and nothing is unpickled. Each class is made from a `detectors.plugged.Entry`; weights load
at the first `inspect`, after their SHA-256 was compared with the entry's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, Finding, abstained
from detectors.deepfake.loading import checkpoint
from detectors.deepfake.networks import answers, card_of, filled, label_of, scored
from detectors.explain import Explanation, seconds
from detectors.quality import band_limited, first, opening, short_sound, silent
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.plugged import Entry

    Sound = NDArray[np.float32]

__all__ = ["AasistSound", "TransformersSound"]

_RATE = 16_000
_LEAST_RATE = 7_000
"""Hertz that a sound must reach: to what learned from wide-band speech a telephone sounds synthetic."""


class PluggedSound(ABC):
    """What all of them do: gates, the network's log-odds, calibration where the entry has one."""

    longest = 60.0
    """Seconds from the start that are heard."""
    about = ""
    licence = "see the checkpoint"
    limits = ""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.card = card_of(
            entry,
            Modality.AUDIO,
            f"{self.about} Weights: {entry.place}.",
            uncalibrated="scores are the network's own",
            seconds=120.0,
            licence=self.licence,
            data="see the checkpoint's own card",
            limits=self.limits,
            abstains="below 1 s, on silence, and on sound with nothing above 7 kHz, such as a telephone's",
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the weights cannot be used."""
        sound, rate = opening(artifact, self.longest)
        if why := _too_little(sound, rate):
            return [abstained(self.card, why)]
        return [scored(self.card, self.entry, self.raw([_at_16_khz(sound, rate)])[0])]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each stretch of the sound adds to the log-odds, by silencing it."""
        sound, rate = opening(artifact, self.longest)
        if _too_little(sound, rate):
            return None
        times = seconds(_at_16_khz(sound, rate), _RATE, self.raw)
        return Explanation(self.card.id, self.card.signal, times=times)

    @abstractmethod
    def raw(self, sounds: Sequence[Sound]) -> list[float]:
        """The log-odds of each mono sound at 16 kHz, above 0 toward the signal."""


class AasistSound(PluggedSound):
    """AASIST or AASIST-L with the published weights: windows of 4 s, whose median counts."""

    about = "AASIST, trained on the speech of ASVspoof 2019 (logical access)."
    licence = "MIT; trained on ASVspoof 2019 (ODC-BY)"
    limits = "On other speech little better than chance: equal error rate 38 % on vendors' demo pages."

    def raw(self, sounds: Sequence[Sound]) -> list[float]:
        """The median, over windows, of the logit of spoofed less that of bona fide."""
        import numpy as np

        from detectors.deepfake.aasist import SAMPLES

        return [float(np.median(answers(self._network, _windows(sound, SAMPLES)))) for sound in sounds]

    @cached_property
    def _network(self) -> Any:
        from detectors.deepfake.aasist import Aasist, Margin

        return Margin(filled(Aasist(24 if self.entry.kind == "aasist-l" else 64), self.entry))


class TransformersSound(PluggedSound):
    """Any audio-classification checkpoint of transformers; the entry's label is the signal's class."""

    longest = 30.0
    about = "A sound classifier in the format of transformers."

    def raw(self, sounds: Sequence[Sound]) -> list[float]:
        """The label's log-odds against all other classes."""
        import torch

        model, extractor, label = self._parts
        found = []
        for sound in sounds:  # one by one: what pads a batch would be heard
            with torch.inference_mode():
                logits = model(**extractor(sound, sampling_rate=_RATE, return_tensors="pt")).logits[0]
            others = [index for index in range(len(logits)) if index != label]
            found.append(float(logits[label] - logits[others].logsumexp(0) if others else logits[label]))
        return found

    @cached_property
    def _parts(self) -> tuple[Any, Any, int]:
        model = checkpoint(self.entry, "AutoModelForAudioClassification")
        extractor = checkpoint(self.entry, "AutoFeatureExtractor")
        return model, extractor, label_of(self.entry, dict(model.config.id2label))


def _too_little(sound: Sound, rate: int) -> str:
    return first(short_sound(len(sound) / rate), silent(sound), band_limited(sound, rate, _LEAST_RATE))


def _at_16_khz(sound: Sound, rate: int) -> Sound:
    import soxr

    heard: Sound = soxr.resample(sound, rate, _RATE)
    return heard


def _windows(sound: Sound, length: int) -> Sound:
    """(n, length): the sound in windows, the last one ending where it ends; a short one repeated, as the
    network learned it."""
    import numpy as np

    if len(sound) <= length:
        return np.tile(sound, -(-length // len(sound)))[None, :length]
    starts = [*range(0, len(sound) - length, length), len(sound) - length]
    return np.stack([sound[start : start + length] for start in starts])
