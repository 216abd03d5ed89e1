"""The three major versions of the official client get the same from one Guard.

Versions 1 and 2 lie in folders of their own, `clients/openai-1` and `clients/openai-2` of the environment
(`pip install --target`), and run in processes of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sites import BANNED, Site, picture
from tests.integration.test_openai_client import chunks, completion
from tests.unit.api.said import Events
from tests.upstream import Answer, Server, as_events, as_json, as_stream

CHILD = Path(__file__).with_name("client_child.py")
LONG = "Many harmless words come first. " * 4
VIOLATION = "content_policy_violation"


def client(major: int) -> dict[str, str]:
    """The variables that put this version on Python's path; the environment's own is the third."""
    if major == 3:
        return {}
    folder = Path(sys.prefix) / "clients" / f"openai-{major}"
    if not (folder / "openai").is_dir():
        pytest.skip(
            f"version {major} of the client is not here: pip install --target {folder} openai=={major}.*"
        )
    return {"PYTHONPATH": str(folder)}


def script() -> list[Answer]:
    """The upstream's answers to what the child asks, in turn."""
    half = len(BANNED) // 2
    return [
        as_json(completion("Good morning.")),
        as_stream(*chunks({"role": "assistant", "content": "Good "}, {"content": "morning."})),
        as_json(completion(f"Say {BANNED}.")),
        as_stream(
            *chunks({"content": LONG}, {"content": BANNED[:half]}, {"content": f"{BANNED[half:]}. Bye."})
        ),
        as_events(*Events().message("Good ", "morning.").done()),
        as_events(*Events().message(LONG, f"{BANNED}. ", "Bye.").done()),
        as_json({"created": 5, "data": [picture()]}),
        as_json(
            {"error": {"message": "Slow down.", "type": "rate_limit_error", "code": "rate_limited"}}, 429
        ),
        as_json({"detail": "it broke"}, 500),
        as_json({"object": "list", "data": []}),
    ]


def error(name: str, status: int | None, code: str | None) -> dict[str, Any]:
    return {"class": name, "status": status, "code": code}


EXPECTED = {
    "whole": {"text": "Good morning.", "releases": 1, "named": True},
    "streamed": {"text": "Good morning.", "releases": 1},
    "blocked before": error("BadRequestError", 400, VIOLATION),
    "blocked midway": {**error("APIError", None, VIOLATION), "came": LONG},
    "responses": {"text": "Good morning.", "begun and ended": True},
    "responses blocked midway": error("APIError", None, VIOLATION),
    "image": "signed",
    "rate limit": error("RateLimitError", 429, "rate_limited"),
    "upstream broken": error("InternalServerError", 502, "upstream_error"),
    "no such model": error("NotFoundError", 404, "model_not_found"),
    "bad request": error("BadRequestError", 400, None),
    "wrong key": error("AuthenticationError", 401, "invalid_api_key"),
}


@pytest.mark.parametrize("major", [1, 2, 3])
def test_every_version_gets_the_same(site: Site, upstream: Server, major: int) -> None:
    environment = {**os.environ, **client(major)}
    upstream.answers[:] = script()
    command = [sys.executable, str(CHILD), f"{site.url}/v1", site.key]
    child = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout)
    assert found.pop("version").startswith(f"{major}.")
    assert found == EXPECTED
    assert len(upstream.seen) == len(script())
    assert site.records() == ["released"] * 2 + ["blocked"] * 2 + ["released", "blocked", "released"]
