"""The files that commands write: whole or not at all, and never over an input."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from guard.errors import InputError, UnsupportedMediaError

if TYPE_CHECKING:
    from guard.media import Artifact
    from guard.settings import Settings

__all__ = [
    "check_fits",
    "check_output",
    "fits",
    "is_large",
    "numbered",
    "open_media",
    "read_sidecar",
    "sidecar_path",
    "write_file",
    "write_release",
    "write_sidecar",
]

_MOST_MANIFEST = 16 << 20
_RAW = frozenset({".markdown", ".md", ".pcm"})
"""Endings of samples without a header and of Markdown: nothing but the name tells what they are."""


def open_media(file: str | Path, settings: Settings, *, even_flawed: bool = False) -> Artifact:
    """The artifact in a file, within the limits of the settings, see `Artifact.from_bytes`. Raises
    `InputError`."""
    from guard.media import Artifact, mime_for_suffix

    suffix = Path(file).suffix.lower()
    claimed = mime_for_suffix(suffix) if suffix in _RAW else None
    limits = settings.limits.limits()
    return Artifact.from_path(file, limits=limits, claimed=claimed, even_flawed=even_flawed)


def is_large(file: str | Path, settings: Settings) -> bool:
    """Whether the file is too large for `open_media`: only its credentials can be dealt with."""
    path = Path(file)
    return path.is_file() and path.stat().st_size > settings.limits.max_bytes


def sidecar_path(file: str | Path) -> Path:
    """Where the credential lies of a file that has no place for one: beside it, `.c2pa` appended."""
    return Path(f"{file}.c2pa")


def read_sidecar(file: str | Path) -> bytes | None:
    """The credential beside a file, None where there is none. Raises `InputError` where it cannot be read."""
    path = sidecar_path(file)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as beside:
            manifest = beside.read(_MOST_MANIFEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if len(manifest) > _MOST_MANIFEST:
        raise InputError(f"{path} is too large for a credential.", "Remove it, or put the right one there.")
    return manifest


def write_release(out: Path, artifact: Artifact, sidecar: bytes | None) -> Path | None:
    """Write the file, and first the credential that goes beside it, if one does; where that lies."""
    beside = write_sidecar(out, sidecar)
    write_file(out, artifact.data)
    return beside


def write_sidecar(out: Path, sidecar: bytes | None) -> Path | None:
    """Write the credential that goes beside a file, if one does; where that lies."""
    if sidecar is None:
        return None
    write_file(beside := sidecar_path(out), sidecar)
    return beside


def check_output(out: Path, inputs: Iterable[str | Path] = ()) -> None:
    """Raise `InputError` where `out` cannot be written later: better now than after the work.

    A file that is already there will be replaced, unless it is one of the inputs.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder.", "Name a file to write.")
    if not out.parent.is_dir():
        raise InputError(f"The folder {out.parent} does not exist.", "Make it first, or name another.")
    for source in inputs:
        with suppress(OSError):  # an input that is not there is reported when it is read
            if out.samefile(source):
                raise InputError(f"{out} is the input itself.", "Write to another file: originals are kept.")


def write_file(out: Path, data: bytes) -> None:
    """Write `data` to `out` so that a reader or a crash sees the old file or the new one, never a part.

    Raises `InputError` where the file system refuses.
    """
    temporary = out.with_name(f".guard-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
        _sync_folder(out.parent)
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror}.", "Check the folder and its space."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def fits(out: Path, artifact: Artifact) -> bool:
    """Whether the ending of `out` suits the artifact; endings that Guard does not know suit everything."""
    from guard.media import Modality, mime_for_suffix
    from guard.media.formats import format_of

    try:
        promised = mime_for_suffix(out.suffix)
    except UnsupportedMediaError:
        return True
    if artifact.modality is Modality.TEXT:
        return format_of(promised).modality is Modality.TEXT
    return promised == artifact.mime


def check_fits(out: Path, artifact: Artifact) -> None:
    """Raise `InputError` where `out` would be a file that is not what its ending says."""
    if not fits(out, artifact):
        name = out.with_suffix(artifact.suffix).name
        raise InputError(f"{out} would hold {artifact.mime}, which its ending denies.", f"Name it {name}.")


def numbered(out: Path, count: int) -> list[Path]:
    """`count` file names: `out` itself for one, else `out` with -1, -2, … before its ending."""
    if count == 1:
        return [out]
    return [out.with_name(f"{out.stem}-{index}{out.suffix}") for index in range(1, count + 1)]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
