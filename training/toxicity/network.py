"""The network (MiniLM-L6, mean pooling, one linear output per label) and its training."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import BertConfig, BertModel

from detectors.toxicity.reading import words
from detectors.toxicity.wordpiece import Vocabulary
from training.toxicity.sources import LABELS, Example, Targets

__all__ = ["Network", "encode", "kept_pieces", "scores", "train"]

LONGEST = 64
_WEIGHTS = (1.0, 1.0, 0.5, 0.5)
_TOKENS_A_BATCH = 1024
_ALIKE = 0.05
_SAID, _SAVED = 50, 250


@dataclass(frozen=True)
class Batch:
    """Piece numbers, targets (NaN: none), and the rows that are twins (pairs × 2)."""

    ids: Tensor
    targets: Tensor
    twins: Tensor


def kept_pieces(folder: Path) -> tuple[list[str], list[int]]:
    """The pieces of the model's vocabulary that a folded text can need, and their rows in the original."""
    pieces = (folder / "vocab.txt").read_text("utf-8").splitlines()
    kept = [n for n, piece in enumerate(pieces) if piece.isascii() and not piece.startswith("[unused")]
    return [pieces[n] for n in kept], kept


class Network(nn.Module):
    """Logits (texts × labels) from piece numbers (texts × 64 at most), 0 where a text has ended."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=rows,
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            attn_implementation="eager",  # on one core twice as fast as the fused kernel, in bfloat16
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(384, len(LABELS))

    @classmethod
    def pretrained(cls, folder: Path) -> Network:
        """The network as its authors left it; the outputs are new."""
        kept = kept_pieces(folder)[1]
        state = load_file(folder / "model.safetensors")
        state["embeddings.word_embeddings.weight"] = state["embeddings.word_embeddings.weight"][kept]
        network = cls(len(kept))
        wanted = network.encoder.state_dict()
        network.encoder.load_state_dict({name: state[name] for name in wanted if name in state}, strict=False)
        return network

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids != 0
        hidden = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        logits: Tensor = self.head(self.dropout(mean))
        return logits


def encode(text: str, vocabulary: Vocabulary) -> list[int]:
    """The piece numbers of a text, cut off at 64."""
    pieces = [piece for word in words(text, vocabulary) for piece in vocabulary.cut(word.text)]
    return [vocabulary.cls, *pieces[: LONGEST - 2], vocabulary.sep]


def train(
    network: Network,
    examples: Sequence[Example],
    vocabulary: Vocabulary,
    *,
    seed: int,
    rate: float,
    checkpoint: Path,
    say: Callable[[int, int, float], None],
) -> None:
    """Fine-tunes all but the word embeddings, going on from `checkpoint` where that is there: what has been
    done is saved to it now and then. `say` is told of the steps done, of how many, and the mean loss."""
    torch.manual_seed(seed)
    network.encoder.embeddings.word_embeddings.requires_grad_(False)
    rng = random.Random(seed)
    batches = _batches(examples, vocabulary, rng)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=len(batches), pct_start=0.06, anneal_strategy="linear"
    )
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    done = _resumed(checkpoint, parts) if checkpoint.exists() else 0
    network.train()
    losses = []
    for step, batch in enumerate(batches[done:], done + 1):
        losses.append(_step(network, batch))
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % _SAID == 0 or step == len(batches):
            say(step, len(batches), float(np.mean(losses[-_SAID:])))
        if step % _SAVED == 0 or step == len(batches):
            _save(checkpoint, parts, step)


def _save(checkpoint: Path, parts: Mapping[str, Any], step: int) -> None:
    state = {name: part.state_dict() for name, part in parts.items()}
    fresh = checkpoint.with_suffix(".new")
    torch.save(state | {"step": step, "chance": torch.get_rng_state()}, fresh)
    fresh.replace(checkpoint)


def _resumed(checkpoint: Path, parts: Mapping[str, Any]) -> int:
    state = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["chance"])
    return int(state["step"])


def _step(network: Network, batch: Batch) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(batch.ids).float()
    known = ~batch.targets.isnan()
    weights = torch.tensor(_WEIGHTS) * known
    loss = binary_cross_entropy_with_logits(logits, batch.targets.nan_to_num(0.0), reduction="none")
    total = (loss * weights).sum() / weights.sum()
    if len(batch.twins):
        total = total + _ALIKE * (logits[batch.twins[:, 0]] - logits[batch.twins[:, 1]]).square().mean()
    total.backward()  # type: ignore[no-untyped-call]
    return float(total.detach())


def _batches(examples: Sequence[Example], vocabulary: Vocabulary, rng: random.Random) -> list[Batch]:
    """Texts of about one length together, twins beside each other, in random order."""
    encoded = [
        [encode(text, vocabulary) for text in ([e.text, e.twin] if e.twin else [e.text])] for e in examples
    ]
    sizes = [max(map(len, pair)) for pair in encoded]
    order = sorted(range(len(encoded)), key=lambda n: sizes[n] + rng.random() * 4)
    rows: list[list[int]] = [[]]
    for number in order:  # each is about as long as, or longer than, those before it
        if rows[-1] and (sizes[number] + 4) * (len(rows[-1]) + 1) > _TOKENS_A_BATCH:
            rows.append([])
        rows[-1].append(number)
    rng.shuffle(rows)
    return [_batch([(encoded[n], examples[n].targets) for n in row]) for row in rows]


def _batch(rows: Sequence[tuple[Sequence[Sequence[int]], Targets]]) -> Batch:
    ids = [pieces for texts, _ in rows for pieces in texts]
    targets = [[np.nan if t is None else t for t in found] for texts, found in rows for _ in texts]
    ends = np.cumsum([len(texts) for texts, _ in rows])
    twins = [
        (end - 2, end - 1) for end, (texts, _) in zip(ends.tolist(), rows, strict=True) if len(texts) == 2
    ]
    return Batch(_padded(ids), torch.tensor(targets), torch.tensor(twins, dtype=torch.long))


def _padded(encoded: Sequence[Sequence[int]]) -> Tensor:
    ids = torch.zeros(len(encoded), max(map(len, encoded)), dtype=torch.long)
    for row, pieces in enumerate(encoded):
        ids[row, : len(pieces)] = torch.tensor(pieces)
    return ids


@torch.no_grad()
def scores(network: Network, texts: Sequence[str], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Logits (texts × labels), in full precision."""
    network.eval()
    encoded = [encode(text, vocabulary) for text in texts]
    order = sorted(range(len(texts)), key=lambda n: len(encoded[n]))
    found = np.zeros((len(texts), len(LABELS)), np.float32)
    for first in range(0, len(order), 64):
        batch = order[first : first + 64]
        found[batch] = network(_padded([encoded[n] for n in batch])).numpy()
    network.train()
    return found
