"""`guard verify`: what files are and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from guard.cli.files import open_media, read_sidecar
from guard.cli.output import Answer, JsonFlag, answer_each, printable
from guard.errors import InputError

if TYPE_CHECKING:
    from guard.verdict import Verdict

__all__ = ["show_state", "verify"]

_GOOD = {"trusted", "valid", "recovered"}
_STYLES = {"trusted": "bold green", "valid": "green", "recovered": "bold green", "altered": "bold red"}


def show_state(state: str) -> tuple[str, str]:
    """A verdict's word with the style it is shown in, for `Text.assemble`."""
    return state, _STYLES.get(state, "bold yellow")


def verify(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to verify.", show_default=False)
    ],
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            "--trust", metavar="PEM", help="A file of certificates to trust as well; may be repeated."
        ),
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Tell what each file is and where it comes from.

    A credential that lies beside FILE as FILE.c2pa counts where the file itself holds none.
    The answer is trusted, valid, recovered, altered, suspected or no-evidence.
    Exits 0 where every file is trusted, valid or recovered.
    """
    from guard.app import open_app
    from guard.settings import load_settings

    settings = load_settings()
    anchors = "\n".join(_read_pem(path) for path in trust or ())
    with open_app(settings) as opened:
        verifier = opened.verifier(anchors)

        def ask(file: str) -> Answer:
            artifact = open_media(file, settings, even_flawed=True)
            verdict = verifier.verify(artifact, name=file, sidecar=read_sidecar(file))
            return Answer(verdict.as_json(), _verdict_text(verdict), verdict.state in _GOOD)

        raise typer.Exit(answer_each(files, ask, as_json=as_json))


def _read_pem(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"{path} cannot be read as PEM.", "Give --trust a file of PEM certificates."
        ) from error


def _verdict_text(verdict: Verdict) -> Text:
    text = Text.assemble(show_state(verdict.state.value), f"  {printable(verdict.file)}\n")
    text.append(f"  {printable(verdict.conclusion.summary)}\n")
    for warning in verdict.conclusion.warnings:
        text.append(f"  Warning: {printable(warning)}\n", "yellow")
    for line in verdict.conclusion.explanation:
        text.append(f"    {printable(line)}\n", "dim")
    return text
