"""`guard trust`: whose signatures count."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from guard.cli.output import JsonFlag, complain, emit, printable, say
from guard.errors import InputError
from guard.provenance.trust_kinds import ListKind

if TYPE_CHECKING:
    from guard.provenance.trust_store import StoredList, TrustStore
    from guard.settings import Settings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Show and change whose signatures count as trusted.")

_KindOption = Annotated[
    ListKind, typer.Option(help="What its certificates vouch for: interim lists are shown apart.")
]
_Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@app.command("show")
def show(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """Show the trust lists, how old they are and where they came from.

    Exits 1 where an official one is older than GUARD_TRUST_DAYS.
    """
    from guard.provenance.trust_store import OFFICIAL

    settings, store = _opened()
    for each in store.lists():
        used = settings.trust_official or each.name not in OFFICIAL
        emit(_record(each, used)) if as_json else say(_text(each, used))
    stale = store.stale(settings.trust_days) if settings.trust_official else []
    if stale:
        names = " and ".join(each.name for each in stale)
        complain(f"{names} may be out of date. Fetch them anew with: guard trust refresh")
        raise typer.Exit(1)


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(metavar="PEM", help="A file of certificates.", show_default=False)],
    name: Annotated[str, typer.Option(metavar="NAME", help="What to call it.", show_default=False)],
    kind: _KindOption = ListKind.SIGNERS,
    dated: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day its publisher gave it.")
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Trust the certificates in a file as well, as one list."""
    from datetime import UTC

    from guard.provenance.trust_store import StoredList, certificates_in

    _, store = _opened()
    try:
        certificates = certificates_in(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", "Check its name and owner.") from error
    except ValueError as error:
        raise InputError(
            f"{file} is not a list of certificates in PEM form: {str(error).rstrip('.')}.",
            "Give certificates alone, whole ones.",
        ) from error
    day = (dated or datetime.now(UTC)).date()
    added = StoredList(name, name, kind, day, file.name, certificates)
    store.add(added)
    emit(_record(added, True)) if as_json else say(_text(added, True))


@app.command("remove")
def remove(name: _Name) -> None:
    """Forget a list. Of an official one the fetched copy goes, and the one that Guard came with counts."""
    _opened()[1].remove(name)


@app.command("refresh")
def refresh(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """Fetch the official lists anew, from GUARD_TRUST_URL and GUARD_TRUST_TSA_URL where they are set.

    Nothing changes unless both arrive whole.
    """
    from guard.provenance.trust_refresh import refresh as fetch_anew
    from guard.provenance.trust_store import OFFICIAL

    settings, store = _opened()
    addresses = dict(zip(OFFICIAL, (settings.trust_url or "", settings.trust_tsa_url or ""), strict=True))
    for each in fetch_anew(store, addresses):
        emit(_record(each, True)) if as_json else say(_text(each, True))


def _opened() -> tuple[Settings, TrustStore]:
    from guard.provenance.trust_store import TrustStore
    from guard.settings import load_settings

    settings = load_settings()
    return settings, TrustStore(settings.home)


def _record(each: StoredList, used: bool) -> dict[str, Any]:
    return {
        "name": each.name,
        "title": each.title,
        "kind": each.kind.value,
        "dated": each.dated.isoformat(),
        "certificates": each.count,
        "source": each.source,
        "used": used,
    }


def _text(each: StoredList, used: bool) -> Text:
    text = Text.assemble((printable(each.name), "bold"), f"  {each.kind}")
    text.append(f"  {each.count} certificates of {each.dated}  {printable(each.source)}", "dim")
    if not used:
        text.append("  not used: GUARD_TRUST_OFFICIAL is off", "yellow")
    return text
