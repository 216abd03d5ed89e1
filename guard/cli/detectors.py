"""`guard detectors`: what screens here, how well it does, and how to find that out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from guard.cli.output import JsonFlag, complain, emit, printable, say

if TYPE_CHECKING:
    from detectors import DetectorCard, Measurement

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Show the detectors that screen.")

_LINES = {
    "signal": "signal",
    "others": "further signals",
    "modalities": "looks at",
    "licence": "licence",
    "data": "trained on",
    "calibration": "calibration",
    "calibration_set": "calibrated on",
    "measured_error": "measured error",
    "false_alarms": "false alarms",
    "abstains": "abstains",
    "limits": "limits",
    "seconds": "time limit",
}


@app.command("list")
def list_detectors(as_json: Annotated[bool, JsonFlag] = False) -> None:
    """List the detectors that are installed, and those that do not start.

    Exits 0 where every detector starts.
    """
    from detectors import load_all

    loaded = load_all()
    for name, detector in loaded.detectors.items():
        card = detector.card
        if as_json:
            emit({"name": name} | _json(card))
        else:
            kinds = "+".join(sorted(card.modalities))
            say(
                printable(f"{name:<16}  {card.id}@{card.version}  {kinds}  {card.signal}  {card.description}")
            )
    for error in loaded.broken.values():
        complain(str(error))
    raise typer.Exit(2 if loaded.broken else 0)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `guard detectors list` gives.")],
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Show a detector's card: what it tells, what it learned from, when it abstains and how often it errs."""
    from detectors import load

    card = load(name).card
    if as_json:
        emit({"name": name} | _json(card))
    else:
        say(_shown(card))


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `guard detectors list` gives.")],
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", help="A folder DIR/LABEL/SOURCE/… of files or JSON lines."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where report.html and report.json go.")],
    controls: Annotated[
        bool,
        typer.Option("--controls/--no-controls", help="Also put innocent media through harmless changes."),
    ] = True,
    seed: Annotated[int, typer.Option(help="Of everything random: changes, resampling, shuffling.")] = 0,
    splits: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The detector's training split, to look for items that it has seen."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many items of each source.")] = 1_000,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Measure a detector on labelled files that it has not seen, and write a report.

    Exits 1 where the set is void: where file sizes and formats alone tell the classes apart.
    """
    from detectors import load
    from detectors.evaluation import Plan, run

    plan = Plan(data, controls=controls, seed=seed, splits=splits, limit=limit)
    report = run(load(name), plan, out)
    if as_json:
        emit(report.summary())
    else:
        say("\n".join(map(printable, report.lines())))
    raise typer.Exit(0 if report.sound else 1)


@app.command()
def convert(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Which published weights: ferretnet-s, meso4-df …")
    ],
    source: Annotated[Path, typer.Argument(metavar="FILE", help="The file as it was published.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the safetensors file goes.")],
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Convert published weights to safetensors, for a file of detectors that GUARD_DETECTORS names.

    A file with another SHA-256 than the published one is refused before it is opened.
    """
    from detectors.deepfake.convert import convert as converted

    digest = converted(name, source, out)
    if as_json:
        emit({"name": name, "file": str(out), "sha256": digest})
    else:
        say(printable(f"{out}: SHA-256 {digest}"))


def _json(card: DetectorCard) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(card) | {"modalities": sorted(card.modalities)}


def _shown(card: DetectorCard) -> Group:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column()
    for label, value in _facts(card):
        grid.add_row(label, printable(value))
    title = Text.assemble((f"{card.id}@{card.version}", "bold"), f"\n{printable(card.description)}\n")
    if not card.sources:
        return Group(title, grid)
    return Group(title, grid, Text(), _measured(card.sources))


def _facts(card: DetectorCard) -> Iterator[tuple[str, str]]:
    for name, label in _LINES.items():
        value = getattr(card, name)
        if name == "false_alarms" and value is not None:
            value = f"{_percent(value)} of innocent items of sources it was not trained on"
        elif name == "seconds" and value is not None:
            value = f"{value:g} s an answer"
        elif name in ("others", "modalities"):
            value = ", ".join(sorted(value))
        if value not in (None, ""):
            yield label, str(value)


def _measured(rows: tuple[Measurement, ...]) -> Table:
    table = Table(title="measured on what it was not trained on", title_justify="left", header_style="dim")
    for column in ("source or control", "class"):
        table.add_column(column)
    for column in ("items", "answered", "flagged", "AUC"):
        table.add_column(column, justify="right")
    for row in rows:
        name = row.name if row.kind == "source" else f"control: {row.name}"
        auc = "" if row.auc is None else f"{row.auc:.2f}"
        shares = (_percent(row.answered), _percent(row.flagged))
        table.add_row(printable(name), printable(row.label), f"{row.n:,}", *shares, auc)
    return table


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
