"""`guard serve`: the API, the proxy and the page."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from guard.cli.upstream import connector
from guard.errors import ConfigurationError

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
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask callers for no API key; on loopback only.")
    ] = False,
) -> None:
    """Serve the API that OpenAI's clients speak, guarded."""
    import uvicorn

    from guard.api import create_app
    from guard.app import open_app
    from guard.settings import load_settings
    from models.registry import load

    if no_auth and not _loopback(host):
        raise ConfigurationError(
            f"--no-auth would let anyone who reaches {host} generate.",
            "Drop it and make a key with `guard keys create`, or listen on 127.0.0.1.",
        )
    settings = load_settings()
    if upstream is not None:
        settings = settings.model_copy(update={"upstream": upstream})
    with open_app(settings) as opened:
        connect = connector(settings)
        api = create_app(
            opened,
            upstream=connect() if connect else None,
            generators={"scene": load("scene")},
            require_keys=not no_auth,
        )
        uvicorn.run(api, host=host, port=port)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
