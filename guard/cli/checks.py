"""`guard verify` and `guard inspect`: what files are, and what the detectors see in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from guard.cli.files import open_media, read_sidecar
from guard.cli.output import Answer, JsonFlag, answer_each, printable
from guard.errors import InputError

if TYPE_CHECKING:
    from detectors import Finding
    from guard.media import Artifact
    from guard.verdict import Verdict

__all__ = ["inspect", "show_state", "verify"]

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
            artifact = open_media(file, settings)
            verdict = verifier.verify(artifact, name=file, sidecar=read_sidecar(file))
            return Answer(verdict.as_json(), _verdict_text(verdict), verdict.state in _GOOD)

        raise typer.Exit(answer_each(files, ask, as_json=as_json))


def inspect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to inspect.", show_default=False)
    ],
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Show what the detectors see in each file.

    Exits 0 where nothing was flagged and every detector gave an answer.
    """
    from detectors import Context, inspect_all
    from guard.app import open_app
    from guard.settings import load_settings

    settings = load_settings()
    with open_app(settings) as opened:

        def ask(file: str) -> Answer:
            artifact = open_media(file, settings)
            findings = inspect_all(opened.detectors, artifact, Context("upload"))
            flagged = any(finding.flagged for finding in findings)
            fine = not flagged and all(finding.error is None for finding in findings)
            return Answer(
                _inspection(file, artifact, findings, flagged), _findings_text(file, findings), fine
            )

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


def _inspection(file: str, artifact: Artifact, findings: list[Finding], flagged: bool) -> dict[str, Any]:
    return {
        "file": file,
        "modality": artifact.modality.value,
        "mime": artifact.mime,
        "sha256": artifact.sha256,
        "findings": [_finding(finding) for finding in findings],
        "flagged": flagged,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    from dataclasses import asdict

    from guard.verdict import finding_json

    spans = [asdict(span) for span in finding.spans]
    return finding_json(finding) | {"message": finding.message, "error": finding.error, "spans": spans}


def _findings_text(file: str, findings: list[Finding]) -> Text:
    text = Text(f"{printable(file)}\n")
    for finding in findings:
        text.append_text(_finding_text(finding, max(len(f.signal) for f in findings)))
    if not findings:
        text.append("  no detector looks at this kind of file\n", "dim")
    return text


def _finding_text(finding: Finding, width: int) -> Text:
    score = "failed" if finding.score is None else f"{finding.score:.2f}"
    style = "bold red" if finding.flagged else "yellow" if finding.error else "green"
    said = finding.error or finding.message
    return Text.assemble(
        "  ",
        (f"{finding.signal:<{width}}  {score:>6}", style),
        f"  {finding.detector}  {printable(said)}".rstrip(),
        "\n",
    )
