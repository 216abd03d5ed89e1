"""`guard models`: what this installation can generate with."""

from __future__ import annotations

from typing import Annotated

import typer

from guard.cli.output import JsonFlag, emit, say

__all__ = ["models"]

models = typer.Typer(no_args_is_help=True, help="Show the models that can generate.")


@models.command("list")
def list_models(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """List the names that `guard generate --model` takes."""
    from models.registry import NAMES

    for name, meaning in NAMES.items():
        if as_json:
            emit({"name": name, "meaning": meaning})
        else:
            say(f"{name:<18} {meaning}")


@models.callback()
def _group() -> None:
    """Keeps `list` a command of its own, which typer would fold into the group."""
