"""`guard models` and `guard detectors`: what this installation has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard.cli.output import JsonFlag, complain, emit, printable, say

if TYPE_CHECKING:
    from detectors import DetectorCard

__all__ = ["detectors", "models"]

models = typer.Typer(no_args_is_help=True, help="Show the models that can generate.")
detectors = typer.Typer(no_args_is_help=True, help="Show the detectors that screen.")


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
@detectors.callback()
def _group() -> None:
    """Keeps `list` a command of its own, which typer would fold into the group."""


@detectors.command("list")
def list_detectors(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """List the detectors that are installed, and those that do not start.

    Exits 0 where every detector starts.
    """
    from detectors import load_all

    loaded = load_all()
    for detector in loaded.detectors.values():
        if as_json:
            emit(_card(detector.card))
        else:
            card = detector.card
            kinds = "+".join(sorted(card.modalities))
            say(printable(f"{card.id}@{card.version}  {kinds}  {card.description}"))
    for error in loaded.broken.values():
        complain(str(error))
    raise typer.Exit(2 if loaded.broken else 0)


def _card(card: DetectorCard) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(card) | {"modalities": sorted(card.modalities)}
