from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from guard.errors import GenerationError, InputError, MissingExtraError, ModelNotFoundError
from guard.media import Modality
from models.base import GenerationRequest, TextStreamer
from models.local.checkpoint import locate
from models.local.text import LocalText
from tests.unit.models.conftest import WORDS

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def model(text_folder: Path) -> LocalText:
    return LocalText(locate(str(text_folder)))


def asks(
    prompt: str = "red boat", *, n: int = 1, seed: int | None = 3, **parameters: Any
) -> GenerationRequest:
    return GenerationRequest(prompt, Modality.TEXT, n=n, seed=seed, parameters=parameters)


def talks(*messages: Mapping[str, Any]) -> GenerationRequest:
    return GenerationRequest("", Modality.TEXT, seed=3, messages=messages, parameters={"max_tokens": 5})


def texts(model: LocalText, request: GenerationRequest) -> list[str]:
    return [artifact.text for artifact in model.generate(request)]


def without_template(text_folder: Path, folder: Path) -> LocalText:
    shutil.copytree(text_folder, folder, dirs_exist_ok=True)
    (folder / "chat_template.jinja").unlink()
    return LocalText(locate(str(folder)))


def test_the_card_names_licence_version_and_weights(model: LocalText, text_folder: Path) -> None:
    card = model.card
    assert (card.modality, card.provider, card.licence) == (Modality.TEXT, "local", "apache-2.0")
    assert card.name == text_folder.name
    assert card.sha256 is not None
    assert isinstance(model, TextStreamer)


def test_a_seed_gives_the_same_texts_again(model: LocalText) -> None:
    first = texts(model, asks(n=3))
    assert len(first) == 3
    assert len(set(first)) > 1
    assert texts(model, asks(n=3)) == first
    assert texts(model, asks(n=3, seed=4)) != first


def test_without_a_seed_texts_differ(model: LocalText) -> None:
    assert len({"".join(model.stream(asks(seed=None))) for _ in range(8)}) > 1


def test_a_generation_leaves_the_processes_random_state_alone(model: LocalText) -> None:
    import torch

    before = torch.random.get_rng_state()
    model.generate(asks())
    assert torch.equal(before, torch.random.get_rng_state())


def test_at_temperature_zero_the_seed_is_of_no_importance(model: LocalText) -> None:
    [first, second] = texts(model, asks(n=2, seed=1, temperature=0, max_tokens=4))
    assert first == second
    assert texts(model, asks(seed=2, temperature=0, max_tokens=4)) == [first]


def test_a_narrow_nucleus_is_the_likeliest_token(model: LocalText) -> None:
    [greedy] = texts(model, asks(temperature=0, max_tokens=4))
    assert texts(model, asks(top_p=0.01, max_tokens=4)) == [greedy]


def test_no_more_tokens_come_than_asked_for(model: LocalText) -> None:
    for seed in range(5):
        assert len(texts(model, asks(seed=seed, temperature=0.01, max_tokens=2))[0].split()) <= 2


def lively(model: LocalText) -> tuple[int, str]:
    """A seed whose text has several words, and that text."""
    for seed in range(100):
        [artifact] = model.generate(asks(seed=seed)) if _speaks(model, seed) else [None]
        if artifact is not None and len(set(artifact.text.split())) > 4:
            return seed, artifact.text
    raise AssertionError("no seed makes the tiny model talk")


def _speaks(model: LocalText, seed: int) -> bool:
    return bool("".join(model.stream(asks(seed=seed))))


def test_a_text_ends_before_its_stop(model: LocalText) -> None:
    seed, text = lively(model)
    stop = text.split()[3]
    assert texts(model, asks(seed=seed, stop=stop)) == [text[: text.find(stop)]]
    assert texts(model, asks(seed=seed, stop=["nowhere", stop])) == [text[: text.find(stop)]]


def test_the_pieces_of_a_stream_are_the_text(model: LocalText) -> None:
    seed, text = lively(model)
    pieces = list(model.stream(asks(seed=seed)))
    assert len(pieces) > 1
    assert "".join(pieces) == text
    stop = text.split()[3]
    assert "".join(model.stream(asks(seed=seed, stop=stop))) == text[: text.find(stop)]


def test_a_stream_that_is_left_stops_the_model(model: LocalText) -> None:
    seed, _ = lively(model)
    pieces = iter(model.stream(asks(seed=seed)))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 5
    assert "".join(model.stream(asks(seed=seed)))


def test_messages_go_through_the_chat_template(model: LocalText) -> None:
    assert texts(model, talks({"role": "user", "content": "red boat"})) == texts(model, asks(max_tokens=5))
    parts = [{"type": "text", "text": "red "}, {"type": "text", "text": "boat"}]
    assert texts(model, talks({"role": "user", "content": parts})) == texts(model, asks(max_tokens=5))


def test_messages_that_the_template_refuses_are_the_callers_fault(model: LocalText) -> None:
    with pytest.raises(InputError, match="no tools"):
        model.generate(talks({"role": "tool", "content": "red"}))


@pytest.mark.parametrize("content", [None, 7, [{"type": "image_url", "image_url": {}}]])
def test_only_text_can_be_read(model: LocalText, content: Any) -> None:
    with pytest.raises(InputError, match="text alone"):
        model.generate(talks({"role": "user", "content": content}))


def test_without_a_template_the_prompt_is_continued(text_folder: Path, tmp_path: Path) -> None:
    plain = without_template(text_folder, tmp_path)
    assert texts(plain, asks("red boat on", max_tokens=5, temperature=0.01))
    conversation = [{"role": "system", "content": "red"}, {"role": "user", "content": "boat"}]
    assert "".join(plain.stream(talks(*conversation))) is not None
    with pytest.raises(InputError, match="empty"):
        plain.generate(asks(""))


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_tokens": 0},
        {"max_tokens": 1000},
        {"max_tokens": "many"},
        {"temperature": 3},
        {"top_p": -1},
        {"stop": 7},
        {"logit_bias": {}},
    ],
)
def test_wrong_parameters_are_the_callers_fault(model: LocalText, parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(parameters))):
        model.generate(asks(**parameters))
    with pytest.raises(InputError):
        list(model.stream(asks(**parameters)))


def test_a_prompt_beyond_the_context_is_refused(model: LocalText) -> None:
    with pytest.raises(InputError, match="has 101 tokens; the model takes 63"):
        model.generate(asks("red " * 97))


def test_an_answer_of_nothing_is_no_artifact(model: LocalText) -> None:
    seed, text = lively(model)
    with pytest.raises(GenerationError, match="before it began"):
        model.generate(asks(seed=seed, stop=text[0]))
    assert list(model.stream(asks(seed=seed, stop=text[0]))) == []


def broken(text_folder: Path, folder: Path) -> LocalText:
    """A model that loads and then fails at its work: its tokens have no embeddings."""
    shutil.copytree(text_folder, folder, dirs_exist_ok=True)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["red"] = len(WORDS) + 5
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return LocalText(locate(str(folder)))


def test_a_model_that_fails_is_a_generation_error(text_folder: Path, tmp_path: Path) -> None:
    model = broken(text_folder, tmp_path)
    with pytest.raises(GenerationError, match="failed"):
        model.generate(asks())
    with pytest.raises(GenerationError, match="failed"):
        list(model.stream(asks()))


def test_a_text_that_is_none_is_a_generation_error(text_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    words: dict[str, int] = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {
        f"\x01{word}" if word in WORDS[7:] else word: i for word, i in words.items()
    }
    path.write_text(json.dumps(tokenizer))
    model = LocalText(locate(str(tmp_path)))
    with pytest.raises(GenerationError, match="control character"):
        [model.generate(asks("user", seed=seed)) for seed in range(20)]


class Bomb:
    """A pickle that leaves a file behind where it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, Sequence[Any]]:
        return os.mkdir, (str(self.mark),)


def test_pickled_weights_are_never_opened(text_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(text_folder, folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "opened")))
    with pytest.raises(ModelNotFoundError, match="does not load"):
        LocalText(locate(str(folder)))
    assert not (tmp_path / "opened").exists()


def test_code_in_a_checkpoint_is_never_run(text_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(text_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    with pytest.raises(ModelNotFoundError, match="does not load"):
        LocalText(locate(str(folder)))
    assert not (tmp_path / "ran").exists()


def test_a_broken_checkpoint_says_so(text_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(text_folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelNotFoundError, match="does not load") as caught:
        LocalText(locate(str(tmp_path)))
    assert "safetensors" in caught.value.remedy


def test_without_the_extra_it_says_what_to_install(
    text_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = locate(str(text_folder))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"guard-provenance\[local\]"):
        LocalText(checkpoint)
