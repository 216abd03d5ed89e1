"""Texts judged by language models: golden values worked out apart, from the logits alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Context, Finding
from detectors.plugged import from_file
from guard.errors import ConfigurationError, DetectorError
from guard.media import Artifact
from tests.pictures import encoded, natural

UPLOAD = Context("upload")
WORDS = [f"word{number}" for number in range(120)]
TEXT = " ".join(np.random.default_rng(0).choice(WORDS, 150).tolist())


def saved(folder: Path, seed: int, words: list[str], width: int) -> Path:
    """A language model in the shape of GPT-2 with random weights, and a tokenizer of whole words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=width, n_positions=64, n_embd=16, n_layer=1, n_head=2, initializer_range=0.8,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of one family, the second with a padded vocabulary, and one with other words."""
    root = tmp_path_factory.mktemp("models")
    saved(root / "one", 1, WORDS, 121)
    saved(root / "two", 2, WORDS, 128)
    saved(root / "stranger", 3, WORDS[::-1], 121)
    return root


def pin(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def entry(tmp_path: Path, kind: str, models: Path, second: str = "", extra: str = "") -> Path:
    one = models / "one"
    lines = [f"id: mine\n    kind: {kind}\n    path: {one}\n    sha256: {pin(one)}"]
    if second:
        lines.append(f"    reference: {models / second}\n    reference_sha256: {pin(models / second)}")
    file = tmp_path / "detectors.yaml"
    file.write_text("detectors:\n  - " + "\n".join([*lines, extra]))
    return file


def inspected(file: Path, artifact: Artifact) -> Finding:
    (finding,) = from_file(file)["mine"].inspect(artifact, UPLOAD)
    return finding


def logits(folder: Path, ids: list[int]) -> NDArray[np.float64]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        found: Any = model(torch.tensor([ids])).logits[0, :-1, :121]
    return np.asarray(found.double().numpy())


def log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x - np.log(np.exp(x).sum(axis=1, keepdims=True)))


def golden(kind: str, folder: Path, second: str) -> float:
    """By loops over the papers' formulas, window after window of 64 tokens."""
    ids = [1 + WORDS.index(word) for word in TEXT.split()]
    values = []
    for at in range(0, len(ids), 64):
        part = ids[at : at + 64]
        own = log_softmax(logits(folder / "one", part))
        other = np.exp(log_softmax(logits(folder / (second or "one"), part)))
        likely = sum(own[place, word] for place, word in enumerate(part[1:]))
        expected = sum(float(p @ lp) for p, lp in zip(other, own, strict=True))
        if kind == "binoculars":
            values.append(-(-likely / -expected))
            continue
        spread = sum(float(p @ (lp - p @ lp) ** 2) for p, lp in zip(other, own, strict=True))
        values.append((likely - expected) / np.sqrt(spread))
    return float(np.mean(values))


@pytest.mark.heavy
class TestScores:
    @pytest.mark.parametrize(
        ("kind", "second"), [("fast-detectgpt", ""), ("fast-detectgpt", "two"), ("binoculars", "two")]
    )
    def test_as_worked_out_apart(self, models: Path, tmp_path: Path, kind: str, second: str) -> None:
        file = entry(tmp_path, kind, models, second)
        finding = inspected(file, Artifact.from_text(TEXT))
        assert finding.details["raw"] == pytest.approx(golden(kind, models, second), abs=1e-4)
        assert finding.state == "scored"
        assert finding.likelihood_ratio is None
        explanation = from_file(file)["mine"].explain(Artifact.from_text(TEXT), UPLOAD)  # type: ignore[attr-defined]
        assert sum(value for _, value in explanation.tokens) == pytest.approx(
            finding.details["raw"], abs=1e-6
        )
        assert {TEXT[span.start : span.end] for span, _ in explanation.tokens} <= set(WORDS)

    def test_a_calibration_makes_it_a_probability(self, models: Path, tmp_path: Path) -> None:
        extra = "    calibration: {kind: platt, a: 0.1, b: -1}"
        finding = inspected(entry(tmp_path, "fast-detectgpt", models, extra=extra), Artifact.from_text(TEXT))
        raw = finding.details["raw"]
        assert finding.score == pytest.approx(1 / (1 + np.exp(1 - 0.1 * raw)))
        assert finding.likelihood_ratio == pytest.approx(np.exp(0.1 * raw - 1))

    def test_long_text_is_read_in_part(self, models: Path, tmp_path: Path) -> None:
        file = entry(tmp_path, "fast-detectgpt", models)
        start = TEXT + " " + " ".join(WORDS * 3)
        part, whole = (inspected(file, Artifact.from_text(start * n)) for n in (4, 400))
        assert part.details["raw"] == whole.details["raw"]

    def test_two_tokenizers(self, models: Path, tmp_path: Path) -> None:
        with pytest.raises(DetectorError, match="do not share a tokenizer"):
            inspected(entry(tmp_path, "binoculars", models, "stranger"), Artifact.from_text(TEXT))

    @pytest.mark.parametrize("text", ["", "too short", "x" * 100_000, "漢" * 120])
    def test_too_little(self, models: Path, tmp_path: Path, text: str) -> None:
        file = entry(tmp_path, "fast-detectgpt", models)
        assert inspected(file, Artifact.from_text(text)).state == "inconclusive"
        assert from_file(file)["mine"].explain(Artifact.from_text(text), UPLOAD) is None  # type: ignore[attr-defined]

    def test_other_weights_and_other_media(self, models: Path, tmp_path: Path) -> None:
        file = entry(tmp_path, "fast-detectgpt", models)
        with pytest.raises(DetectorError, match="not a text"):
            inspected(file, Artifact.from_bytes(encoded(natural(0, 64, 64), "PNG")))
        file.write_text(file.read_text().replace(pin(models / "one"), "a" * 64))
        with pytest.raises(DetectorError, match="SHA-256"):
            inspected(file, Artifact.from_text(TEXT))

    def test_a_slow_tokenizer_does_not_say_where(
        self, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from transformers import PreTrainedTokenizerFast

        monkeypatch.setattr(PreTrainedTokenizerFast, "is_fast", False)
        with pytest.raises(DetectorError, match="stand"):
            inspected(entry(tmp_path, "fast-detectgpt", models), Artifact.from_text(TEXT))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("kind: binoculars\n    path: a\n    sha256: " + "a" * 64, "two checkpoints"),
        ("kind: fast-detectgpt\n    path: a\n    revision: b\n    reference: c", "goes either"),
        ("kind: fast-detectgpt\n    path: a\n    revision: b\n    reference_revision: c", "goes either"),
    ],
)
def test_entries_that_are_not_whole(tmp_path: Path, lines: str, why: str) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text(f"detectors:\n  - id: mine\n    {lines}\n")
    with pytest.raises(ConfigurationError, match=why):
        from_file(file)


def test_a_hub_id_has_its_own_revision(tmp_path: Path) -> None:
    file = tmp_path / "detectors.yaml"
    lines = "path: org/a\n    revision: abc\n    reference: org/b\n    reference_revision: def"
    file.write_text(f"detectors:\n  - id: mine\n    kind: binoculars\n    {lines}\n")
    card = from_file(file)["mine"].card
    assert "org/a@abc, org/b@def" in card.description
