from __future__ import annotations

import base64
import io
from functools import partial
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from guard.errors import ConfigurationError, GenerationError, UpstreamError
from guard.media import Modality
from models.base import GenerationRequest, TextStreamer
from models.upstream import Upstream, UpstreamGenerator
from tests.upstream import Answer, Server, as_json, as_stream, serving


def generator(server: Server, modality: Modality = Modality.TEXT) -> UpstreamGenerator:
    return UpstreamGenerator("some-model", modality, partial(Upstream, server.url, SecretStr("sk-1")))


def wants(modality: Modality = Modality.TEXT, **fields: Any) -> GenerationRequest:
    return GenerationRequest("a prompt", modality, **fields)


def said(*texts: str | None, finish: str = "stop", **message: Any) -> Answer:
    choices = [{"message": {"content": text, **message}, "finish_reason": finish} for text in texts]
    return as_json({"choices": choices})


def png(size: tuple[int, int] = (3, 2)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return file.getvalue()


def drawn(*pictures: bytes) -> Answer:
    return as_json({"data": [{"b64_json": base64.b64encode(picture).decode()} for picture in pictures]})


def test_the_card_names_the_model_and_where_it_runs() -> None:
    with serving(as_json({})) as server:
        card = generator(server).card
    assert (card.name, card.modality, card.provider) == (
        "some-model",
        Modality.TEXT,
        server.url.removesuffix("/v1"),
    )
    assert isinstance(generator(server), TextStreamer)


def test_a_prompt_becomes_a_chat() -> None:
    with serving(said("größe")) as server:
        [artifact] = generator(server).generate(wants(parameters={"temperature": 0.5}))
    assert (artifact.text, artifact.mime) == ("größe", "text/plain")
    assert server.seen[0].json == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "a prompt"}],
        "temperature": 0.5,
    }


def test_a_conversation_goes_out_as_it_is_and_seed_and_number_with_it() -> None:
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
    with serving(said("a", "b")) as server:
        artifacts = generator(server).generate(wants(messages=messages, n=2, seed=7))
    assert [artifact.text for artifact in artifacts] == ["a", "b"]
    assert server.seen[0].json == {"model": "some-model", "messages": messages, "n": 2, "seed": 7}


def test_pictures_come_as_the_upstream_made_them() -> None:
    first, second = png((3, 2)), png((2, 3))
    with serving(drawn(first, second)) as server:
        artifacts = generator(server, Modality.IMAGE).generate(
            wants(Modality.IMAGE, n=2, parameters={"size": "3x2"})
        )
    assert [artifact.data for artifact in artifacts] == [first, second]
    assert {artifact.mime for artifact in artifacts} == {"image/png"}
    assert server.seen[0].json == {"model": "some-model", "prompt": "a prompt", "n": 2, "size": "3x2"}


@pytest.mark.parametrize("answer", [said("only one"), said("a", "b", "c"), said()])
def test_another_number_than_asked_for_is_an_error(answer: Answer) -> None:
    with serving(answer) as server, pytest.raises(UpstreamError, match="2 were asked for"):
        generator(server).generate(wants(n=2))


@pytest.mark.parametrize(
    ("answer", "message", "code"),
    [
        (said(None, finish="content_filter"), "gave no text: content_filter", "content_filter"),
        (said(None, refusal="I will not."), "gave no text: I will not", "stop"),
        (said("", finish="length"), "gave no text: length", "length"),
        (said("nul \x00 inside"), "cannot be used", None),
        (as_json({"choices": [{}]}), "gave no text", "None"),
        (as_json({"choices": [{"message": "text"}]}), "gave no text", "None"),
        (as_json({"choices": ["text"]}), "no list 'choices'", None),
        (as_json({}), "no list 'choices'", None),
    ],
)
def test_answers_without_text(answer: Answer, message: str, code: str | None) -> None:
    with serving(answer) as server, pytest.raises(UpstreamError, match=message) as caught:
        generator(server).generate(wants())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (as_json({"data": [{"b64_json": "!!!"}]}), "cannot be used"),
        (drawn(b""), "cannot be used"),
        (drawn(png()[:20]), "cannot be used"),
        (drawn(b"just a text"), "picture is text/plain"),
        (as_json({"data": []}), "gave 0 results"),
    ],
)
def test_answers_without_a_picture(answer: Answer, message: str) -> None:
    with serving(answer) as server, pytest.raises(UpstreamError, match=message):
        generator(server, Modality.IMAGE).generate(wants(Modality.IMAGE))


STREAM = (
    b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n',
    b'data: {"choices": [{"delta": {"content": "one "}}]}\n\n',
    b'data: {"choices": [{"delta": {"content": "two"}}]}\n\n',
    b'data: {"choices": [{"delta": null, "finish_reason": "stop"}]}\n\n',
    b'data: {"choices": [], "usage": {}}\n\n',
    b"data: [DONE]\n\n",
)


def test_a_text_comes_piece_by_piece() -> None:
    with serving(as_stream(*STREAM)) as server:
        assert list(generator(server).stream(wants(seed=3))) == ["one ", "two"]
    assert server.seen[0].json["stream"] is True
    assert server.seen[0].json["seed"] == 3


def test_a_stream_may_be_left_early() -> None:
    with serving(as_stream(*STREAM)) as server:
        pieces = iter(generator(server).stream(wants()))
        assert next(pieces) == "one "
        del pieces


def test_a_stream_that_breaks_raises_after_what_came() -> None:
    with serving(as_stream(*STREAM[:2], cut=True)) as server:
        pieces = generator(server).stream(wants())
        assert next(pieces) == "one "
        with pytest.raises(UpstreamError, match="broke"):
            next(pieces)


@pytest.mark.parametrize("modality", [Modality.AUDIO, Modality.VIDEO])
def test_sound_and_video_are_not_offered(modality: Modality) -> None:
    with serving(as_json({})) as server, pytest.raises(GenerationError, match="text and pictures"):
        generator(server, modality)


def test_wrong_settings_show_when_the_model_is_loaded() -> None:
    with pytest.raises(ConfigurationError):
        UpstreamGenerator("m", Modality.TEXT, partial(Upstream, "no url"))
