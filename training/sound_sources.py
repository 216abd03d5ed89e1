"""The recordings of human speech that train, calibrate and test the embedded sound detector.

`training/splits/sound.json` names every file, its speaker, licence, SHA-256 and one role; no speaker has two.
Telephone prompts and spoken letters come from Debian packages, which `python -m training.sound_sources
--packages DIR` fetches and unpacks without installing them; spoken digits lie in the data folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr
from numpy.typing import NDArray

__all__ = ["RATE", "SPLIT", "Clip", "clips", "decode", "fetch", "resampled"]

SPLIT = Path(__file__).parent / "splits" / "sound.json"
RATE = 16_000
"""Hertz at which clips are held: the highest that the recordings have."""
_SECONDS = 4.5

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Some seconds of one speaker, mono (n,) at `RATE`, with a peak of 1."""

    speaker: str
    source: str
    sound: Sound


def clips(roots: Iterable[Path], role: str, most: int) -> list[Clip]:
    """At most `most` clips of each speaker of a role and kind of file: one file after the other, until 4.5 s
    are full.

    Raises `ValueError` for a file that is missing, or is another than the split names.
    """
    places, files = tuple(roots), defaultdict(list)
    for row in _split()["files"]:
        if row["role"] == role:
            files[row["speaker"], Path(row["path"]).suffix].append(row)
    return [clip for rows in files.values() for clip in islice(_joined(rows, places), most)]


def resampled(sound: Sound, before: float, after: float) -> Sound:
    """A mono sound (n,) at another rate, in hertz."""
    return sound if before == after else np.asarray(soxr.resample(sound, before, after), np.float32)


def decode(path: Path, limit: float = 30.0) -> tuple[Sound, int]:
    """At most `limit` seconds of a file as mono (n,), and its rate."""
    kind = "g722" if path.suffix == ".g722" else None
    blocks: list[Sound] = []
    with av.open(str(path), format=kind) as file:
        rate = int(file.streams.audio[0].rate)
        resampler = av.AudioResampler("flt", "mono", rate)
        for frame in file.decode(audio=0):
            blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
            if sum(map(len, blocks)) > limit * rate:
                break
    return np.concatenate(blocks)[: round(limit * rate)], rate


def fetch(folder: Path) -> None:
    """Unpack the Debian packages that hold the recordings, in the versions of the split, under `folder`."""
    for name, version in _split()["packages"].items():
        subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=folder, check=True)
        package = next(folder.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, "."], cwd=folder, check=True)


def _joined(rows: list[dict[str, str]], places: tuple[Path, ...]) -> Iterator[Clip]:
    held: list[Sound] = []
    for row in rows:
        sound = resampled(*decode(_checked(row, places)), RATE)
        held.append(sound / max(float(np.abs(sound).max(initial=0)), 1e-3))
        if sum(map(len, held)) >= _SECONDS * RATE:
            yield Clip(row["speaker"], row["source"], np.concatenate(held)[: round(2 * _SECONDS * RATE)])
            held = []


def _checked(row: dict[str, str], places: tuple[Path, ...]) -> Path:
    path = next((root / row["path"] for root in places if (root / row["path"]).is_file()), None)
    if path is None:
        raise ValueError(f"{row['path']} is missing: run python -m training.sound_sources --packages DIR.")
    # A leakage check looks for `sha256`: what only tests has its hash under another name.
    if hashlib.sha256(path.read_bytes()).hexdigest() != (row.get("sha256") or row["digest"]):
        raise ValueError(f"{path} is not the file that the split names.")
    return path


def _split() -> dict[str, Any]:
    split: dict[str, Any] = json.loads(SPLIT.read_text(encoding="utf-8"))
    return split


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch the recordings.")
    parser.add_argument("--packages", type=Path, required=True)
    fetch(parser.parse_args().packages)
