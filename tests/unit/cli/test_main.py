"""The frame of the command line: help, version, errors, exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import guard.cli as cli
from guard import __version__
from guard.errors import BlockedError, InputError
from tests.conftest import REPOSITORY
from tests.unit.cli.conftest import Guard

COMMANDS = [
    "demo",
    "generate",
    "release",
    "verify",
    "inspect",
    "watermark",
    "credential",
    "keys",
    "models",
    "detectors",
    "serve",
]


def launch(*arguments: str | Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "guard", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )  # type: ignore[call-overload,no-any-return]


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise error

    monkeypatch.setattr(cli, "_command", broken)


def test_help_names_every_command(guard: Guard) -> None:
    ran = guard("--help")
    assert ran.code == 0
    for command in COMMANDS:
        assert re.search(rf"^\W+{command}\b", ran.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(guard: Guard, command: str) -> None:
    ran = guard(command, "--help")
    assert ran.code == 0
    assert f"guard {command}" in ran.out


def test_version(guard: Guard) -> None:
    ran = guard("--version")
    assert (ran.code, ran.out.strip()) == (0, f"guard {__version__}")


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys\nsys.argv = ['guard', '--help']\n"
        "from guard.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'torch', 'cv2', 'numpy', 'c2pa', 'sqlalchemy', 'fastapi'} & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, text=True, capture_output=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("arguments", [[], ["keys"], ["nonsense"], ["verify"], ["verify", "--nonsense", "x"]])
def test_bad_usage_exits_2(guard: Guard, arguments: list[str]) -> None:
    ran = guard(*arguments)
    assert ran.code == 2
    assert "guard" in ran.out + ran.err


def test_python_m_guard_is_the_command() -> None:
    process = launch("--version")
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, f"guard {__version__}\n", "")


def test_an_expected_error_is_one_sentence_with_a_remedy(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(InputError("It broke.", "Mend it."), monkeypatch)
    ran = guard("verify", "x")
    assert (ran.code, ran.out, ran.err) == (2, "", "guard: It broke. Mend it.\n")


def test_a_block_exits_1_and_names_the_rule(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(BlockedError("no-cats", "Cats are not allowed."), monkeypatch)
    ran = guard("verify", "x")
    assert (ran.code, ran.err) == (1, "guard: Blocked by rule 'no-cats': Cats are not allowed.\n")


def test_an_unexpected_error_is_a_sentence_that_says_how_to_see_more(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(ZeroDivisionError("oops"), monkeypatch)
    ran = guard("verify", "x")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "ZeroDivisionError: oops" in ran.err
    assert "GUARD_DEBUG=1" in ran.err


def test_debugging_shows_where_an_unexpected_error_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_DEBUG", "1")
    fail_with(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_debugging_leaves_expected_errors_alone(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_DEBUG", "1")
    fail_with(InputError("It broke."), monkeypatch)
    assert guard("verify", "x").err == "guard: It broke.\n"


def test_an_error_cannot_move_the_cursor(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(InputError("bad\x1b[2Jname\nnext"), monkeypatch)
    assert guard("verify", "x").err == "guard: bad\\x1b[2Jname\\nnext\n"


def test_an_interrupt_exits_130(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(KeyboardInterrupt(), monkeypatch)
    ran = guard("verify", "x")
    assert (ran.code, ran.err) == (130, "")


def test_an_exit_without_a_number_is_bad_usage(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(**_: object) -> None:
        raise SystemExit("gone")

    monkeypatch.setattr(cli.typer.main, "get_command", lambda _: leave)
    assert guard("verify", "x").code == 2


def test_a_command_that_returns_is_fine(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.typer.main, "get_command", lambda _: lambda **_: None)
    assert guard("verify", "x").code == 0


def test_a_reader_that_has_enough_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "guard", "models", "list"]
    ran = subprocess.run(
        command, cwd=REPOSITORY, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write_end)
    assert ran.returncode == 1
    assert ran.stderr == ""


def test_help_survives_a_terminal_without_unicode() -> None:
    process = launch(
        "--help", env=os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "verify" in out
