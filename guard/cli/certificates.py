"""`guard credential lint-cert`: why a certificate would be refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from guard.cli.output import Answer, JsonFlag, answer_each, printable
from guard.errors import InputError

if TYPE_CHECKING:
    from guard.provenance.lint import Flaw

__all__ = ["lint_cert"]

_MOST_BYTES = 1 << 20


def lint_cert(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Chains in PEM form, leaf first.", show_default=False),
    ],
    key: Annotated[
        Path | None, typer.Option(metavar="KEY", help="The private key that should belong to it.")
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Say why a certificate would be refused for signing, or what a stricter verifier may mind.

    Nothing is signed or sent. Exits 0 where all may sign.
    """
    from dataclasses import asdict

    from guard.provenance.lint import lint
    from guard.settings import load_settings

    secret = load_settings().signer_secret() if key else None
    private = _read(key) if key else None

    def ask(file: str) -> Answer:
        text = _read(Path(file))
        own = private or (text if "PRIVATE KEY-----" in text else None)
        flaws = lint(text, own, secret)
        fine = not any(flaw.fatal for flaw in flaws)
        record = {"file": file, "fine": fine, "flaws": [asdict(flaw) for flaw in flaws]}
        return Answer(record, _text(file, flaws, fine=fine), fine)

    raise typer.Exit(answer_each(files, ask, as_json=as_json))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its name and owner.") from error


def _text(file: str, flaws: list[Flaw], *, fine: bool) -> Text:
    verdict = ("may sign", "bold green") if fine else ("refused", "bold red")
    text = Text.assemble(verdict, f"  {printable(file)}")
    for flaw in flaws:
        where = f"certificate {flaw.certificate}: " if flaw.certificate else ""
        style = "red" if flaw.fatal else "yellow"
        text.append("\n  error  " if flaw.fatal else "\n  note   ", style)
        text.append(f"{where}{printable(flaw.message)} {printable(flaw.remedy)}  ")
        text.append(f"[{flaw.code}]", "dim")
    return text
