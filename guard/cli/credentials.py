"""`guard credential`: Content Credentials alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from guard.cli.files import (
    check_fits,
    check_output,
    is_large,
    open_media,
    read_sidecar,
    write_release,
    write_sidecar,
)
from guard.cli.output import Answer, JsonFlag, answer_each, emit, printable, say
from guard.cli.showing import credential_text, require_today, trust_in

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Sign files with Content Credentials (C2PA), or show theirs.")


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

    from guard.provenance.claim import Claim
    from guard.provenance.large import sign_large
    from guard.provenance.sign import sign
    from guard.settings import load_settings
    from guard.watermark import Payload

    settings = load_settings()
    check_output(out, [file])
    claim = Claim(
        model_name=model, release_id=Payload.random().hex, created_at=datetime.now(UTC), title=out.name
    )
    signer = settings.key_store().signer()
    notes: tuple[str, ...]
    if is_large(file, settings):
        large = sign_large(Path(file), out, claim, signer)
        notes, beside = (), write_sidecar(out, None if large.embedded else large.manifest)
    else:
        artifact = open_media(file, settings)
        check_fits(out, artifact)
        signed = sign(artifact, claim, signer)
        notes = signed.notes
        beside = write_release(out, signed.artifact, None if signed.embedded else signed.manifest)
    if as_json:
        record = {
            "file": file,
            "out": str(out),
            "instance_id": claim.instance_id,
            "notes": list(notes),
        }
        emit(record | {"sidecar": str(beside) if beside else None})
    else:
        lines = [*notes, *([f"credential: {printable(str(beside))}"] if beside else [])]
        say("\n".join([f"signed  {printable(str(out))}", *(f"  {line}" for line in lines)]))


@app.command("show")
def show(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to read.", show_default=False)
    ],
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", metavar="PEM", help="Trust these signers' authorities, and no others."),
    ] = None,
    tsa: Annotated[
        list[Path] | None,
        typer.Option("--tsa", metavar="PEM", help="Trust these authorities of time stamps, and no others."),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"], help="Only today's answer can be given."),
    ] = None,
    as_crjson: Annotated[
        bool, typer.Option("--crjson", help="Print C2PA's crJSON, one object a line.")
    ] = False,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Show each file's credentials, or those beside it in FILE.c2pa, and what they are worth.

    Without --trust and --tsa, whom `guard trust show` lists counts. Exits 0 where all are trusted or valid.
    """
    from guard.app import open_app
    from guard.provenance.large import read_large
    from guard.settings import load_settings

    require_today(at)
    settings = load_settings()
    with open_app(settings) as opened:
        whom = trust_in(trust or (), tsa or ()) if trust or tsa else opened.trust()
        read = opened.reader()
        inside = opened.sandbox()

    def ask(file: str) -> Answer:
        if is_large(file, settings) and not as_crjson:
            found = read_large(Path(file), whom)
            if found.state == "absent" and (kept := read_sidecar(file)) is not None:
                found = read_large(Path(file), whom, kept)
            fine = found.state in ("trusted", "valid")
            return Answer({"file": file} | found.as_record(), credential_text(file, found), fine)
        artifact = open_media(file, settings, even_flawed=True)
        credential, beside = read(artifact, trust=whom), None
        if credential.state == "absent" and (beside := read_sidecar(file)) is not None:
            credential = read(artifact, trust=whom, manifest=beside)
        if artifact.flaw and credential.state in ("absent", "unreadable"):
            raise artifact.flaw
        fine = credential.state in ("trusted", "valid")
        if as_crjson:
            return Answer(inside.crjson(artifact, trust=whom, manifest=beside), Text(), fine)
        return Answer({"file": file} | credential.as_record(), credential_text(file, credential), fine)

    raise typer.Exit(answer_each(files, ask, as_json=as_json or as_crjson))
