"""Streams as the official client sees them: blocks midway, choices side by side, callers who leave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.integration.sites import BANNED, Site, wait_until
from tests.integration.test_openai_client import Dripping, chunks, hello
from tests.upstream import Answer, Server, as_stream

PATIENT = "It is a long way to what may not be said. "


def say(*texts: str) -> Answer:
    return as_stream(*chunks(*({"content": text} for text in texts)))


@pytest.mark.parametrize("helper", [True, False])
def test_a_block_midway_is_an_error_with_its_code(site: Site, upstream: Server, helper: bool) -> None:
    upstream.answers[:] = [say(*(f"{word} " for word in PATIENT.split()), BANNED[:9], BANNED[9:], " more.")]
    client = site.client().chat.completions
    got: list[str] = []
    with pytest.raises(openai.APIError) as caught:
        got.extend(_helped(client) if helper else _plain(client))
    assert caught.value.code == "content_policy_violation"
    assert caught.value.type == "invalid_request_error"
    assert site.records() == ["blocked"]
    assert len(upstream.seen) == 1
    # What had come before was there to be read, and nothing of the phrase.
    left = site.app.ledger.by_id(_last_id(site))
    assert left is not None
    assert left.size == len(PATIENT)


def _plain(client: Any) -> Iterator[str]:
    for chunk in client.create(**hello(stream=True)):
        yield chunk.choices[0].delta.content or ""


def _helped(client: Any) -> Iterator[str]:
    with client.stream(**hello()) as stream:
        for event in stream:
            yield event.delta if event.type == "content.delta" else ""


def _last_id(site: Site) -> str:
    with site.app.ledger.engine.connect() as connection:
        query = 'SELECT id FROM releases ORDER BY "index" DESC LIMIT 1'
        return str(connection.exec_driver_sql(query).scalar_one())


def test_the_async_client_gets_the_same(site: Site, upstream: Server) -> None:
    upstream.answers[:] = [say(PATIENT, PATIENT, BANNED)]

    async def chat() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
            stream = await client.chat.completions.create(**hello(stream=True))
            return [chunk async for chunk in stream]

    with pytest.raises(openai.APIError) as caught:
        asyncio.run(chat())
    assert caught.value.code == "content_policy_violation"


def test_choices_side_by_side(site: Site, upstream: Server) -> None:
    body = chunks(*({"content": word} for word in ("one ", "uno ", "two ", "due ", "for")))[:-2]
    sides = [raw.replace(b'"index": 0', b'"index": %d' % (number % 2)) for number, raw in enumerate(body)]
    end = chunks({})[1:]
    upstream.answers[:] = [as_stream(*sides, *end)]
    said = {0: "", 1: ""}
    for chunk in site.client().chat.completions.create(**hello(stream=True, n=2)):
        for choice in chunk.choices:
            said[choice.index] += choice.delta.content or ""
    assert said == {0: "one two for", 1: "uno due "}
    assert site.records() == ["released", "released"]


def test_completions(site: Site, upstream: Server) -> None:
    raw = b'data: {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": "%s"}]}\n\n'
    upstream.answers[:] = [as_stream(raw % b" upon", raw % b" a time", b"data: [DONE]\n\n")]
    stream = site.client().completions.create(model="tiny", prompt="Once", stream=True)
    assert "".join(c.choices[0].text for c in stream if c.choices) == " upon a time"


def test_a_caller_who_leaves_before_the_first_word(site: Site, upstream: Server) -> None:
    dripping = Dripping(chunks({"content": ""})[0])
    upstream.answers[:] = [Answer(dripping, kind="text/event-stream")]
    with pytest.raises(openai.APITimeoutError):
        site.client(timeout=0.5, max_retries=0).chat.completions.create(**hello(stream=True))
    wait_until(dripping.left.is_set)
    assert site.records() == []


def test_what_left_before_the_upstream_broke_is_on_record(site: Site, upstream: Server) -> None:
    upstream.answers[:] = [as_stream(*chunks({"content": "Good "}, {"content": "morning. "})[:2], cut=True)]
    with pytest.raises(openai.APIError) as caught:
        list(site.client().chat.completions.create(**hello(stream=True)))
    assert caught.value.code == "upstream_error"
    wait_until(lambda: site.records() == ["cut"])
