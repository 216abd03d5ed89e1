"""`guard keys`: the signing key, the watermark keys, and the API keys of callers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from guard.cli.output import JsonFlag, emit, printable, say
from guard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guard.ledger.api_keys import ApiKeys, Scope
    from guard.provenance.keys import KeyStore

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make and manage signing, watermark and API keys.")


@app.command()
def init(
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signer; old files stay verifiable.")
    ] = False,
) -> None:
    """Make a development signer and a watermark key."""
    made = _store().init_development(force)
    say(f"Keys made in {printable(str(made.folder))}")
    say(f"  signer {made.fingerprint}\n  until {made.expires:%Y-%m-%d}")
    say(Text(f"WARNING: {made.warning}", "bold yellow"), to_stderr=True)


@app.command()
def show(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """Show the signer and how many watermark keys there are; never a secret."""
    status = _store().status()
    record = {
        "folder": str(status.folder),
        "subject": status.subject,
        "alg": status.alg,
        "expires": status.expires.isoformat(),
        "fingerprint": status.fingerprint,
        "development": status.development,
        "mark_keys": status.mark_keys,
    }
    if as_json:
        emit(record)
    else:
        say("\n".join(f"{name:<12} {printable(str(value))}" for name, value in record.items()))


@app.command("rotate-mark")
def rotate_mark() -> None:
    """Put a fresh watermark key before the others, which still read old marks."""
    store = _store()
    store.add_mark_key()
    say(f"New files are marked with a fresh key; {len(store.mark_keys())} keys are read.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will use it.", show_default=False)],
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help="generate or verify; may be repeated.", show_default=False),
    ],
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Make an API key and show its secret, this once."""
    scopes = _scopes(scope)
    with _api_keys() as keys:
        key, secret = keys.create(name, scopes)
    if as_json:
        emit({"id": key.id, "name": name, "scopes": sorted(key.scopes), "secret": secret})
    else:
        say(secret)
        say(
            f"Id {key.id}. Store the secret now: it is kept as a hash and cannot be shown again.",
            to_stderr=True,
        )


@app.command("list")
def list_keys(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """List the API keys."""
    with _api_keys() as keys:
        for key in keys.list():
            scopes = sorted(key.scopes)
            if as_json:
                record = {"id": key.id, "name": key.name, "scopes": scopes}
                emit(record | {"created_at": key.created_at, "revoked": key.revoked})
            else:
                state = "revoked" if key.revoked else "open"
                made = key.created_at[:10]
                say(f"{key.id}  {state:<7}  {'+'.join(scopes):<15}  {made}  {printable(key.name)}")


@app.command()
def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `guard keys list` shows it.", show_default=False)
    ],
) -> None:
    """Close an API key for good."""
    with _api_keys() as keys:
        keys.revoke(key_id)
    say(f"API key {printable(key_id)} is revoked.")


def _scopes(names: list[str]) -> frozenset[Scope]:
    from guard.ledger.api_keys import Scope

    try:
        return frozenset(Scope(name) for name in names)
    except ValueError as error:
        raise InputError(
            f"{error}.".replace("Scope", "scope"), f"Choose from: {', '.join(Scope)}."
        ) from error


def _store() -> KeyStore:
    from guard.provenance.keys import KeyStore
    from guard.settings import load_settings

    return KeyStore(load_settings().home)


@contextmanager
def _api_keys() -> Iterator[ApiKeys]:
    from guard.app import open_app
    from guard.ledger.api_keys import ApiKeys
    from guard.settings import load_settings

    with open_app(load_settings()) as opened:
        yield ApiKeys(opened.ledger.engine)
