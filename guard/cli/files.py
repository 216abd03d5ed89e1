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

__all__ = ["check_fits", "check_output", "fits", "numbered", "write_file"]


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
