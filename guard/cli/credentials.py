"""`guard credential`: Content Credentials alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from guard.cli.files import check_fits, check_output, open_media, read_sidecar, write_release
from guard.cli.output import Answer, JsonFlag, answer_each, emit, printable, say

if TYPE_CHECKING:
    from guard.provenance.credential import Credential

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Sign files with Content Credentials (C2PA), or show theirs.")

_STYLES = {"trusted": "bold green", "valid": "green", "absent": "yellow"}


@app.command("sign")
def sign_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to sign.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="Where to write it.", show_default=False)],
    model: Annotated[str, typer.Option(metavar="NAME", help="The model that made it.")] = "unknown",
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Sign one file as made by a model.

    Nothing is screened, marked or recorded: what goes out needs `guard release`.
    """
    from datetime import UTC, datetime

    from guard.provenance.keys import KeyStore
    from guard.provenance.manifest import Claim
    from guard.provenance.sign import sign
    from guard.settings import load_settings
    from guard.watermark import Payload

    settings = load_settings()
    check_output(out, [file])
    artifact = open_media(file, settings)
    check_fits(out, artifact)
    claim = Claim(
        model_name=model, release_id=Payload.random().hex, created_at=datetime.now(UTC), title=out.name
    )
    signed = sign(artifact, claim, KeyStore(settings.home).signer())
    beside = write_release(out, signed.artifact, None if signed.embedded else signed.manifest)
    if as_json:
        record = {
            "file": file,
            "out": str(out),
            "instance_id": claim.instance_id,
            "notes": list(signed.notes),
        }
        emit(record | {"sidecar": str(beside) if beside else None})
    else:
        lines = [*signed.notes, *([f"credential: {printable(str(beside))}"] if beside else [])]
        say("\n".join([f"signed  {printable(str(out))}", *(f"  {line}" for line in lines)]))


@app.command("show")
def show(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to read.", show_default=False)
    ],
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Show each file's credentials, or those beside it in FILE.c2pa, and what they are worth.

    Exits 0 where all are trusted or valid.
    """
    from guard.app import open_app
    from guard.provenance.credential import CredentialState
    from guard.provenance.read import read
    from guard.settings import load_settings

    settings = load_settings()
    with open_app(settings) as opened:
        anchors = opened.verifier().anchors

    def ask(file: str) -> Answer:
        artifact = open_media(file, settings)
        credential = read(artifact, anchors=anchors)
        beside = read_sidecar(file) if credential.state is CredentialState.ABSENT else None
        if beside is not None:
            credential = read(artifact, anchors=anchors, manifest=beside)
        fine = credential.state in ("trusted", "valid")
        return Answer(_record(file, credential), _text(file, credential), fine)

    raise typer.Exit(answer_each(files, ask, as_json=as_json))


def _record(file: str, credential: Credential) -> dict[str, Any]:
    from dataclasses import asdict

    return {"file": file} | asdict(credential)


def _text(file: str, credential: Credential) -> Text:
    state = credential.state.value
    text = Text.assemble((state, _STYLES.get(state, "bold red")), f"  {printable(file)}\n")
    facts = {
        "issuer": credential.issuer,
        "generator": credential.generator,
        "created": credential.created,
        "release": credential.release_id,
        "soft binding": ", ".join(": ".join(binding) for binding in credential.soft_bindings),
        "codes": ", ".join(credential.codes),
    }
    for name, value in facts.items():
        if value:
            text.append(f"  {name:<13}{printable(value)}\n")
    for line in credential.explanation:
        text.append(f"    {printable(line)}\n", "dim")
    return text
