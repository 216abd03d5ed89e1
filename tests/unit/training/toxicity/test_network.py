"""Training: twins score alike, and what was broken off goes on as if it had not been."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.detectors.toxicity.parts import VOCABULARY, WORDS
from training.toxicity.sources import Example

if TYPE_CHECKING:
    from training.toxicity.network import Network

pytestmark = pytest.mark.heavy
EXAMPLES = [
    Example(
        f"i hate {word} so",
        "made",
        str(number),
        (float(number % 2), 1.0, None, 0.0),
        twin="see them" * (number % 3 == 0),
    )
    for number, word in enumerate(WORDS)
] + [Example("", "made", "blank", (0.0, 0.0, 0.0, None))]


def fresh() -> Network:
    import torch

    from training.toxicity.network import Network

    torch.manual_seed(0)
    return Network(len(VOCABULARY.ids))


def trained(network: Network, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, stop: int = 0) -> list[int]:
    """Trains on a batch a text; `stop` breaks it off after so many steps. The steps that were told."""
    from training.toxicity import network as module

    for name, value in (("_TOKENS_A_BATCH", 60), ("_SAID", 1), ("_SAVED", 2)):
        monkeypatch.setattr(module, name, value)
    told: list[int] = []

    def say(step: int, steps: int, loss: float) -> None:
        assert step <= steps
        assert np.isfinite(loss)
        told.append(step)
        if step == stop:
            raise KeyboardInterrupt

    module.train(network, EXAMPLES, VOCABULARY, seed=3, rate=1e-4, checkpoint=checkpoint, say=say)
    return told


def test_what_was_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    torch.set_num_threads(1)
    whole, broken, resumed = fresh(), fresh(), fresh()
    steps = trained(whole, tmp_path / "whole.pt", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trained(broken, tmp_path / "broken.pt", monkeypatch, stop=3)
    assert trained(resumed, tmp_path / "broken.pt", monkeypatch) == steps[2:]
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert trained(resumed, tmp_path / "broken.pt", monkeypatch) == []


def test_twins_stand_in_one_batch_and_are_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    import torch

    from training.toxicity import network as module

    batches = module._batches(EXAMPLES, VOCABULARY, random.Random(0))
    pairs = [(b.ids[one], b.ids[two]) for b in batches for one, two in b.twins.tolist()]
    assert len(pairs) == sum(bool(example.twin) for example in EXAMPLES)
    assert all(not torch.equal(one, two) for one, two in pairs)
    assert sum(len(b.ids) for b in batches) == len(EXAMPLES) + len(pairs)
    assert all(len(b.ids) == len(b.targets) for b in batches)

    network = fresh().eval()
    batch = next(b for b in batches if len(b.twins))

    def apart(weight: float) -> float:
        """How much steeper the loss is towards scoring twins apart."""
        monkeypatch.setattr(module, "_ALIKE", weight)
        network.zero_grad()
        return module._step(network, batch)

    assert apart(10.0) > apart(0.0)


def test_coarser_rounding_moves_scores_further() -> None:
    from training.toxicity.network import scores
    from training.toxicity.quantisation import losses

    network = fresh()
    full = scores(network, [example.text for example in EXAMPLES], VOCABULARY).astype(float)
    found = losses(network, EXAMPLES, VOCABULARY, full)
    assert found["mean_logit_gap"] == found["worst_logit_gap"] == 0
    assert set(found["auc_lost"]) == {"as shipped", "one scale a row", "one scale a matrix"}
    assert found["auc_lost"]["as shipped"]["toxicity"] == 0
