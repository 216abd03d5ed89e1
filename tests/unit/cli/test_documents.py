"""What the documents say of the commands is what the commands say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from guard.cli import app
from tests.conftest import REPOSITORY
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
GUIDE = (REPOSITORY / "docs" / "guide" / "commands.md").read_text(encoding="utf-8")


def test_the_readme_lists_the_commands_as_help_does(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    shown = guard("--help").out
    helped = re.findall(r"^│ (\w+)  +(.*?) +│$", shown[shown.index("Commands") :], re.MULTILINE)
    listed = re.findall(r"^\| `guard (\w+)` \| (.*?) \|$", README, re.MULTILINE)
    assert listed == helped


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from leaves(child, f"{path} {name}")


COMMANDS = dict(leaves(typer.main.get_command(app), "guard"))


@pytest.mark.parametrize("path", COMMANDS)
def test_the_guide_shows_every_command_with_every_option(path: str) -> None:
    usage = re.search(rf"^    {path}\b.*$", GUIDE, re.MULTILINE)
    assert usage is not None
    options = {name for parameter in COMMANDS[path].params for name in parameter.opts if name.startswith("-")}
    assert options - {"--help"} == set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", usage[0]))


def test_the_guide_shows_no_command_that_is_not_there() -> None:
    shown = re.findall(r"^    (guard [a-z -]+?)(?= [A-Z\[-]|$)", GUIDE, re.MULTILINE)
    assert set(shown) == set(COMMANDS)


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "made.png").write_bytes(encoded(natural(30)))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("trusted Signed by")


@pytest.mark.parametrize(
    "path", ["README.md", "CONTRIBUTING.md", "docs/guide/commands.md", "docs/adr/README.md"]
)
def test_links_lead_somewhere(path: str) -> None:
    document = REPOSITORY / path
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
