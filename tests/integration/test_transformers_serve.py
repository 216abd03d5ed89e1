"""A real OpenAI-compatible server behind Guard: `transformers serve` with a tiny checkpoint."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from guard.app import open_app
from guard.media import Artifact
from guard.settings import Settings
from tests.integration.sites import Site, guarding
from tests.unit.models import conftest

PATIENCE = 240.0
"""Seconds that torch and the checkpoint may take to load."""

pytestmark = pytest.mark.heavy
checkpoint = conftest.text_folder


@contextmanager
def transformers_serve(checkpoint: Path) -> Iterator[str]:
    """The server on a free port of loopback, offline; yields its base URL."""
    imports = pytest.importorskip(
        "transformers.utils.import_utils", reason="the extra [local] is not installed"
    )
    if not imports.is_serve_available():
        pytest.skip("what `transformers serve` needs is not installed: pip install 'transformers[serving]'")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(checkpoint)]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)],
            env=offline,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx2.get(url, timeout=5.0).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    pytest.fail("`transformers serve` did not start")


@pytest.fixture(scope="module")
def standing(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("guard") / "home"
    with transformers_serve(checkpoint) as upstream, open_app(Settings(home=home)) as app:
        app.keys.init_development()
        with guarding(app, upstream, timeout=PATIENCE) as site:
            yield site


@pytest.fixture
def site(standing: Site) -> Iterator[Site]:
    standing.earlier = 0
    standing.earlier = len(standing.records())
    with standing.clients:
        yield standing


def asked(checkpoint: Path, **extra: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "red boat"}]
    return {"model": str(checkpoint), "messages": messages, "max_tokens": 12, **extra}


def test_a_whole_answer(site: Site, checkpoint: Path) -> None:
    answer = site.client().chat.completions.create(**asked(checkpoint))
    text = answer.choices[0].message.content
    assert text
    verdict = site.app.verifier().verify(Artifact.from_text(text))
    assert verdict.match.entry is not None
    assert answer.model_extra is not None
    assert verdict.match.entry.id == answer.model_extra["guard"]["releases"][0]["release_id"]
    assert site.records() == ["released"]


def test_a_stream_says_the_same(site: Site, checkpoint: Path) -> None:
    wish = asked(checkpoint, temperature=0.0)
    whole = site.client().chat.completions.create(**wish).choices[0].message.content
    chunks = list(site.client().chat.completions.create(**wish, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole
    assert chunks[-1].model_extra is not None
    assert len(chunks[-1].model_extra["guard"]["releases"]) == 1
    assert site.records() == ["released"] * 2


def test_its_errors_come_as_openais(site: Site, checkpoint: Path) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        site.client(max_retries=0).chat.completions.create(**asked(checkpoint, max_tokens="many"))
    assert caught.value.status_code in (400, 422, 502)
    assert caught.value.code
    assert site.records() == []
