"""A process that dies while it streams leaves a record of whatever had left."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from guard.app import App, open_app
from guard.ledger import Status
from guard.settings import Settings
from tests.conftest import REPOSITORY
from tests.integration.crash_stream_child import PIECES, STEPS

RANDOM_KILLS = 12
WHOLE = "".join(PIECES)


@pytest.mark.heavy
def test_whatever_left_has_a_row(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "tests.integration.crash_stream_child", home, out, str(RANDOM_KILLS)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    attempts = [json.loads(line) for line in run.stdout.splitlines()]
    planned = [a for a in attempts if a["moment"] != "any"]
    assert len(planned) == 2 * sum(map(len, STEPS.values())) + 2
    assert all(a["killed"] is (a["moment"] != "never") for a in planned)

    with open_app(Settings(home=home)) as app:
        statuses = {_status(app, path) for path in out.iterdir()}
    assert statuses >= {None, Status.STREAMING, Status.RELEASED, Status.CUT}


def _status(app: App, path: Path) -> Status | None:
    """What became of one stream, after what left of it was held against its row."""
    left = path.read_text(encoding="utf-8")
    entry = app.ledger.by_id(path.name)
    assert WHOLE.startswith(left)
    if entry is None:
        assert left == ""
        return None
    if entry.status is not Status.STREAMING:
        whole = WHOLE if entry.status is Status.RELEASED else left
        assert entry.sha256 == hashlib.sha256(whole.encode()).hexdigest()
    return entry.status
