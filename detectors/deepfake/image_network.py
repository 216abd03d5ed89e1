"""The embedded image detector's network: crops of a picture to log-odds, by ONNX Runtime."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

__all__ = ["Network", "shipped"]

_BATCH = 16


class Network:
    """An ONNX file's network, on one thread."""

    def __init__(self, data: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Crops (N, 128, 128, 3) of RGB to log-odds (N,), above 0 toward synthetic."""
        batches = [crops[i : i + _BATCH] for i in range(0, len(crops), _BATCH)]
        found = [self._session.run(None, {"crops": np.ascontiguousarray(batch)})[0] for batch in batches]
        return np.concatenate([np.zeros(0, np.float32), *found])


def shipped() -> Network:
    """The network beside this file."""
    return Network(files(__package__).joinpath("weights", "image.onnx").read_bytes())
