"""Names in text, by a token classifier that somebody plugs in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from detectors.base import Context, Finding
from detectors.plugged import from_file
from detectors.run import inspect_all
from guard.media import Artifact

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "alice", "smith", "met", "bob", "in", "paris", ".")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token classifier that knows three names by heart: each word's embedding is its label."""
    import torch
    from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("ner")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    names = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC"}
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=4, num_hidden_layers=0, num_attention_heads=1, intermediate_size=4,
        max_position_embeddings=64, id2label=names, label2id={name: n for n, name in names.items()},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    kinds = {"alice": 1, "smith": 2, "bob": 1, "paris": 3}
    with torch.no_grad():
        for parameter in model.bert.embeddings.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        for number, word in enumerate(WORDS):
            model.bert.embeddings.word_embeddings.weight[number, kinds.get(word, 0)] = 1
        model.classifier.weight.copy_(5 * torch.eye(4))
        model.classifier.bias.zero_()
    model.save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder


def looked_at(folder: Path, checkpoint: Path, text: str, rest: str = "") -> Finding:
    digest = hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()
    file = folder / "detectors.yaml"
    file.write_text(
        "detectors:\n- {id: names, kind: names-transformers, "
        f"path: '{checkpoint}', sha256: '{digest}'{rest}}}\n"
    )
    return inspect_all([from_file(file)["names"]], Artifact.from_text(text), Context("output"))[0]


def found(finding: Finding, text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label) for span in finding.spans]


@pytest.mark.heavy
def test_names_are_found_whole_and_under_their_labels(tmp_path: Path, checkpoint: Path) -> None:
    text = "Alice Smith met Bob in Paris."
    finding = looked_at(tmp_path, checkpoint, text)
    assert found(finding, text) == [("Alice Smith", "PER"), ("Bob", "PER"), ("Paris", "LOC")]
    assert (finding.signal, finding.flagged) == ("personal_data", True)


@pytest.mark.heavy
def test_only_the_labels_of_the_entry_are_looked_for(tmp_path: Path, checkpoint: Path) -> None:
    text = "Alice met Bob in Paris."
    finding = looked_at(tmp_path, checkpoint, text, ", labels: [LOC]")
    assert found(finding, text) == [("Paris", "LOC")]


@pytest.mark.heavy
def test_a_name_late_in_a_long_text_is_found_once(tmp_path: Path, checkpoint: Path) -> None:
    text = "met in " * 300 + "Bob." + " met" * 100
    assert found(looked_at(tmp_path, checkpoint, text), text) == [("Bob", "PER")]


@pytest.mark.heavy
@pytest.mark.parametrize("text", ["", "met in.", "😀" * 100])
def test_a_text_without_names_scores_nothing(tmp_path: Path, checkpoint: Path, text: str) -> None:
    assert looked_at(tmp_path, checkpoint, text).score == 0.0


@pytest.mark.heavy
def test_a_text_too_long_gets_no_answer(tmp_path: Path, checkpoint: Path) -> None:
    assert looked_at(tmp_path, checkpoint, "a" * 65_537).state == "inconclusive"
