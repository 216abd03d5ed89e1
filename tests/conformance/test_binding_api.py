"""The Soft Binding Resolution API against the OpenAPI documents of both its versions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guard.app import App
from tests.integration.sites import guarding

# What a value of an algorithm is, and which bytes are a manifest store, no OpenAPI document can say: valid by
# the document alone is most often refused. And version 1.0 calls all text a text, also where it is JSON.
LEFT_OUT = {
    "sbr-api-v1.0.0-openapi.json": ("", "positive_data_acceptance,negative_data_rejection"),
    "sbr-api-v2.4-cognitiveproof-openapi.yaml": ("/v1", "positive_data_acceptance"),
}


@pytest.mark.heavy
@pytest.mark.parametrize("document", LEFT_OUT)
def test_to_the_letter(app: App, shared_data: Path, tmp_path: Path, document: str) -> None:
    prefix, left_out = LEFT_OUT[document]
    with guarding(app, "http://127.0.0.1:9/v1") as site:
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(shared_data / "specs" / document)]
        command += ["--url", site.url + prefix, "--header", f"Authorization: Bearer {site.key}"]
        command += ["--checks", "all", "--exclude-checks", left_out, "--max-examples", "5", "--seed", "1"]
        hooks = {"SCHEMATHESIS_HOOKS": "tests.conformance.c2pa_bodies"}
        ran = subprocess.run(command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
