"""`guard keys`: the signing key, the watermark keys, and the API keys of callers."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
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
        "key": status.key,
        "former": list(status.former),
    }
    if as_json:
        emit(record)
    else:
        record["former"] = ", ".join(status.former) or "none"
        say("\n".join(f"{name:<12} {printable(str(value))}" for name, value in record.items()))


@app.command()
def rotate() -> None:
    """Replace the development signer by a fresh one; a server that runs follows with its next request.

    Other signers are replaced with `guard keys import`.
    """
    store = _store()
    if not store.status().development:
        raise InputError(
            "The signer is not a development one, so its authority has to issue the next.",
            "Then install it: guard keys import",
        )
    made = store.init_development(force=True)
    say(f"signer {made.fingerprint}\nuntil {made.expires:%Y-%m-%d}")


@app.command("import")
def import_signer(
    key: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="A file (PEM), or pkcs11:…, awskms:…, gcpkms:…, azurekms:… for a key elsewhere.",
            show_default=False,
        ),
    ],
    certificates: Annotated[
        Path, typer.Option(metavar="PEM", help="Its chain, leaf first.", show_default=False)
    ],
    anchors: Annotated[
        Path | None, typer.Option(metavar="PEM", help="The root of the chain, unless it is trusted.")
    ] = None,
) -> None:
    """Let another signer sign from now on; a server that runs follows with its next request.

    The signer is tried out first: what it signs has to read back as trusted. An encrypted key stays so, and
    GUARD_SIGNER_PASSPHRASE opens it. Former signers stay trusted.
    """
    from guard.app import open_app
    from guard.provenance.signers.address import KeyAddress, open_signer
    from guard.provenance.trial import try_out
    from guard.settings import load_settings

    settings = load_settings()
    chain, roots = _pem(certificates), _pem(anchors) if anchors else ""
    address = KeyAddress(key, settings.signer_secret())
    with open_app(settings) as opened:
        try_out(open_signer(chain, address), opened.trust(roots))
        private = _pem(address.path) if address.scheme == "file" else key
        opened.keys.import_signer(private, chain, roots)
        status = opened.keys.status()
    say(f"signer {status.fingerprint}\nuntil {status.expires:%Y-%m-%d}\nkey {printable(status.key)}")


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
        typer.Option(metavar="SCOPE", help="generate, verify, erase …; may be repeated.", show_default=False),
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
    from guard.settings import load_settings

    return load_settings().key_store()


def _pem(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read.", "Give a file in PEM form.") from error


@contextmanager
def _api_keys() -> Iterator[ApiKeys]:
    from guard.app import open_app
    from guard.ledger.api_keys import ApiKeys
    from guard.settings import load_settings

    with open_app(load_settings()) as opened:
        yield ApiKeys(opened.ledger.engine)
