"""The network in 8 bits says what it says in 32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.toxicity.network import Network as Shipped
from tests.unit.detectors.toxicity.parts import VOCABULARY

pytestmark = pytest.mark.heavy


def test_the_graph_computes_the_network(tmp_path: Path) -> None:
    import torch

    from training.toxicity.export import write
    from training.toxicity.network import Network, scores

    torch.manual_seed(0)
    network = Network(len(VOCABULARY.ids))
    write({name: tensor.numpy() for name, tensor in network.state_dict().items()}, tmp_path / "net.onnx")
    texts = ["i hate all of them", "cool", "the day is good so see you"]
    windows = [
        [VOCABULARY.cls, *(p for w in t.split() for p in VOCABULARY.cut(w)), VOCABULARY.sep] for t in texts
    ]
    shipped = Shipped((tmp_path / "net.onnx").read_bytes(), VOCABULARY)
    small = shipped.logits(windows)
    assert np.abs(small - scores(network, texts, VOCABULARY)).max() < 0.02
    assert np.abs(small - np.concatenate([shipped.logits([window]) for window in windows])).max() < 1e-5
