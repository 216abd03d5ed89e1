"""What one version of the official client makes of a Guard: run by itself, with that version on its path.

    python client_child.py BASE_URL KEY

Prints one JSON object. Asks in the order in which `test_client_versions.py` scripts the upstream.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import openai

MESSAGES: Any = [{"role": "user", "content": "Hello"}]


def main(base_url: str, key: str) -> None:
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0) as client:
        found = {
            "version": openai.__version__,
            "whole": whole(client),
            "streamed": streamed(client),
            "blocked before": failure(lambda: whole(client)),
            "blocked midway": blocked_midway(client),
            "responses": responses(client),
            "responses blocked midway": failure(lambda: responses(client)),
            "image": image(client),
            "rate limit": failure(lambda: whole(client)),
            "upstream broken": failure(lambda: whole(client)),
            "no such model": failure(lambda: client.models.retrieve("huge")),
            "bad request": failure(lambda: client.chat.completions.create(model="tiny", messages=[])),
            "wrong key": failure(lambda: whole(client.with_options(api_key="gk_guessed"))),
        }
    print(json.dumps(found))


def whole(client: openai.OpenAI) -> dict[str, Any]:
    answer = client.chat.completions.create(model="tiny", messages=MESSAGES)
    releases = (answer.model_extra or {})["guard"]["releases"]
    named = str(answer._request_id).startswith("req_")
    return {"text": answer.choices[0].message.content, "releases": len(releases), "named": named}


def streamed(client: openai.OpenAI) -> dict[str, Any]:
    chunks = list(client.chat.completions.create(model="tiny", messages=MESSAGES, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return {"text": text, "releases": len((chunks[-1].model_extra or {})["guard"]["releases"])}


def blocked_midway(client: openai.OpenAI) -> dict[str, Any]:
    """What had come before the block, and the block."""
    came: list[str] = []

    def follow() -> None:
        for chunk in client.chat.completions.create(model="tiny", messages=MESSAGES, stream=True):
            came.append(chunk.choices[0].delta.content or "")

    return {**failure(follow), "came": "".join(came)}


def responses(client: openai.OpenAI) -> dict[str, Any]:
    with client.responses.stream(model="tiny", input="Hello") as stream:
        kinds = {event.type for event in stream}
        return {
            "text": stream.get_final_response().output_text,
            "begun and ended": {"response.created", "response.completed"} <= kinds,
        }


def image(client: openai.OpenAI) -> str:
    answer = client.images.generate(model="m", prompt="a quiet harbour")
    picture = base64.b64decode((answer.data or [])[0].b64_json or "")
    return "signed" if b"c2pa" in picture else "unsigned"


def failure(action: Callable[[], object]) -> dict[str, Any]:
    try:
        return {"no error": repr(action())}
    except openai.APIError as error:
        status = getattr(error, "status_code", None)
        return {"class": type(error).__name__, "status": status, "code": error.code}


if __name__ == "__main__":
    main(*sys.argv[1:])
