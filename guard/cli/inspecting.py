"""`guard inspect`: what the detectors see in files, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from guard.cli.files import open_media
from guard.cli.output import Answer, JsonFlag, answer_each, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors import Finding
    from guard.cli.explaining import Explained
    from guard.media import Artifact

__all__ = ["inspect"]


def inspect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to inspect.", show_default=False)
    ],
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which words, places or seconds speak for a finding.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where --explain draws; left out: beside each file."),
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Show what the detectors see in each file.

    Exits 0 where nothing was flagged and no detector failed. One that abstains says why.
    """
    from detectors import Context, inspect_all
    from guard.app import open_app
    from guard.cli.explaining import explanations
    from guard.settings import load_settings

    settings = load_settings()
    with open_app(settings) as opened:

        def ask(file: str) -> Answer:
            artifact = open_media(file, settings)
            findings = inspect_all(opened.detectors, artifact, Context("upload"))
            reasons = explanations(opened.detectors, artifact, file, out) if explain else None
            return _answer(file, artifact, findings, reasons)

        raise typer.Exit(answer_each(files, ask, as_json=as_json))


def _answer(
    file: str, artifact: Artifact, findings: list[Finding], reasons: Sequence[Explained] | None
) -> Answer:
    flagged = any(finding.flagged for finding in findings)
    fine = not flagged and all(finding.state != "failed" for finding in findings)
    record = _inspection(file, artifact, findings, flagged)
    text = _findings_text(file, findings)
    if reasons is not None:
        record["explanations"] = [reason.record for reason in reasons]
        text.append_text(Text("").join(reason.text for reason in reasons))
    return Answer(record, text, fine)


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

    places = {name: [asdict(each) for each in getattr(finding, name)] for name in ("spans", "boxes")}
    return finding_json(finding) | {"message": finding.message, "error": finding.error} | places


def _findings_text(file: str, findings: list[Finding]) -> Text:
    text = Text(f"{printable(file)}\n")
    for finding in findings:
        text.append_text(_finding_text(finding, max(len(f.signal) for f in findings)))
    if not findings:
        text.append("  no detector looks at this kind of file\n", "dim")
    return text


def _finding_text(finding: Finding, width: int) -> Text:
    word, style = _state(finding)
    said = finding.error or finding.message
    if finding.state == "inconclusive":
        said = f"inconclusive: {finding.inconclusive}"
    elif finding.likelihood_ratio is not None:
        said = f"likelihood ratio {finding.likelihood_ratio:.2g}  {said}"
    return Text.assemble(
        "  ",
        (f"{finding.signal:<{width}}  {word:>6}", style),
        f"  {finding.detector}  {printable(said)}".rstrip(),
        "\n",
    )


def _state(finding: Finding) -> tuple[str, str]:
    if finding.score is None:
        return ("failed", "yellow") if finding.state == "failed" else ("–", "dim")
    return f"{finding.score:.2f}", "bold red" if finding.flagged else "green"
