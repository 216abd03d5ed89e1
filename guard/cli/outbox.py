"""`guard outbox`: what could not be signed when it was made."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from guard.cli.files import write_release
from guard.cli.output import Answer, JsonFlag, answer_each, emit, printable, say
from guard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guard.app import App

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Show and send releases that wait for their signature.")


@app.command("list")
def list_waiting(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """List what waits, oldest first."""
    with _app() as opened:
        for each in opened.outbox.waiting():
            if as_json:
                emit(asdict(each))
            else:
                state = "signed  " if each.signed else "unsigned"
                say(f"{each.release_id}  {each.since[:19]}  {state}  {each.size:>10}  {printable(each.mime)}")


@app.command("send")
def send(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to deliver to.", show_default=False)
    ],
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Which; all that wait if left out.")
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Sign what waits, record it as released, and write each file to a folder, named by its release id.

    What cannot be signed yet goes on waiting. Exits 0 where all was delivered.
    """
    from guard.sending import send as deliver

    if not out.is_dir():
        raise InputError(f"The folder {out} does not exist.", "Make it first, or name another.")
    with _app() as opened:
        guard, outbox = opened.guard(), opened.outbox

        def ask(release_id: str) -> Answer:
            done = deliver(guard, outbox, release_id)
            path = out / f"{done.id}{done.artifact.suffix}"
            beside = write_release(path, done.artifact, done.sidecar)
            outbox.remove(done.id)
            record = {
                "file": str(path),
                "release_id": done.id,
                "sha256": done.artifact.sha256,
                "receipt": done.receipt.as_json(),
                "sidecar": str(beside) if beside else None,
            }
            return Answer(record, Text.assemble(("released", "bold green"), f"  {printable(str(path))}"))

        waiting = ids or [each.release_id for each in outbox.waiting()]
        raise typer.Exit(answer_each(waiting, ask, as_json=as_json))


@contextmanager
def _app() -> Iterator[App]:
    from guard.app import open_app
    from guard.settings import load_settings

    with open_app(load_settings()) as opened:
        yield opened
