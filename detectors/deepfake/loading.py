"""Weights from files on this machine, compared with their SHA-256 before anything reads them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard.errors import DetectorError, MissingExtraError

if TYPE_CHECKING:
    import torch

    from detectors.plugged import Entry

__all__ = ["checked", "checkpoint", "tensors"]


def checked(path: Path, sha256: str | None) -> bytes:
    """The file's bytes. Raises `DetectorError` where it cannot be read or is not the one that was meant."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DetectorError(
            f"{path.name} cannot be read: {error.strerror}.", "Check the entry's path."
        ) from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DetectorError(
            f"{path.name} has the SHA-256 {found}, not {sha256}.", "Get the file again, or mend the entry."
        )
    return data


def tensors(path: Path, sha256: str | None) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file. Raises `DetectorError`, or `MissingExtraError` without torch."""
    data = checked(path, sha256)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise MissingExtraError("This detector", "local") from error
    try:
        return load(data)
    except SafetensorError as error:
        raise DetectorError(f"{path.name} is not a safetensors file: {error}.") from error


def checkpoint(entry: Entry, kind: str) -> Any:
    """What the class `kind` of transformers makes of the entry's checkpoint, without any network.

    A folder's weights are compared with the entry's SHA-256; from the hub's cache comes the entry's revision.
    Raises `DetectorError` where it does not load, `MissingExtraError` without transformers.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("This detector", "local") from error
    folder = entry.folder
    if folder is not None:
        checked(folder / "model.safetensors", entry.sha256)
    options = {} if "Processor" in kind else {"use_safetensors": True}
    try:
        loaded = getattr(transformers, kind).from_pretrained(
            str(folder or entry.path),
            revision=entry.revision,
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except Exception as error:  # the library's, the hub's, the disk's: each means that it does not load
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise DetectorError(
            f"{entry.place} does not load as {kind}: {line}",
            "Give a folder that save_pretrained wrote, or fetch it first.",
        ) from error
    return loaded.eval() if hasattr(loaded, "eval") else loaded
