"""How often are marks in the choice of words found, and how often seen where there are none?

    python -m bench.text_marks [--texts DIR] [--samples N] [--keys K]

No language model comes with the project, so one of word triples is counted from human texts of the test media
beside the checkout. transformers' own `generate` drives it to write N texts of 200 tokens for each scheme (a
fifth of that at other temperatures than 1), and each is read back from its characters, as somebody who pasted
it would. Human passages of 200 tokens, from the test media and from `--texts` (a folder of plain text files),
are read under K keys of their own each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from transformers import LogitsProcessor

from guard.media import Artifact
from guard.tokenmarks import Scheme, TokenMark
from guard.watermark import ReadingState
from guard.watermark.tokens import TokenWatermarker

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEY = b"bench"
LENGTH = 200
VOCABULARY = 8192
TEMPERATURES = (1.0, 0.7, 0.3)
THRESHOLD = 1e-5


def human_texts(extra: Path | None) -> list[str]:
    """Texts that people wrote, each once: encyclopedia, news, stories, abstracts, and the caller's files."""
    found: dict[str, None] = {}
    for path in sorted((DATA / "bold" / "wikipedia").glob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")).values():
            for sentences in group.values():
                found[" ".join(sentences)] = None
    for path in sorted((DATA / "text_fastdetectgpt").rglob("*.raw_data.json")):
        for text in json.loads(path.read_text(encoding="utf-8"))["original"]:
            found[text] = None
    for path in sorted(extra.rglob("*.txt")) if extra else []:
        found[path.read_text(encoding="utf-8", errors="ignore")] = None
    return [text for text in found if text.replace("\n", " ").isprintable()]


def tokenizer_of(texts: list[str]) -> Any:
    """A byte-pair vocabulary of at most 8,192 made from `texts`."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(texts, vocab_size=VOCABULARY, show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer)


def trigrams(ids: NDArray[np.int64]) -> Any:
    """A model that transformers' `generate` drives: what followed the last two tokens in `ids`, the last one,
    and anything, in parts of 6 : 3 : 1.
    """
    from scipy.sparse import csr_matrix
    from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import CausalLMOutput

    pairs, place = np.unique(ids[:-2] * VOCABULARY + ids[1:-1], return_inverse=True)
    ones = np.ones(len(ids))
    after_two = csr_matrix((ones[2:], (place, ids[2:])), (len(pairs), VOCABULARY))
    after_one = csr_matrix((ones[1:], (ids[:-1], ids[1:])), (VOCABULARY, VOCABULARY))
    anything = np.bincount(ids, minlength=VOCABULARY) / len(ids)

    def row(counts: Any, index: int) -> Any:
        found = counts[index].toarray()[0]
        return found / max(found.sum(), 1)

    class Trigrams(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
        config_class = PretrainedConfig
        entropies: list[float]

        def __init__(self) -> None:
            super().__init__(PretrainedConfig(vocab_size=VOCABULARY, is_encoder_decoder=False))
            self.nothing = torch.nn.Parameter(torch.zeros(1))
            self.entropies = []

        def forward(self, input_ids: Any, **_: Any) -> Any:
            spreads = []
            for *_rest, before, last in input_ids.tolist():
                at = int(np.searchsorted(pairs, pair := before * VOCABULARY + last))
                seen = at < len(pairs) and pairs[at] == pair
                two = row(after_two, at) if seen else row(after_one, last)
                spreads.append(0.6 * two + 0.3 * row(after_one, last) + 0.1 * anything)
            spread = np.array(spreads)
            with np.errstate(divide="ignore"):
                logits = torch.tensor(np.log(spread), dtype=torch.float32)
            return CausalLMOutput(logits=logits[:, None])

        def prepare_inputs_for_generation(self, input_ids: Any, **_: Any) -> dict[str, Any]:
            return {"input_ids": input_ids}

    return Trigrams()


class Entropies(LogitsProcessor):  # type: ignore[misc]
    """Notes how wide the choice was, in nats, before a mark narrows it."""

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature
        self.seen: list[float] = []

    def __call__(self, _ids: Any, scores: Any) -> Any:
        spread = (scores / self.temperature).softmax(-1)
        self.seen += torch.special.entr(spread).sum(-1).tolist()
        return scores


def written(
    model: Any, mark: TokenMark | None, temperature: float, count: int, seen: Entropies
) -> Iterator[list[int]]:
    """`count` texts of `LENGTH` tokens."""
    rng = np.random.default_rng(7)
    for start in range(0, count, 20):
        torch.manual_seed(start)
        prompt = torch.tensor(rng.integers(300, VOCABULARY, (min(20, count - start), 2)))
        options: dict[str, Any] = {"watermarking_config": mark.config()} if mark else {}
        out = model.generate(
            prompt,
            do_sample=True,
            temperature=temperature,
            max_new_tokens=LENGTH,
            top_k=0,
            use_cache=False,
            logits_processor=[seen],
            **options,
        )
        yield from out[:, 2:].tolist()


def caught(
    engine: TokenWatermarker, model: Any, mark: TokenMark, temperature: float, count: int
) -> list[str]:
    """A row of the table of texts that a marked model wrote."""
    p_values, abstained, seen = [], 0, Entropies(temperature)
    texts = written(model, mark, temperature, count, seen)
    for tokens in track(texts, f"{engine.name} at {temperature}", total=count):
        reading = engine.read(Artifact.from_text(engine.tokenizer.decode(tokens)), keys=[mark.key])
        abstained += reading.state is ReadingState.UNSUPPORTED
        p_values.append(1.0 if reading.p_value is None else reading.p_value)
    found = np.mean(np.array(p_values) <= THRESHOLD)
    return [
        engine.name,
        f"{temperature}",
        f"{np.mean(seen.seen):.2f}",
        f"{found:.1%}",
        f"{abstained / count:.1%}",
        f"{np.median(p_values):.0e}",
        f"{np.max(p_values):.0e}",
    ]


def passages(engine: TokenWatermarker, texts: list[str]) -> list[str]:
    """The texts in passages of `LENGTH` tokens; what is left over at a text's end is dropped."""
    found = []
    for text in texts:
        ids = engine.tokenizer(text)["input_ids"]
        found += [ids[i : i + LENGTH] for i in range(0, len(ids) - LENGTH + 1, LENGTH)]
    decoded: list[str] = engine.tokenizer.batch_decode(found)
    return decoded


def mistaken(engine: TokenWatermarker, human: list[str], keys: int) -> list[str]:
    """A row of the table of human passages: each is read under `keys` keys of its own."""
    rng = np.random.default_rng(1)
    p_values = []
    for text in track(human, f"{engine.name}, human passages"):
        artifact = Artifact.from_text(text)
        for _ in range(keys):
            p_value = engine.read(artifact, keys=[rng.bytes(16)]).p_value
            p_values += [] if p_value is None else [p_value]
    sorted_p = np.array(p_values)
    shares = [f"{np.mean(sorted_p <= 10.0**-k):.1e}" for k in (1, 2, 3, 4, 5)]
    return [engine.name, f"{len(human):,}", f"{len(p_values):,}", *shares, f"{sorted_p.min():.0e}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--keys", type=int, default=1)
    asked = parser.parse_args()
    texts = human_texts(asked.texts)
    tokenizer = tokenizer_of(texts)
    model = trigrams(np.concatenate([tokenizer(text)["input_ids"] for text in texts]).astype(np.int64))
    console = Console()
    marked = Table("scheme", "temperature", "nats/token", "found", "abstained", "median p", "largest p")
    human = Table("scheme", "passages", "reads", "p ≤ .1", ".01", ".001", "1e-4", "1e-5", "least p")
    for scheme in Scheme:
        engine = TokenWatermarker(scheme, tokenizer, VOCABULARY)
        for temperature in TEMPERATURES:
            count = asked.samples if temperature == TEMPERATURES[0] else asked.samples // 5
            marked.add_row(*caught(engine, model, TokenMark(scheme, KEY), temperature, count))
            console.print(marked)
        human.add_row(*mistaken(engine, passages(engine, texts), asked.keys))
        console.print(human)


if __name__ == "__main__":
    main()
