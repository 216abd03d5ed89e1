"""Checkpoints of unsafe pictures in the hub's format, run from files on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.deepfake.loading import checkpoint
from detectors.deepfake.networks import label_of
from detectors.deepfake.plugged_image import PluggedImage
from detectors.unsafe.unscreened import SIGNAL
from guard.errors import ConfigurationError, DetectorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from detectors.plugged import Entry

__all__ = ["UnsafeImageClassifier"]


class UnsafeImageClassifier(PluggedImage):
    """Any picture classifier of transformers, of whose classes the entry's `labels` are unsafe.

    Raises `ConfigurationError` for an entry without labels, or with another signal than "unsafe_image" named.
    """

    least = 64
    about = "A classifier of unsafe pictures in the hub's format."
    limits = "As its authors state; Guard has measured nothing of it."

    def __init__(self, entry: Entry) -> None:
        if not entry.labels:
            raise ConfigurationError(
                f"Detector '{entry.id}' names no class that is unsafe.", "List them as `labels`."
            )
        if "signal" in entry.model_fields_set and entry.signal != SIGNAL:
            raise ConfigurationError(
                f"Detector '{entry.id}' has the signal '{entry.signal}'.", f"Leave it out, or use {SIGNAL}."
            )
        super().__init__(entry.model_copy(update={"signal": SIGNAL}))

    def raw(self, pictures: Sequence[NDArray[np.uint8]]) -> list[float]:
        """The log-odds that a picture is of one of the unsafe classes."""
        import torch

        model, processor, unsafe, others = self._parts
        inputs = processor(images=list(pictures), return_tensors="pt")
        with torch.inference_mode():
            logits = model(**inputs).logits
        return [float(row[unsafe].logsumexp(0) - row[others].logsumexp(0)) for row in logits]

    @cached_property
    def _parts(self) -> tuple[Any, Any, list[int], list[int]]:
        model = checkpoint(self.entry, "AutoModelForImageClassification")
        processor = checkpoint(self.entry, "AutoImageProcessor")
        names = dict(model.config.id2label)
        if len(names) < 2:
            raise DetectorError(f"{self.entry.place} has one class: none is left that is safe.")
        unsafe = {
            label_of(self.entry.model_copy(update={"label": label}), names) for label in self.entry.labels
        }
        others = sorted(set(map(int, names)) - unsafe)
        if not others:
            raise DetectorError(f"Every class of {self.entry.place} is unsafe.", "Leave out the safe ones.")
        return model, processor, sorted(unsafe), others
