"""What commands print: answers on stdout, everything else on stderr, nothing that a file name could abuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from guard.cli.failures import BAD_INPUT, FINE, NO, debugging, sentence
from guard.errors import ConfigurationError, GuardError, LedgerError

__all__ = ["Answer", "JsonFlag", "answer_each", "complain", "emit", "printable", "say"]

JsonFlag = typer.Option("--json", help="Print one JSON object a line.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says of one file: as a JSON object, as text for people, and whether all is fine."""

    record: Mapping[str, Any]
    text: Text
    fine: bool = True


def printable(text: str) -> str:
    """`text` with everything escaped that would move the cursor, reorder letters or break the encoding."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def emit(record: Mapping[str, Any]) -> None:
    """Print one JSON object as one line of ASCII, safe on every terminal."""
    typer.echo(json.dumps(record))


def say(text: RenderableType, *, to_stderr: bool = False) -> None:
    """Print text for people: colours only on a terminal, and lines never wrapped by us."""
    Console(stderr=to_stderr, highlight=False, markup=False, emoji=False, soft_wrap=True).print(text)


def complain(message: str) -> None:
    """Print one sentence on stderr."""
    say(Text.assemble(("guard: ", "bold red"), printable(message)), to_stderr=True)


def answer_each(files: Sequence[str], ask: Callable[[str], Answer], *, as_json: bool) -> int:
    """Print what `ask` says of every file; the exit code of it all.

    A file that cannot be used does not stop the others. What would hit every file alike does: errors of the
    settings and of the ledger are raised.
    """
    code = FINE
    with _progress(files) as queue:
        for file in queue:
            answer = _try(ask, file)
            if isinstance(answer, str):
                code = BAD_INPUT
                _report(file, answer, as_json=as_json)
                continue
            code = max(code, FINE if answer.fine else NO)
            emit(answer.record) if as_json else say(answer.text)
    return code


def _try(ask: Callable[[str], Answer], file: str) -> Answer | str:
    try:
        return ask(file)
    except (ConfigurationError, LedgerError):
        raise
    except Exception as error:  # one hostile file must not hide what the others are
        if debugging() and not isinstance(error, GuardError):
            raise
        return sentence(error)


def _report(file: str, problem: str, *, as_json: bool) -> None:
    if as_json:
        emit({"file": file, "error": problem})
    else:
        complain(problem if problem.startswith(file) else f"{file}: {problem}")


@contextmanager
def _progress(files: Sequence[str]) -> Iterator[Iterator[str]]:
    """The files one by one, with a bar on stderr where someone watches and there is something to wait for."""
    if len(files) < 2 or not sys.stderr.isatty():
        yield iter(files)
        return
    from rich.progress import Progress

    # Answers must go above the bar on a shared terminal, yet stay on stdout when that is a file or a pipe.
    bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
    with bar:
        yield iter(bar.track(files, description="files"))
