"""Whether a picture bears the traces of a generator's last layers: a screening signal that Guard ships."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, DetectorCard, Finding, abstained
from detectors.calibration import Calibration, from_json
from detectors.cards import measurements, read_report
from detectors.explain import Explanation
from detectors.quality import first, flat, recompressed, small_picture
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.deepfake.image_model import Model

__all__ = ["MOST", "SILENT", "SyntheticImage"]

_ID = "synthetic-image"
_PLAIN = "The picture is a plain surface wherever it was looked at: there is no detail to judge."
MOST = 6
"""Windows of 256 pixels that are looked at in one picture."""
SILENT = "No clear trace of a generator was found, which says nothing: many leave none that can be seen here."
_ROWS = 8
_LEAST_QUALITY = 60


class SyntheticImage:
    """Scores pictures by the grain that upsampling leaves and cameras do not.

    It only speaks where the mean of a picture's windows is above what it said of any photograph that it was
    calibrated on, under all controls; else it abstains, since generators that it does not know leave no trace
    that it sees. It screens: alone it proves nothing, and its card says how often it speaks and errs. Weights
    load at the first `inspect`.
    """

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card, with the errors of the report that was measured beside the weights."""
        report = self._report
        return DetectorCard(
            id=_ID,
            version=f"1+{report['weights']['sha256'][:12]}",
            signal="synthetic",
            modalities=frozenset({Modality.IMAGE}),
            sources=measurements(report),
            false_alarms=report["false_alarms"],
            report=report,
            **report["card"],
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the artifact is no picture."""
        pixels = _pixels(artifact)
        if why := first(
            small_picture(*pixels.shape[1::-1]), flat(pixels), recompressed(artifact, _LEAST_QUALITY)
        ):
            return [abstained(self.card, why)]
        raw = self.raw(pixels)
        if raw is None or raw <= self.speaks:
            return [abstained(self.card, _PLAIN if raw is None else SILENT)]
        return [self._finding(raw, len(artifact.picture.frames))]

    def raw(self, pixels: NDArray[np.uint8]) -> float | None:
        """The mean log-odds of a picture's windows before calibration; None where all of them are plain.

        `pixels` is RGB (H, W, 3), 128 a side at least.
        """
        import numpy as np

        from detectors.deepfake.image_features import features, windows

        found = [features(window) for _, _, window in windows(pixels, MOST)]
        return float(self._model.logits(np.stack(found)).mean()) if found else None

    def evidence(self, raw: float) -> float:
        """What a raw output is worth as a natural logarithm of the likelihood ratio."""
        return math.log(self.calibration.likelihood_ratio(raw))

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        """The log likelihood ratio of what lies around each place: above 0 where it looks synthetic."""
        import numpy as np

        from detectors.deepfake.image_features import around, features

        if self.inspect(artifact, context)[0].state != "scored":
            return None
        grid = around(_pixels(artifact), _ROWS)
        found = np.stack([features(window) for row in grid for window in row])
        heat = [self.evidence(float(raw)) for raw in self._model.logits(found)]
        return Explanation(_ID, "synthetic", heat=np.array(heat, np.float32).reshape(len(grid), -1))

    def _finding(self, raw: float, frames: int) -> Finding:
        card, calibration = self.card, self.calibration
        return Finding(
            card.id,
            card.version,
            card.signal,
            calibration.probability(raw),
            self._report["threshold"],
            message="Only the first frame or page was looked at." if frames > 1 else "",
            likelihood_ratio=calibration.likelihood_ratio(raw),
        )

    @property
    def speaks(self) -> float:
        """The raw output above which the detector gives a score."""
        return float(self._report["speaks"])

    @cached_property
    def calibration(self) -> Calibration:
        """From raw output to probability."""
        return from_json(self._report["calibration"])

    @cached_property
    def _model(self) -> Model:
        from detectors.deepfake.image_model import shipped

        return shipped()

    @cached_property
    def _report(self) -> dict[str, Any]:
        return read_report("detectors.deepfake", "weights/image.report.json")


def _pixels(artifact: Artifact) -> NDArray[np.uint8]:
    if artifact.modality is not Modality.IMAGE:
        raise DetectorError(f"This is {artifact.mime}, not a picture.", "Give it a picture.")
    return artifact.picture.rgb()
