"""The official client's `responses`, through a real server in front of a real upstream."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from tests.integration.sites import BANNED, Site, picture, wait_until
from tests.integration.test_openai_client import Dripping
from tests.unit.api.said import Events, call, drawn, message, reasoning, response
from tests.upstream import Answer, Server, as_events, as_json

SECRET = "ghp_" + "a1B2" * 10
LONG = ("Many harmless words come first. ",) * 3


class Weather(BaseModel):
    sky: str


def hello(**extra: Any) -> dict[str, Any]:
    return {"model": "tiny", "input": "Hello", **extra}


def releases_of(answer: Response) -> list[dict[str, Any]]:
    assert answer.model_extra is not None
    found: list[dict[str, Any]] = answer.model_extra["guard"]["releases"]
    return found


class TestWhole:
    def test_every_kind_of_item(self, site: Site, upstream: Server) -> None:
        items = (reasoning("Sum.", "Thought."), call('{"q": "weather"}'), message("Good day."))
        upstream.answers[:] = [as_json(response(*items, drawn(picture()["b64_json"])))]
        answer = site.client().responses.create(**hello(tools=[{"type": "image_generation"}]))
        assert answer.output_text == "Good day."
        assert [item.type for item in answer.output] == [
            "reasoning",
            "function_call",
            "message",
            "image_generation_call",
        ]
        assert answer._request_id is not None
        assert len(releases_of(answer)) == 5
        assert site.records() == ["released"] * 5
        drawing = answer.output[-1]
        assert drawing.type == "image_generation_call"
        assert drawing.result is not None
        found = site.client().post(
            "/verify", cast_to=object, content=base64.b64decode(drawing.result),
            options={"headers": {"content-type": "image/png"}},
        )  # fmt: skip
        assert found["verdict"] == "trusted"  # type: ignore[index]

    def test_structured_output(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json(response(message('{"sky": "clear"}')))]
        answer = site.client().responses.parse(**hello(text_format=Weather))
        assert answer.output_parsed == Weather(sky="clear")

    def test_raw(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json(response(message("Hi.")), x_ratelimit_remaining_tokens="9")]
        raw = site.client().responses.with_raw_response.create(**hello())
        assert raw.headers["x-ratelimit-remaining-tokens"] == "9"
        assert raw.parse().output_text == "Hi."

    def test_a_block_costs_one_call(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json(response(message(f"Say {BANNED}.")))]
        with pytest.raises(openai.BadRequestError) as caught:
            site.client().responses.create(**hello())
        assert caught.value.code == "content_policy_violation"
        assert len(upstream.seen) == 1
        assert site.records() == ["blocked"]

    def test_stored_ones(self, site: Site, upstream: Server) -> None:
        client = site.client().responses
        upstream.answers[:] = [as_json(response(message(f"It is {SECRET}.")))]
        assert client.retrieve("resp_1").output_text == "It is [credential]."
        upstream.answers[:] = [as_json({"object": "list", "data": [message("Hi.")], "has_more": False})]
        assert [item.type for item in client.input_items.list("resp_1")] == ["message"]
        upstream.answers[:] = [as_json(response(status="cancelled"))]
        assert client.cancel("resp_1").status == "cancelled"
        upstream.answers[:] = [as_json({"id": "resp_1", "object": "response", "deleted": True})]
        client.delete("resp_1")
        assert [seen.method for seen in upstream.seen] == ["GET", "GET", "POST", "DELETE"]

    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_json(response(message("Good day.")))]

        async def ask() -> Response:
            async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client:
                return await client.responses.create(**hello())

        assert asyncio.run(ask()).output_text == "Good day."


class TestStreams:
    def test_the_helper_that_follows_a_stream(self, site: Site, upstream: Server) -> None:
        written = Events().reasoning(["Sum", "."], []).call('{"q": ', "1}").message("It is ", SECRET, ".")
        upstream.answers[:] = [as_events(*written.drawn(picture()["b64_json"]).done())]
        with site.client().responses.stream(**hello()) as stream:
            got = list(stream)
            final = stream.get_final_response()
        text = "".join(event.delta for event in got if event.type == "response.output_text.delta")
        assert text == final.output_text == "It is [credential]."
        assert [event.type for event in got].count("response.function_call_arguments.delta") == 2
        assert not [event for event in got if "partial_image" in event.type]
        assert len(releases_of(final)) == 4
        assert site.records() == ["released"] * 4

    def test_structured_output(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_events(*Events().message('{"sky": ', '"clear"}').done())]
        with site.client().responses.stream(**hello(text_format=Weather)) as stream:
            assert stream.get_final_response().output_parsed == Weather(sky="clear")

    def test_plain_events(self, site: Site, upstream: Server) -> None:
        written = Events().message("Good ", "day.").done()
        upstream.answers[:] = [as_events(*written)]
        got = list(site.client().responses.create(**hello(stream=True)))
        assert [event.type for event in got] == [event["type"] for event in written]
        assert [event.sequence_number for event in got] == list(range(len(written)))

    def test_a_refusal_of_the_model_is_no_block(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_events(*Events().message("I ", "cannot.", refusal=True).done())]
        with site.client().responses.stream(**hello()) as stream:
            final = stream.get_final_response()
        part = final.output[0].content[0]  # type: ignore[union-attr, index]
        assert (part.type, part.refusal) == ("refusal", "I cannot.")  # type: ignore[union-attr]

    @pytest.mark.parametrize("helper", [True, False])
    def test_blocked_at_once(self, site: Site, upstream: Server, helper: bool) -> None:
        upstream.answers[:] = [as_events(*Events().message("forbidden", "-demo-", "term").done())]
        with pytest.raises(openai.BadRequestError) as caught:
            self.read(site, helper)
        assert caught.value.code == "content_policy_violation"
        assert len(upstream.seen) == 1
        assert site.records() == ["blocked"]

    @pytest.mark.parametrize("helper", [True, False])
    def test_blocked_midway(self, site: Site, upstream: Server, helper: bool) -> None:
        upstream.answers[:] = [as_events(*Events().message(*LONG, "forbidden", "-demo-", "term").done())]
        got: list[Any] = []
        with pytest.raises(openai.APIError) as caught:
            self.read(site, helper, got)
        assert caught.value.code == "content_policy_violation"
        assert not isinstance(caught.value, openai.APIStatusError)
        said = "".join(event.delta for event in got if event.type == "response.output_text.delta")
        assert said == "".join(LONG)
        assert len(upstream.seen) == 1
        assert site.records() == ["blocked"]

    def test_the_async_client_gets_the_same(self, site: Site, upstream: Server) -> None:
        upstream.answers[:] = [as_events(*Events().message("Good ", "day.").done())]

        async def ask() -> str:
            async with (
                openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key) as client,
                client.responses.stream(**hello()) as stream,
            ):
                return (await stream.get_final_response()).output_text

        assert asyncio.run(ask()) == "Good day."

    def read(self, site: Site, helper: bool, got: list[Any] | None = None) -> None:
        client, got = site.client().responses, got if got is not None else []
        if helper:
            with client.stream(**hello()) as stream:
                got.extend(stream)
        else:
            got.extend(client.create(**hello(stream=True)))

    def test_the_upstream_is_let_go_when_the_caller_leaves(self, site: Site, upstream: Server) -> None:
        opening = [event for event in Events().message(*LONG).sent if not event["type"].endswith(".done")]
        head = b"".join(
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in opening
        )
        dripping = Dripping(head)
        upstream.answers[:] = [Answer(dripping, kind="text/event-stream")]
        stream = site.client().responses.create(**hello(stream=True))
        next(stream)
        stream.close()
        wait_until(dripping.left.is_set)
        wait_until(lambda: site.records() == ["cut"])
