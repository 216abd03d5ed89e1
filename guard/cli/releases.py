"""`guard generate` and `guard release`: the release path, from a model or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from guard.cli.files import check_fits, check_output, fits, numbered, open_media, write_release
from guard.cli.output import JsonFlag, emit, printable, say
from guard.cli.upstream import connector
from guard.errors import InputError

if TYPE_CHECKING:
    from guard.pipeline import Release
    from guard.settings import Settings
    from models.base import Generator

__all__ = ["generate", "release"]


def generate(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What to generate.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write it.", show_default=False)
    ],
    modality: Annotated[
        Literal["text", "image", "audio", "video"] | None,
        typer.Option(help="What to make, if the model can choose."),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="The model; `guard models list` shows them.")
    ] = "scene",
    seed: Annotated[int | None, typer.Option(help="Makes the model's choices repeatable.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many: FILE becomes FILE-1, FILE-2, …")] = 1,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Of a picture, in pixels.")] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Generate with a model: screened, marked, signed, recorded."""
    from guard.app import open_app
    from guard.settings import load_settings
    from models.base import GenerationRequest

    settings = load_settings()
    outs = numbered(out, n)
    for path in outs:
        check_output(path)
    mime = _wanted(out)
    generator = _load(model, modality, mime, settings)
    request = GenerationRequest(
        prompt=prompt,
        modality=generator.card.modality,
        n=n,
        seed=seed,
        mime=mime,
        parameters={"size": size} if size else {},
    )
    with open_app(settings) as opened:
        releases = opened.guard().generate(generator, request)
        for path, done in zip(outs, releases, strict=True):
            _deliver(done, path, str(path), as_json=as_json)


def release(
    source: Annotated[str, typer.Argument(metavar="IN", help="The file to release.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="Where to write it.", show_default=False)],
    prompt: Annotated[
        str | None, typer.Option(help="The prompt it was made from, to be screened too.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="The model that made it.")] = "unknown",
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Release a file that was generated elsewhere, the same way."""
    from guard.app import open_app
    from guard.pipeline import Origin
    from guard.settings import load_settings

    settings = load_settings()
    check_output(out, [source])
    artifact = open_media(source, settings)
    check_fits(out, artifact)
    origin = Origin(model, prompt=prompt)
    with open_app(settings) as opened:
        guard = opened.guard()
        if prompt is not None:
            guard.admit(origin)
        [done] = guard.release([artifact], origin)
        _deliver(done, out, source, as_json=as_json)


def _load(name: str, modality: str | None, mime: str | None, settings: Settings) -> Generator:
    """The model; what it makes, if that is not said, follows from the file's ending."""
    from guard.media import Modality
    from guard.media.formats import format_of
    from models.registry import load

    promised = format_of(mime).modality if mime else Modality.IMAGE
    generator = load(name, modality=Modality(modality or promised), upstream=connector(settings))
    makes = generator.card.modality
    if modality is not None and makes != modality:
        raise InputError(
            f"The model {name} makes {makes}, not {modality}.", "Choose another --model or --modality."
        )
    return generator


def _wanted(out: Path) -> str | None:
    """The type that the file's ending asks for, if it asks for any."""
    from guard.media import mime_for_suffix

    return mime_for_suffix(out.suffix) if out.suffix else None


def _deliver(done: Release, out: Path, file: str, *, as_json: bool) -> None:
    # A model may give another type than was asked for; what it gave is on record, so it is not lost.
    path = out if fits(out, done.artifact) else out.with_suffix(done.artifact.suffix)
    beside = write_release(path, done.artifact, done.sidecar)
    if as_json:
        emit(_record(done, path, file, beside))
    else:
        say(_text(done, path, beside))


def _record(done: Release, path: Path, file: str, beside: Path | None) -> dict[str, Any]:
    return {
        "file": file,
        "out": str(path),
        "release_id": done.id,
        "mime": done.artifact.mime,
        "sha256": done.artifact.sha256,
        "action": done.decision.action.value,
        "rule": done.decision.rule,
        "engine": done.mark.engine if done.mark else None,
        "payload": done.mark.payload.hex if done.mark and done.mark.payload else None,
        "receipt": done.receipt.as_json(),
        "sidecar": str(beside) if beside else None,
    }


def _text(done: Release, path: Path, beside: Path | None) -> Text:
    mark = f"marked by {done.mark.engine}" if done.mark else "not marked"
    rule = f" (rule {printable(done.decision.rule)})" if done.decision.rule else ""
    text = Text.assemble(
        ("released", "bold green"),
        f"  {printable(str(path))}\n",
        (f"  release {done.id}, {mark}, record {done.receipt.index}, {done.decision.action}{rule}", "dim"),
    )
    if beside:
        kind = done.artifact.mime
        text.append(f"\n  {kind} has no place for the credential: keep {printable(str(beside))} beside it.")
    return text
