"""`guard watermark`: marks alone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from guard.cli.files import check_output, open_media, write_file
from guard.cli.output import Answer, JsonFlag, answer_each, complain, printable
from guard.errors import InputError

if TYPE_CHECKING:
    from guard.media import Artifact
    from guard.settings import Settings
    from guard.watermark import Reading, Watermarker

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Embed marks in files, or read theirs.")

_KEY_BYTES = 32
_PASSPHRASE_SALT = b"guard watermark key from a passphrase"

_Engine = typer.Option(
    "--engine",
    metavar="E",
    help="The engine. Default: GUARD_ENGINE, or else tile, for pictures; GUARD_AUDIO_ENGINE, or else dipole, "
    "for sound.",
)
_Key = typer.Option(
    "--key",
    metavar="K",
    help="64 hex digits, a file of such keys, or else a passphrase. Default: the keys of `guard keys`.",
)


@app.command()
def embed(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to mark.", show_default=False)
    ],
    payload: Annotated[str, typer.Option(metavar="HEX", help="16 hex digits to carry.", show_default=False)],
    out_dir: Annotated[
        Path,
        typer.Option(
            "--out-dir", metavar="DIR", help="Where to write, under the same names.", show_default=False
        ),
    ],
    engine: Annotated[str | None, _Engine] = None,
    key: Annotated[str | None, _Key] = None,
    strength: Annotated[
        Literal["invisible", "default", "robust"], typer.Option(help="How loud.")
    ] = "default",
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Embed a payload in each file.

    Nothing is signed or recorded: what goes out to people needs `guard release`.
    """
    from guard.settings import load_settings
    from guard.watermark import Payload, Strength

    settings = load_settings()
    carried = Payload.from_hex(payload)
    choose = _chooser(engine, settings)
    secret = _keys(key, settings)[0]
    _make_folder(out_dir, files)

    def ask(file: str) -> Answer:
        out = out_dir / Path(file).name
        check_output(out, files)
        artifact = open_media(file, settings)
        watermarker = choose(artifact)
        marked = watermarker.embed(artifact, carried, key=secret, strength=Strength(strength))
        write_file(out, marked.data)
        record = {"file": file, "out": str(out), "engine": watermarker.name} | _ids(
            carried.hex, carried.short_id
        )
        return Answer(record, Text.assemble(("marked", "green"), f"  {printable(str(out))}"))

    raise typer.Exit(answer_each(files, ask, as_json=as_json))


@app.command()
def read(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="The files to read.", show_default=False)
    ],
    engine: Annotated[str | None, _Engine] = None,
    key: Annotated[str | None, _Key] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Read the mark of each file.

    Exits 0 where every file carries a mark.
    Engines without a presence test give mere candidates, which count as none.
    """
    from guard.settings import load_settings
    from guard.watermark import ReadingState

    settings = load_settings()
    choose = _chooser(engine, settings)
    ring = _keys(key, settings)

    def ask(file: str) -> Answer:
        artifact = open_media(file, settings)
        watermarker = choose(artifact)
        reading = watermarker.read(artifact, keys=ring)
        fine = reading.state is ReadingState.FOUND
        return Answer(_record(file, watermarker.name, reading), _text(file, reading, fine), fine)

    raise typer.Exit(answer_each(files, ask, as_json=as_json))


def _chooser(name: str | None, settings: Settings) -> Callable[[Artifact], Watermarker]:
    """What finds the engine for an artifact. Raises `InputError` for an engine that there is not; what it
    gives raises that for media that the engine, or any engine, does not mark."""
    from guard.media import Modality
    from guard.watermark.registry import engine

    default = {Modality.IMAGE: settings.engine, Modality.AUDIO: settings.audio_engine}
    checkpoints = settings.audioseal.checkpoints()
    chosen = engine(name, **checkpoints) if name else None

    def choose(artifact: Artifact) -> Watermarker:
        kind = artifact.modality
        if chosen is not None and chosen.modality is not kind:
            raise InputError(f"Engine {chosen.name} marks no {kind}.", "Choose another --engine.")
        if kind not in default:
            raise InputError(f"Guard marks no {kind}.", "Give it pictures or sound.")
        return chosen or engine(default[kind], **checkpoints)

    return choose


def _keys(key: str | None, settings: Settings) -> tuple[bytes, ...]:
    """The keys that `--key` means, or the key store's ring. Raises `InputError` or `KeyStoreError`."""
    if key is None:
        from guard.provenance.keys import KeyStore

        return KeyStore(settings.home).mark_keys()
    if (raw := _from_hex(key)) is not None:
        return (raw,)
    if os.path.isfile(key):  # unlike Path.is_file, no error for a text too long to be a path
        return _key_file(Path(key))
    if "/" in key:
        raise InputError(
            f"There is no key file {key}.", "Check the path, or choose a passphrase without '/'."
        )
    # Said aloud, because a mistyped file name would end up here too.
    complain("--key is taken as a passphrase.")
    return (_from_passphrase(key),)


def _from_hex(text: str) -> bytes | None:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    return raw if len(raw) == _KEY_BYTES else None


def _key_file(path: Path) -> tuple[bytes, ...]:
    try:
        keys = tuple(_from_hex(line) for line in path.read_text(encoding="ascii").split())
    except (OSError, UnicodeError):
        keys = ()
    if not keys or None in keys:
        raise InputError(
            f"{path} is no key file.", "It must hold one key of 64 hex digits a line, newest first."
        )
    return tuple(key for key in keys if key is not None)


def _from_passphrase(text: str) -> bytes:
    """32 bytes by scrypt (RFC 7914, N = 2¹⁴, r = 8, p = 1), so that guessing costs time."""
    import hashlib

    return hashlib.scrypt(text.encode(), salt=_PASSPHRASE_SALT, n=1 << 14, r=8, p=1, dklen=_KEY_BYTES)


def _make_folder(folder: Path, files: list[str]) -> None:
    twice = [name for name, count in Counter(Path(file).name for file in files).items() if count > 1]
    if twice:
        raise InputError(f"Two of the files are named {twice[0]}.", "Mark them into different folders.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made: {error.strerror}.", "Choose another --out-dir."
        ) from error


def _ids(payload: str | None, short_id: int | None, bits: int = 32) -> dict[str, Any]:
    return {"payload": payload, "short_id": None if short_id is None else _hex(short_id, bits)}


def _hex(short_id: int, bits: int) -> str:
    return f"{short_id:0{bits // 4}x}"


def _record(file: str, engine: str, reading: Reading) -> dict[str, Any]:
    found = reading.payload
    short = reading.short_id if reading.short_id is not None or found is None else found.short_id
    ids = _ids(found.hex if found else None, short, reading.short_bits)
    return {"file": file, "state": reading.state.value, "engine": engine} | ids | {"p_value": reading.p_value}


def _text(file: str, reading: Reading, fine: bool) -> Text:
    text = Text.assemble((reading.state.value, "bold green" if fine else "yellow"), f"  {printable(file)}")
    if reading.payload is not None:
        text.append(f"  payload {reading.payload.hex}")
    elif reading.short_id is not None:
        text.append(f"  short id {_hex(reading.short_id, reading.short_bits)}")
    return text.append(f"  {reading.chance}", "dim") if reading.chance else text
