"""`guard serve`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from guard.cli.serve import _hosted, _loopback, _texts
from guard.errors import InputError
from guard.media import Artifact, Modality
from guard.provenance.keys import KeyStore
from models.base import GenerationRequest, ModelCard
from tests.conftest import REPOSITORY
from tests.unit.cli.conftest import Guard


@contextmanager
def serving(home: Path, *options: str) -> Iterator[str]:
    """A server in a process of its own; its base URL."""
    command = [sys.executable, "-m", "guard", "serve", "--port", "0", *options]
    environment = os.environ | {"GUARD_HOME": str(home)}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"running on (http://\S+)", line):
                yield found[1]
                break
        else:
            pytest.fail(said)
    finally:
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=20)
    assert "Traceback" not in rest
    assert process.returncode in (0, 130)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert _loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "localhost.example.com"])
def test_what_others_can_reach_is_no_loopback(host: str) -> None:
    assert not _loopback(host)


def test_no_auth_is_for_loopback_only(guard: Guard) -> None:
    ran = guard("serve", "--no-auth", "--host", "0.0.0.0")
    assert ran.code == 2
    assert "guard keys create" in ran.err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none(guard: Guard, port: str) -> None:
    assert guard("serve", "--port", port).code == 2


def test_a_bad_upstream_is_bad_usage(guard: Guard) -> None:
    ran = guard("serve", "--upstream", "not a url")
    assert ran.code == 2
    assert ran.err.startswith("guard: ")


def test_it_serves_without_keys_on_loopback(tmp_path: Path) -> None:
    KeyStore(tmp_path).init_development()
    with serving(tmp_path, "--no-auth") as url:
        assert httpx2.get(f"{url}/healthz").status_code == 200
        models = httpx2.get(f"{url}/v1/models").json()["data"]
        assert {model["id"]: model["modalities"] for model in models} == {"scene": ["image", "audio"]}


@pytest.mark.parametrize("name", ["scene", "upstream:gpt", "local:", "local:/nowhere/at/all"])
def test_a_model_that_cannot_be_hosted(guard: Guard, name: str) -> None:
    ran = guard("serve", "--model", name)
    assert ran.code == 2
    assert ran.err.startswith("guard: ")


class Loaded:
    """Stands in for a model that has loaded."""

    def __init__(self, name: str, modality: Modality) -> None:
        self.card = ModelCard(name, "1", modality, "local")

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        raise NotImplementedError


def test_hosted_texts_can_be_verified() -> None:
    hosted = {"scene": Loaded("scene", Modality.IMAGE), "local:/m/gpt": Loaded("gpt", Modality.TEXT)}
    assert _texts(("local:other",), hosted) == ("local:other", "local:/m/gpt")


def test_two_models_of_one_name_cannot_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, *, modality: Modality = Modality.TEXT, allow_download: bool = False) -> Loaded:
        return Loaded(name.rpartition("/")[2], modality)

    monkeypatch.setattr("models.registry.load", load)
    assert list(_hosted(["local:/a/gpt", "local:/a/gpt", "local:/a/pt"], False))[2:] == [
        "local:/a/gpt",
        "local:/a/pt",
    ]
    with pytest.raises(InputError, match="2 models of text go by the name 'gpt'"):
        _hosted(["local:/a/gpt", "local:/b/gpt"], False)


def test_it_asks_for_api_keys(tmp_path: Path) -> None:
    with serving(tmp_path) as url:
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert httpx2.get(f"{url}/v1/models").status_code == 401
