"""Plugged text classifiers, with random weights."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from detectors.base import Context
from detectors.run import inspect_all
from detectors.toxicity.classifier import Classifier, digest
from detectors.toxicity.detoxify import convert, main
from guard.errors import ConfigurationError, DetectorError, InputError
from guard.media import Artifact
from tests.unit.detectors.toxicity.parts import checkpoint, described, tokenizer

pytestmark = pytest.mark.heavy
CONTEXT = Context("output")
SIGNALS = {"toxicity", "obscene", "threat", "insult", "identity_attack"}


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of detoxify's form, as `convert` leaves it."""
    folder = tmp_path_factory.mktemp("detoxify")
    source = checkpoint(folder / "toxic.ckpt")
    convert(source, tokenizer(folder / "tokenizer"), folder / "tiny", digest(source))
    return folder / "tiny"


@pytest.fixture
def own(converted: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    import shutil

    return shutil.copytree(converted, tmp_path / "tiny")


@pytest.fixture
def unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket may be opened."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def text(words: str) -> Artifact:
    return Artifact.from_text(words)


@pytest.mark.usefixtures("unplugged")
def test_it_scores_every_signal_without_the_network(converted: Path) -> None:
    detector = Classifier(converted)
    findings = detector.inspect(text("I hate them all."), CONTEXT)
    assert (
        {finding.signal for finding in findings} == SIGNALS == {detector.card.signal, *detector.card.others}
    )
    assert all(finding.score is not None and 0 < finding.score < 1 for finding in findings)
    assert all(finding.likelihood_ratio is None for finding in findings)


def test_it_scores_what_detoxify_does(converted: Path) -> None:
    """The reference is the model that detoxify would build, run by hand."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    source = torch.load(converted.parent / "toxic.ckpt", weights_only=True)
    state = {k: v for k, v in source["state_dict"].items() if "position_ids" not in k}
    words = state["bert.embeddings.word_embeddings.weight"]
    config = BertConfig(
        vocab_size=words.shape[0], hidden_size=64, num_attention_heads=1, intermediate_size=32, num_labels=6,
        num_hidden_layers=2, max_position_embeddings=64,
    )  # fmt: skip
    model = BertForSequenceClassification(config).eval()
    model.load_state_dict(state)
    batch = AutoTokenizer.from_pretrained(converted)("you are so cool", return_tensors="pt")
    with torch.inference_mode():
        expected = model(**batch).logits.sigmoid()[0]
    found = {f.signal: f.score for f in Classifier(converted).inspect(text("you are so cool"), CONTEXT)}
    assert found["threat"] == pytest.approx(float(expected[3]), abs=1e-5)
    assert found["toxicity"] == pytest.approx(float(expected[:2].max()), abs=1e-5)


def test_a_long_text_scores_what_its_worst_window_does(converted: Path) -> None:
    detector = Classifier(converted)
    calm = detector.inspect(text("the day is good " * 10), CONTEXT)
    long = detector.inspect(text("the day is good " * 200 + "fuck you bitch"), CONTEXT)
    assert all((b.score or 0) >= (a.score or 0) - 0.05 for a, b in zip(calm, long, strict=True))


@pytest.mark.parametrize("words", ["", " \n\t", "\u200b"])
def test_a_blank_text_has_no_score(converted: Path, words: str) -> None:
    findings = inspect_all([Classifier(converted)], text(words), CONTEXT)
    assert {finding.state for finding in findings} <= {"inconclusive", "scored"}
    assert words == "\u200b" or {finding.state for finding in findings} == {"inconclusive"}


def test_what_lies_beyond_the_part_that_is_read_is_not_called_harmless(own: Path) -> None:
    described(own, threshold=1.0)
    findings = Classifier(own).inspect(text("the day is good. " * 4000), CONTEXT)
    assert all("first 65536" in finding.inconclusive for finding in findings)


def test_it_says_which_words_weigh(converted: Path) -> None:
    detector = Classifier(converted)
    explanation = detector.explain(text("I hate them"), CONTEXT)
    assert explanation is not None
    assert [span.label for span, _ in explanation.tokens] == ["I", "hate", "them"]
    assert detector.explain(text("  "), CONTEXT) is None


def test_softmax_outputs_share_one(own: Path) -> None:
    labels = ["toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
    described(own, activation="softmax", signals={label: label for label in labels})
    assert sum(f.score or 0 for f in Classifier(own).inspect(text("so"), CONTEXT)) == pytest.approx(1)


def test_pictures_are_refused(converted: Path) -> None:
    import base64

    from tests.unit.api.parts import picture

    image = Artifact.from_bytes(base64.b64decode(picture()["b64_json"]))
    with pytest.raises(DetectorError, match="reads text"):
        Classifier(converted).inspect(image, CONTEXT)


def test_other_weights_than_the_pinned_ones_are_refused(own: Path) -> None:
    described(own, sha256="0" * 64)
    with pytest.raises(DetectorError, match="expected 0000"):
        Classifier(own).inspect(text("so"), CONTEXT)


def test_signals_must_be_of_labels_that_it_has(own: Path) -> None:
    described(own, signals={"rudeness": "insult"})
    with pytest.raises(DetectorError, match="has the labels toxicity, severe_toxicity"):
        Classifier(own).inspect(text("so"), CONTEXT)


def test_a_folder_that_does_not_load_says_so(own: Path) -> None:
    (own / "config.json").write_text("{}")
    with pytest.raises(DetectorError, match="does not load"):
        Classifier(own).inspect(text("so"), CONTEXT)


def test_a_pickle_is_not_enough(own: Path) -> None:
    (own / "model.safetensors").rename(own / "pytorch_model.bin")
    with pytest.raises(ConfigurationError, match=r"holds no model\.safetensors"):
        Classifier(own)


@pytest.mark.parametrize("card", [None, "{", "[]", '{"sha256": "x", "signals": {}}'])
def test_a_folder_must_be_described(own: Path, card: str | None) -> None:
    (own / "guard.json").unlink()
    if card is not None:
        (own / "guard.json").write_text(card)
    with pytest.raises(ConfigurationError, match=r"guard\.json"):
        Classifier(own)


class TestConverting:
    def convert(self, source: Path, tmp_path: Path, **changes: Any) -> None:
        given: dict[str, Any] = {
            "tokenizer": tmp_path / "none",
            "out": tmp_path / "out",
            "sha256": changes.pop("sha256", None) or digest(source),
        } | changes
        convert(source, **given)

    @pytest.mark.parametrize("kind", ["RobertaForSequenceClassification", "AlbertForSequenceClassification"])
    def test_every_family_finds_its_shape(self, tmp_path: Path, kind: str) -> None:
        sizes = {"embedding_size": 16, "num_hidden_layers": 12} if kind.startswith("Albert") else {}
        self.convert(checkpoint(tmp_path / "c.ckpt", kind, **sizes), tmp_path)
        assert (tmp_path / "out" / "model.safetensors").is_file()

    def test_the_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source = checkpoint(tmp_path / "c.ckpt")
        command = [str(source), "--tokenizer", str(tmp_path), "--out", str(tmp_path / "out"), "--sha256"]
        assert main([*command, "0" * 64]) == 2
        assert "expected 0000" in capsys.readouterr().err
        assert main([*command, digest(source)]) == 0
        assert main([*command, digest(source)]) == 2
        assert "exists already" in capsys.readouterr().err

    def test_no_code_runs(self, tmp_path: Path) -> None:
        import torch

        class Trap:
            def __reduce__(self) -> Any:
                return Path.touch, (tmp_path / "sprung",)

        torch.save({"state_dict": Trap()}, tmp_path / "c.ckpt")
        with pytest.raises(InputError, match="tensors and plain data"):
            self.convert(tmp_path / "c.ckpt", tmp_path)
        assert not (tmp_path / "sprung").exists()

    def test_other_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "c.ckpt").write_bytes(b"no checkpoint")
        with pytest.raises(InputError, match="tensors and plain data"):
            self.convert(tmp_path / "c.ckpt", tmp_path)
        with pytest.raises(InputError, match="cannot be read"):
            self.convert(tmp_path / "none.ckpt", tmp_path, sha256="0" * 64)

    @pytest.mark.parametrize("part", ["config", "state_dict"])
    def test_half_a_checkpoint_is_refused(self, tmp_path: Path, part: str) -> None:
        import torch

        loaded = torch.load(checkpoint(tmp_path / "c.ckpt"), weights_only=True)
        torch.save(loaded | {part: {}}, tmp_path / "c.ckpt")
        with pytest.raises(InputError, match="none of detoxify's"):
            self.convert(tmp_path / "c.ckpt", tmp_path)

    def test_tensors_must_fit(self, tmp_path: Path) -> None:
        import torch

        loaded = torch.load(checkpoint(tmp_path / "c.ckpt"), weights_only=True)
        del loaded["state_dict"]["classifier.bias"]
        torch.save(loaded, tmp_path / "c.ckpt")
        with pytest.raises(InputError, match=r"does not fit its model at: classifier\.bias"):
            self.convert(tmp_path / "c.ckpt", tmp_path)

    def test_the_true_shape_of_the_original(self, tmp_path: Path) -> None:
        """All of bert-base-uncased: 110 million parameters."""
        sizes: dict[str, Any] = {
            "vocab_size": 30522,
            "hidden_size": 768,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
        }
        source = checkpoint(tmp_path / "c.ckpt", **sizes, num_hidden_layers=12, max_position_embeddings=512)
        self.convert(source, tmp_path)
        assert (tmp_path / "out" / "model.safetensors").stat().st_size > 430_000_000


def test_the_settings_plug_it_in(converted: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from guard.app import open_app
    from guard.settings import load_settings

    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GUARD_TEXT_CLASSIFIERS", str(converted))
    with open_app(load_settings()) as app:
        assert "tiny" in {detector.card.id for detector in app.detectors}
