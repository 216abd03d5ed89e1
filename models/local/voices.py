"""Voices that lie in a checkpoint's folder as arrays: NumPy's `.npy` or safetensors, never pickles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guard.errors import InputError

__all__ = ["VOICES", "load_arrays", "voice_names"]

VOICES = "voices"
"""The subfolder of a checkpoint that holds speaker embeddings, one file each."""

_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
Arrays = Mapping[str, NDArray[np.generic]]


def voice_names(folder: Path, suffixes: Iterable[str] = (".npy", ".safetensors")) -> list[str]:
    """The names of the voices in `folder` and one level below, sorted."""
    endings = tuple(suffixes)
    found = (path.relative_to(folder).as_posix() for path in [*folder.glob("*"), *folder.glob("*/*")])
    return sorted(
        {_stem(name, endings) for name in found if name.endswith(endings) and _NAME.fullmatch(name)}
    )


def load_arrays(path: Path) -> Arrays:
    """The arrays in a file, by name; an `.npy` file holds one, named "".

    Raises `InputError` for a file that is not what its ending says, and for pickled objects.
    """
    try:
        if path.suffix == ".npy":
            return {"": np.load(path, allow_pickle=False)}
        from safetensors.numpy import load_file

        return dict(load_file(path))
    except Exception as error:  # NumPy's, safetensors' or the disk's: each means that it is no such file
        raise InputError(
            f"The voice file {path.name} cannot be read: {error}.", "Save it as .npy or .safetensors."
        ) from error


def _stem(name: str, endings: tuple[str, ...]) -> str:
    return next(name.removesuffix(ending) for ending in endings if name.endswith(ending))
