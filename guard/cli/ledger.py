"""`guard ledger`: what its operator does to the ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from guard.cli.files import check_output
from guard.cli.output import JsonFlag, emit, printable, say
from guard.errors import InputError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Migrate, copy and repair the ledger; forget personal data.")

_Content = Annotated[
    bool,
    typer.Option("--content", help="Manifests and fingerprints too: copies will be strangers."),
]


@app.command("forget")
def forget(
    release: Annotated[str | None, typer.Option(metavar="ID", help="One release.")] = None,
    caller: Annotated[str | None, typer.Option(metavar="NAME", help="All that a caller released.")] = None,
    content: _Content = False,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Take the personal data out of records: caller, hash of the prompt, findings.

    The log stays verifiable, and tells that they were taken out.
    """
    from guard.ledger.retention import forget_caller, forget_release

    if (release is None) == (caller is None):
        raise InputError("Say whom or what to forget.", "Give --release ID or --caller NAME.")
    with _opened() as opened:
        if release is not None:
            count = forget_release(opened.ledger, release.lower(), content=content)
        else:
            count = forget_caller(opened.ledger, str(caller), content=content)
    _told(count, as_json)


@app.command("prune")
def prune(
    days: Annotated[
        int | None,
        typer.Option("--older-than", metavar="DAYS", min=1, help="Else GUARD_RETENTION_DAYS."),
    ] = None,
    content: _Content = False,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Take the personal data out of records that are older than so many days."""
    from guard.ledger.retention import prune as forget_old

    with _opened() as opened:
        limit = days or opened.settings.retention_days
        if limit is None:
            raise InputError("No retention period is set.", "Give --older-than, or set GUARD_RETENTION_DAYS.")
        count = forget_old(opened.ledger, limit, content=content)
    _told(count, as_json)


@app.command("repair")
def repair(
    hours: Annotated[
        int, typer.Option("--older-than", metavar="HOURS", min=1, help="For streams that nobody claimed.")
    ] = 24,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Record the end of streams whose process died, as cut."""
    from guard.ledger.orphans import close_orphans

    with _opened() as opened:
        closed = close_orphans(opened.ledger, timedelta(hours=hours))
    emit({"closed": closed}) if as_json else say(f"{len(closed)} streams closed.")


@app.command("backup")
def backup(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new file.", show_default=False)],
) -> None:
    """Copy a SQLite ledger while it is in use; the copy is a ledger itself."""
    from guard.ledger.backup import backup as copy

    check_output(out)
    with _opened() as opened:
        copy(opened.ledger, out)
    say(f"Copied to {printable(str(out))}")


@app.command("migrate")
def migrate(
    to: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Go down to this one; what came after it is lost.")
    ] = None,
) -> None:
    """Bring the tables to the newest form, as every command does that opens the ledger; or back."""
    from guard.ledger.databases import connect
    from guard.ledger.failures import ledger_errors
    from guard.ledger.migrate import downgrade, revision, upgrade
    from guard.settings import load_settings

    with ledger_errors("The ledger cannot be migrated"):
        engine = connect(load_settings().database)
        try:
            upgrade(engine) if to is None else downgrade(engine, to)
            say(f"The ledger is at revision {revision(engine)}.")
        finally:
            engine.dispose()


def _opened() -> Any:
    from guard.app import open_app
    from guard.settings import load_settings

    return open_app(load_settings())


def _told(count: int, as_json: bool) -> None:
    emit({"forgotten": count}) if as_json else say(f"{count} records forgotten.")
