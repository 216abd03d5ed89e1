"""A real OpenAI-compatible server behind Guard: `transformers serve` with a tiny checkpoint."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from guard.app import open_app
from guard.media import Artifact
from guard.settings import Settings
from tests.integration.processes import standing
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
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(checkpoint)]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    command += ["--device", "cpu"]
    with standing(command, "/health", patience=PATIENCE, environment=offline) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="module")
def long_lived(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("guard") / "home"
    with transformers_serve(checkpoint) as upstream, open_app(Settings(home=home)) as app:
        app.keys.init_development()
        with guarding(app, upstream, timeout=PATIENCE) as site:
            yield site


@pytest.fixture
def site(long_lived: Site) -> Iterator[Site]:
    long_lived.earlier = 0
    long_lived.earlier = len(long_lived.records())
    with long_lived.clients:
        yield long_lived


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
