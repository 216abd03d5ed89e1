"""What is said of pictures where nobody has plugged in a model that screens them."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.base import Context, DetectorCard, Finding, abstained
from guard.media import Artifact, Modality

__all__ = ["SIGNAL", "Unscreened"]

SIGNAL = "unsafe_image"
_WHY = "Not screened: no model of unsafe pictures is plugged in."


class Unscreened:
    """Abstains from every picture, so that a policy can ask whether any was screened.

    No weights come with Guard: those at hand are under licences that it cannot pass on. A plugged detector's
    score of the same signal takes the place of this.
    """

    card = DetectorCard(
        id="unsafe-image",
        version="1",
        signal=SIGNAL,
        modalities=frozenset({Modality.IMAGE}),
        description="Stands in until a checkpoint that tells unsafe pictures is plugged in.",
        licence="Apache-2.0",
        measured_error="none: it never answers",
        abstains="always",
        seconds=None,
    )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding, inconclusive."""
        return [abstained(self.card, _WHY)]
