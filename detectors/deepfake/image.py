"""Whether a picture bears the traces of a generator's last layers: a screening signal that Guard ships."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, DetectorCard, Finding, abstained, calibrated
from detectors.calibration import Calibration, from_json
from detectors.cards import read_report, reported
from detectors.explain import Explanation
from detectors.quality import first, flat, recompressed, small_picture
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.deepfake.image_network import Network

__all__ = ["MOST", "SILENT", "SyntheticImage"]

_ID = "synthetic-image"
_PLAIN = "The picture is a plain surface wherever it was looked at: there is no detail to judge."
MOST = 12
"""Crops of 128 pixels that are looked at in one picture."""
_FIRST = "Only the first frame or page was looked at."
SILENT = "No clear trace of a generator was found, which says nothing: many leave none that can be seen here."
_ROWS = 8
_LEAST_QUALITY = 60


class SyntheticImage:
    """Scores pictures by how neighbouring pixels go together, which a generator's last layers give away.

    It only speaks where the mean of a picture's crops gives a probability of 0.9, and lies above what at most
    one calibration photograph in twenty reached under the worst control; else it abstains, since generators
    that it does not know leave no trace that it sees. It screens: alone it proves nothing, and its card says
    how often it speaks and errs. Weights load at the first `inspect`.
    """

    @cached_property
    def card(self) -> DetectorCard:
        """The detector's card, with the errors of the report that was measured beside the weights."""
        return reported(self._report, id=_ID, signal="synthetic", modality=Modality.IMAGE)

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the artifact is no picture."""
        pixels = _pixels(artifact)
        if why := first(
            small_picture(*pixels.shape[1::-1]), flat(pixels), recompressed(artifact, _LEAST_QUALITY)
        ):
            return [abstained(self.card, why)]
        raw = self.raw(pixels)
        if raw is None or raw <= self.speaks:
            return [abstained(self.card, _PLAIN if raw is None else SILENT, raw=raw)]
        message = _FIRST if len(artifact.picture.frames) > 1 else ""
        return [calibrated(self.card, self.calibration, raw, self._report["threshold"], message)]

    def raw(self, pixels: NDArray[np.uint8]) -> float | None:
        """The mean log-odds of a picture's crops before calibration; None where all of them are plain.

        `pixels` is RGB (H, W, 3), 128 a side at least.
        """
        import numpy as np

        from detectors.deepfake.image_crops import crops

        found = [crop for _, _, crop in crops(pixels, MOST)]
        return float(self._network.logits(np.stack(found)).mean()) if found else None

    def evidence(self, raw: float) -> float:
        """What a raw output is worth as a natural logarithm of the likelihood ratio."""
        return math.log(self.calibration.likelihood_ratio(raw))

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:
        """The log likelihood ratio of what lies around each place: above 0 where it looks synthetic."""
        import numpy as np

        from detectors.deepfake.image_crops import around

        if self.inspect(artifact, context)[0].state != "scored":
            return None
        grid = around(_pixels(artifact), _ROWS)
        found = np.stack([crop for row in grid for crop in row])
        heat = [self.evidence(float(raw)) for raw in self._network.logits(found)]
        return Explanation(_ID, "synthetic", heat=np.array(heat, np.float32).reshape(len(grid), -1))

    @property
    def speaks(self) -> float:
        """The raw output above which the detector gives a score."""
        return float(self._report["speaks"])

    @cached_property
    def calibration(self) -> Calibration:
        """From raw output to probability."""
        return from_json(self._report["calibration"])

    @cached_property
    def _network(self) -> Network:
        from detectors.deepfake.image_network import shipped

        return shipped()

    @cached_property
    def _report(self) -> dict[str, Any]:
        return read_report("detectors.deepfake", "weights/image.report.json")


def _pixels(artifact: Artifact) -> NDArray[np.uint8]:
    if artifact.modality is not Modality.IMAGE:
        raise DetectorError(f"This is {artifact.mime}, not a picture.", "Give it a picture.")
    return artifact.picture.rgb()
