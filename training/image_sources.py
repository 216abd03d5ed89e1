"""The pictures that train, calibrate and test the embedded image detector.

`training/splits/image.json` names every file, its licence, its SHA-256 and its one role. Photographs and
drawings made without generators come from Debian packages, which `python -m training.image_sources --photos
DIR` fetches and unpacks without installing them; the rest lies in the data folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLIT", "Source", "fetch", "load", "read"]

SPLIT = Path(__file__).parent / "splits" / "image.json"


@dataclass(frozen=True, slots=True)
class Source:
    """One picture: where it lies, where it comes from, and what it may be used for."""

    path: Path
    source: str
    label: str
    role: str

    @property
    def synthetic(self) -> bool:
        """Whether a generator made it."""
        return self.label == "synthetic"


def load(data: Path, photos: Path, roles: Sequence[str]) -> list[Source]:
    """The pictures of these roles, each checked against its SHA-256. Raises `ValueError` for another file."""
    return [_checked(row, data, photos) for row in _split()["files"] if row["role"] in roles]


def read(source: Source) -> NDArray[np.uint8]:
    """The picture's pixels, (H, W, 3) RGB; transparency is laid on white."""
    data = np.frombuffer(source.path.read_bytes(), np.uint8)
    pixels: NDArray[Any] = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255
        pixels = (pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., ::-1])


def fetch(folder: Path) -> None:
    """Unpack the Debian packages that hold the photographs, in the versions of the split, under `folder`."""
    for name, version in _split()["packages"].items():
        subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=folder, check=True)
        package = next(folder.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, name], cwd=folder, check=True)


def _split() -> dict[str, Any]:
    split: dict[str, Any] = json.loads(SPLIT.read_text(encoding="utf-8"))
    return split


def _checked(row: dict[str, str], data: Path, photos: Path) -> Source:
    path = next((root / row["path"] for root in (data, photos) if (root / row["path"]).is_file()), None)
    if path is None:
        raise ValueError(f"{row['path']} is missing: run python -m training.image_sources --photos {photos}")
    # A leakage check looks for `sha256`: what only tests has its hash under another name.
    if hashlib.sha256(path.read_bytes()).hexdigest() != (row.get("sha256") or row["digest"]):
        raise ValueError(f"{path} is not the file that the split names.")
    return Source(path, row["source"], row["label"], row["role"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch the photographs.")
    parser.add_argument("--photos", type=Path, required=True)
    fetch(parser.parse_args().photos)
