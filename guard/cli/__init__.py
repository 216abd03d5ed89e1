"""The command line. `guard --help` loads nothing but this package, typer and rich: commands import what they
need when they run."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from guard import __version__
from guard.cli import (
    certificates,
    checks,
    credentials,
    demo,
    detectors,
    inspecting,
    keys,
    ledger,
    log,
    marks,
    outbox,
    parts,
    releases,
    serve,
    trust,
)
from guard.cli.failures import BAD_INPUT, FINE, INTERRUPTED, NO, debugging, exit_code, sentence
from guard.cli.output import complain
from guard.errors import GuardError

__all__ = ["app", "main"]

app = typer.Typer(
    name="guard",
    help="Mark, sign and record what models generate, and tell anyone what a file is.",
    epilog="Exit codes: 0 fine, 1 the answer is no, 2 bad usage or input.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("generate")(releases.generate)
app.command("release")(releases.release)
app.command("verify")(checks.verify)
app.command("inspect")(inspecting.inspect)
app.add_typer(marks.app, name="watermark")
credentials.app.command("lint-cert")(certificates.lint_cert)
app.add_typer(credentials.app, name="credential")
app.add_typer(outbox.app, name="outbox")
app.add_typer(trust.app, name="trust")
app.add_typer(keys.app, name="keys")
app.add_typer(ledger.app, name="ledger")
app.add_typer(log.app, name="log")
app.add_typer(parts.models, name="models")
app.add_typer(detectors.app, name="detectors")
app.command("serve")(serve.serve)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"guard {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit: 0 fine, 1 the answer is no, 2 bad usage or input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(_run())


def _run() -> int:
    try:
        return _command()
    except BrokenPipeError:
        # Whoever read our output has enough, as `head` does; flushing once more at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if debugging() and not isinstance(error, GuardError):
            raise
        complain(sentence(error))
        return exit_code(error)


def _command() -> int:
    code: object = FINE
    try:
        typer.main.get_command(app)(prog_name="guard")
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    return code if isinstance(code, int) else BAD_INPUT
