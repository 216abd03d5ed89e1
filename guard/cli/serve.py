"""`guard serve`: the API, the proxy and the page."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from guard.cli.upstream import connector
from guard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from models.base import Generator

__all__ = ["serve"]


def serve(
    host: Annotated[str, typer.Option(metavar="H", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="P", min=0, max=65535, help="The port; 0 for any free one.")
    ] = 8000,
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The OpenAI-compatible API to guard; its key is GUARD_UPSTREAM_API_KEY."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A model to host as well: local:PATH_OR_ID. May be repeated."),
    ] = None,
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Fetch models that are not on this machine yet.")
    ] = False,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask callers for no API key; on loopback only.")
    ] = False,
) -> None:
    """Serve the API that OpenAI's clients speak, guarded."""
    import uvicorn

    from guard.api import create_app
    from guard.app import open_app
    from guard.ledger.orphans import close_orphans
    from guard.settings import load_settings

    if no_auth and not _loopback(host):
        raise ConfigurationError(
            f"--no-auth would let anyone who reaches {host} generate.",
            "Drop it and make a key with `guard keys create`, or listen on 127.0.0.1.",
        )
    settings = load_settings()
    if upstream is not None:
        settings = settings.model_copy(update={"upstream": upstream})
    hosted = _hosted(model or [], allow_download)
    settings = settings.model_copy(update={"text_models": _texts(settings.text_models, hosted)})
    with open_app(settings) as opened:
        close_orphans(opened.ledger)  # of a server that died
        opened.warm()
        connect = connector(settings)
        ears = [opened.ears()] if opened.ears else []
        api = create_app(
            opened,
            upstream=connect() if connect else None,
            generators=hosted.values(),
            transcribers={each.card.name: each for each in ears},
            require_keys=not no_auth,
        )
        uvicorn.run(api, host=host, port=port)


def _hosted(names: list[str], allow_download: bool) -> dict[str, Generator]:
    """The models by the names that load them: the built-in ones, and those that were asked for."""
    from guard.media import Modality
    from models.registry import load

    hosted = {f"scene ({kind})": load("scene", modality=kind) for kind in (Modality.IMAGE, Modality.AUDIO)}
    for name in dict.fromkeys(names):
        if not name.startswith("local:"):
            raise InputError(f"{name!r} is no model to host.", "Give local: and a folder or hub id.")
        hosted[name] = load(name, allow_download=allow_download)
    seen = Counter((each.card.name, each.card.modality) for each in hosted.values())
    for (name, makes), count in seen.items():
        if count > 1:
            raise InputError(f"{count} models of {makes} go by the name {name!r}.", "Rename a folder.")
    return hosted


def _texts(known: tuple[str, ...], hosted: Mapping[str, Generator]) -> tuple[str, ...]:
    """The models whose marks in texts are read: those of the settings, and those that write here."""
    from guard.media import Modality

    writing = [name for name, each in hosted.items() if each.card.modality is Modality.TEXT]
    return tuple(dict.fromkeys([*known, *writing]))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
