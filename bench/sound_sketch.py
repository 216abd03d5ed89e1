"""How well the ledger's sketches tell copies of a sound from other sounds.

    python -m bench.sound_sketch FOLDER [--clips N] [--pairs N]

FOLDER holds sound files, of one voice or kind in each subfolder. Clips of 5 to 10 s are sketched; each is
compared with its own copies after every attack of `bench.sound_attacks`, and pieces of 2 to 8 s with sketches
of other clips, those of the same subfolder first of all. A stranger taken for a copy is printed: recordings
that a collection holds twice are to be told from accidents by ear.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.sound_attacks import GROUPS, chain, crop
from bench.sound_ffmpeg import decoded
from guard.ledger import Likeness
from guard.ledger.sound_sketch import energy_of, make_sketch, similarity
from guard.media.stream import Samples

SHORT = ("noise 20 dB", "speed +5 %", "tempo −5 %", "Opus 24", "MP3 32", "low-pass 4 kHz", "high-pass 500 Hz")
PIECES = (2, 3, 5, 8)


class Clip(NamedTuple):
    """A sound, its place in its file, and its sketch."""

    path: Path
    sound: Samples
    sketch: bytes


def clips(folder: Path) -> list[Clip]:
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".wav", ".mp3", ".flac", ".ogg")):
        sound = decoded(path)
        size = 10 * sound.rate
        for at in range(0, max(1, len(sound.data) - size // 2), size):
            piece = Samples(sound.rate, sound.data[at : at + size])
            if piece.duration >= 5:
                found.append(Clip(path, piece, make_sketch(energy_of([piece]))))
    return found


def copies(known: list[Clip], count: int) -> Table:
    rng = np.random.default_rng(0)
    attacks = {name: attack for group in GROUPS.values() for name, attack in group.items()}
    attacks |= {f"crop 3 s + {name}": chain(crop(3), attacks[name]) for name in SHORT}
    table = Table("attack", "same", "least", "mean", title=f"Copies of {min(count, len(known))} clips")
    chosen = [known[i] for i in rng.permutation(len(known))[:count]]
    for name, attack in track(attacks.items(), description="copies"):
        found = [similarity(clip.sketch, energy_of([attack(clip.sound, rng)])) for clip in chosen]
        scores = [likeness.score if likeness else 0.0 for likeness in found]
        same = sum(likeness is not None and likeness.same for likeness in found)
        table.add_row(name, f"{same} of {len(chosen)}", f"{min(scores):.2f}", f"{np.mean(scores):.2f}")
    return table


def strangers(known: list[Clip], count: int) -> Table:
    rng = np.random.default_rng(1)
    table = Table("piece", "pairs", "taken", "highest scores", title="Strangers")
    voices: dict[Path, list[Clip]] = {}
    for clip in known:
        voices.setdefault(clip.path.parent, []).append(clip)
    for seconds in PIECES:
        found: list[tuple[Likeness, Clip, Clip]] = []
        for _ in track(range(count), description=f"{seconds} s"):
            clip = known[rng.integers(len(known))]
            among = voices[clip.path.parent] if rng.random() < 0.8 else known
            other = among[rng.integers(len(among))]
            if other is not clip:
                likeness = similarity(other.sketch, energy_of([crop(seconds)(clip.sound, rng)]))
                found += [(likeness, clip, other)] if likeness else []
        found.sort(key=lambda pair: -pair[0].score)
        highest = " ".join(f"{likeness.score:.2f}" for likeness, *_ in islice(found, 6))
        taken = [f"{a.path.name} for {b.path.name}" for likeness, a, b in found if likeness.same]
        table.add_row(f"{seconds} s", str(len(found)), f"{len(taken)} {'; '.join(taken[:6])}", highest)
    return table


def main(folder: Path, count: int, pairs: int) -> None:
    known = clips(folder)
    console = Console(width=120)
    seconds = sum(clip.sound.duration for clip in known)
    console.print(
        f"{len(known)} clips, {10 * sum(len(c.sketch) for c in known) / seconds:.0f} bytes for 10 s"
    )
    console.print(copies(known, count))
    console.print(strangers(known, pairs))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=1_000)
    options = parser.parse_args()
    main(options.folder, options.clips, options.pairs)
