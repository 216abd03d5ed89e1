"""The network that ships with Guard, run by onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from detectors.toxicity.wordpiece import Vocabulary
from guard.errors import DetectorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BATCH", "Network", "shipped"]

BATCH = 16


class Network:
    """Logits of windows. One thread: servers run many texts at once."""

    def __init__(self, weights: bytes, vocabulary: Vocabulary) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        self.vocabulary = vocabulary
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._outputs = int(self._session.get_outputs()[0].shape[1])

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Logits (windows × labels). What a window scores does not depend on those beside it, and one that
        is there many times is read once."""
        import numpy as np

        places: dict[tuple[int, ...], list[int]] = {}
        for number, window in enumerate(windows):
            places.setdefault(tuple(window), []).append(number)
        found = np.zeros((len(windows), self._outputs), np.float32)
        order = sorted(places, key=len)
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            ids = np.zeros((len(batch), len(batch[-1])), np.int64)
            for row, window in enumerate(batch):
                ids[row, : len(window)] = window
            for window, logits in zip(batch, self._session.run(None, {"ids": ids})[0], strict=True):
                found[places[window]] = logits
        return found


def shipped(sha256: str) -> Network:
    """The network in this package. Raises `DetectorError` where its weights have another sha256."""
    folder = files("detectors.toxicity").joinpath("weights")
    weights = folder.joinpath("toxicity.onnx").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    if digest != sha256:
        raise DetectorError(
            f"The weights of the toxicity detector have sha256 {digest}, expected {sha256}.",
            "Install Guard again.",
        )
    return Network(weights, Vocabulary(folder.joinpath("vocabulary.txt").read_text("utf-8").splitlines()))
