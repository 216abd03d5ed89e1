"""Whether speech bears the traces of a synthesiser: a screening signal that Guard ships."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from detectors.base import Context, DetectorCard, Finding, abstained, calibrated
from detectors.calibration import Calibration, from_json
from detectors.cards import read_report, reported
from detectors.explain import Explanation
from detectors.quality import band_limited, first, opening, short_sound, silent
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.deepfake.sound_model import Model

__all__ = ["SILENT", "SyntheticSound"]

_ID = "synthetic-sound"
_LONGEST = 60.0
_LEAST_SECONDS = 2.0
_LEAST_EDGE = 2_000
_NO_SPEECH = "There is too little in it that is loud enough, and changes enough, to be speech."
_STRANGE = "It is unlike the speech that the detector was trained on: music, noise, or a codec unknown to it."
_OPENING = f"Only the first {_LONGEST:g} s were heard."
SILENT = (
    "No clear trace of a synthesiser was found, which says nothing: many leave none that can be heard here."
)


class SyntheticSound:
    """Scores speech by how spectrum, phase and pitch move, as vocoders leave it and larynxes do not.

    It speaks only where the mean of a sound's windows of 3 s is above what it says of nearly all recordings;
    else it abstains, since synthesisers that it does not know leave no trace that it hears. It screens: alone
    it proves nothing, and its card says how often it speaks and errs. Weights load at the first `inspect`.
    """

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card, with the errors of the report that was measured beside the weights."""
        return reported(self._report, id=_ID, signal="synthetic", modality=Modality.AUDIO)

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the artifact is no sound."""
        sound, rate = _heard(artifact)
        if why := _too_little(sound, rate):
            return [abstained(self.card, why)]
        times, raws, strange = self.windows(sound, rate)
        if not times:
            return [abstained(self.card, _NO_SPEECH)]
        raw = sum(raws) / len(raws)
        if strange > self._report["strange"]:
            return [abstained(self.card, _STRANGE, raw=raw)]
        if raw <= self._report["speaks"]:
            return [abstained(self.card, SILENT, raw=raw)]
        message = _OPENING if artifact.duration > _LONGEST else ""
        return [calibrated(self.card, self.calibration, raw, self._report["threshold"], message)]

    def windows(
        self, sound: NDArray[np.float32], rate: int
    ) -> tuple[list[tuple[float, float]], list[float], float]:
        """For each window of a mono sound (n,) that has speech its start and end in seconds and its log-odds
        before calibration; and how far the windows lie from those of training, on average."""
        import numpy as np

        from detectors.deepfake.sound_features import RATE, Spoken, features, prepared, windows

        heard = [(start, Spoken(part)) for start, part in windows(prepared(sound, rate))]
        speech = [(start, spoken) for start, spoken in heard if spoken.enough and not spoken.steady]
        if not speech:
            return [], [], 0.0
        numbers = np.stack([features(spoken) for _, spoken in speech])
        times = [(start / RATE, (start + len(spoken.sound)) / RATE) for start, spoken in speech]
        strange = self._model.strange(numbers).mean()
        return times, [float(raw) for raw in self._model.logits(numbers)], float(strange)

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        """The log-odds of each window, on the time line."""
        if self.inspect(artifact, context)[0].state != "scored":
            return None
        times, raws, _ = self.windows(*_heard(artifact))
        line = tuple((start, end, raw) for (start, end), raw in zip(times, raws, strict=True))
        return Explanation(_ID, "synthetic", times=line)

    @cached_property
    def calibration(self) -> Calibration:
        """From raw output to probability."""
        return from_json(self._report["calibration"])

    @cached_property
    def _model(self) -> Model:
        from detectors.deepfake.sound_model import load

        return load(files(__package__).joinpath("weights", "sound.npz").read_bytes())

    @cached_property
    def _report(self) -> dict[str, Any]:
        return read_report("detectors.deepfake", "weights/sound.report.json")


def _heard(artifact: Artifact) -> tuple[NDArray[np.float32], int]:
    if artifact.modality is not Modality.AUDIO:
        raise DetectorError(f"This is {artifact.mime}, not a sound.", "Give it a sound.")
    return opening(artifact, _LONGEST)


def _too_little(sound: NDArray[np.float32], rate: int) -> str:
    return first(
        short_sound(len(sound) / rate, _LEAST_SECONDS),
        silent(sound),
        band_limited(sound, rate, _LEAST_EDGE),
    )
