"""The command line as its users meet it: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from guard.cli import main
from guard.provenance.keys import KeyStore
from tests.pictures import encoded, natural


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects that it printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        """The only JSON object that it printed."""
        (record,) = self.records
        return record


Guard = Callable[..., Ran]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Guard:
    """Runs `guard ARGUMENTS…` in this process."""

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["guard", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with keys, made once: tests that change it make their own."""
    home = tmp_path_factory.mktemp("cli-home")
    KeyStore(home).init_development()
    return home


@pytest.fixture(autouse=True)
def _environment(template_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_HOME", str(template_home))
    for name in (
        "GUARD_DEBUG",
        "GUARD_POLICY",
        "GUARD_BLOCKLIST",
        "GUARD_UPSTREAM",
        "GUARD_ENGINE",
        "GUARD_TRUST",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder in place of the one with keys."""
    home = tmp_path / "fresh-home"
    monkeypatch.setenv("GUARD_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that nobody released."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    path.write_bytes(encoded(natural(3)))
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A file that is no media."""
    path = tmp_path / "empty.png"
    path.touch()
    return path
