"""A process that dies at any moment leaves no release, or a complete one that is on record."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from guard.app import App, open_app
from guard.media import Artifact
from guard.settings import Settings
from guard.verdict import MatchKind, VerdictState
from tests.conftest import REPOSITORY
from tests.pictures import encoded, natural

RANDOM_KILLS = 60


@pytest.mark.heavy
def test_nothing_leaves_unrecorded_and_nothing_is_half_recorded(tmp_path: Path) -> None:
    home, out, picture = tmp_path / "home", tmp_path / "out", tmp_path / "in.png"
    out.mkdir()
    picture.write_bytes(encoded(natural(0, 256, 256)))
    command = [sys.executable, "-m", "tests.integration.crash_child", home, picture, out, str(RANDOM_KILLS)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    attempts = [json.loads(line) for line in run.stdout.splitlines()]

    assert _killed_where_told(attempts)
    released = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    assert released, "no attempt got through: the test would prove nothing"
    with open_app(Settings(home=home)) as app:
        _all_recorded(app, released)
    records = _all_whole(home / "ledger.db")
    assert records >= len(released)


def _killed_where_told(attempts: list[dict[str, object]]) -> bool:
    planned = [a for a in attempts if not str(a["moment"]).endswith(" s")]
    assert len(planned) == 38
    assert sum(bool(a["killed"]) for a in attempts) >= 38 - 2 + RANDOM_KILLS // 3
    return all(a["killed"] is (a["moment"] != "never") for a in planned)


def _all_recorded(app: App, released: list[Path]) -> None:
    verifier = app.verifier()
    for path in released:
        verdict = verifier.verify(Artifact.from_path(path))
        assert verdict.state is VerdictState.TRUSTED, path
        assert verdict.match.kind is MatchKind.EXACT, path


def _all_whole(database: Path) -> int:
    """Every record has its mark, manifest and sketch, and none of those stands without a record."""
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counts = [
            connection.execute(query).fetchone()[0]
            for query in (
                "SELECT count(*) FROM releases",
                "SELECT count(*) FROM marks",
                "SELECT count(*) FROM manifests WHERE manifest IS NOT NULL AND sketch IS NOT NULL",
            )
        ]
        assert len(set(counts)) == 1, counts
        return int(counts[0])
    finally:
        connection.close()
