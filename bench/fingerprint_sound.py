"""Are sounds found again by their content alone, and strangers left alone?

    python -m bench.fingerprint_sound [--clips N] [--group NAME …]

Registers clips of ten seconds: speech that models made, of the test media, and sounds of the scene model.
Each is asked for after every attack of `bench.sound_attacks`, without any mark or credential; then clips that
are not registered are, of the same voices too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import thread_time

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.image_sets import DATA
from bench.ledger import entries
from bench.sound_attacks import GROUPS
from bench.sound_ffmpeg import decoded
from guard.ledger import Ledger, Likeness
from guard.ledger.fingerprint import probes
from guard.ledger.sound_codes import filed, questions
from guard.ledger.sound_sketch import energy_of, make_sketch, similarity
from guard.media import Modality
from guard.media.stream import Samples
from models.base import GenerationRequest
from models.scene import SceneGenerator

SECONDS = 10
SCENES = (
    "church bells at evening",
    "birds in a forest",
    "a dog barking by a river",
    "rain on a roof",
    "a train passing",
    "waves on a beach",
    "a clock ticking",
    "frogs by a pond at night",
)


def clips() -> Iterator[Samples]:
    """Speech of at least five seconds, and played scenes, in no order."""
    for path in sorted((DATA / "tts_tortoise").rglob("*.mp3")):
        sound = decoded(path)
        for start in range(0, len(sound.data), SECONDS * sound.rate):
            piece = Samples(sound.rate, sound.data[start : start + SECONDS * sound.rate])
            if piece.duration >= 5:
                yield piece
    generator = SceneGenerator(Modality.AUDIO)
    for seed, scene in enumerate(2 * SCENES):
        yield generator.generate(GenerationRequest(scene, Modality.AUDIO, seed=seed))[0].samples


def ask(ledger: Ledger, sound: Samples) -> tuple[str, Likeness] | None:
    """What `guard verify` answers where there is neither mark nor credential: a release and the likeness."""
    energy = energy_of([sound])
    found = [(e.id, similarity(e.sketch, energy)) for e in ledger.nearest(questions(energy)) if e.sketch]
    same = [(known, likeness) for known, likeness in found if likeness and likeness.same]
    return max(same, key=lambda pair: pair[1].common, default=None)


def main(count: int, groups: list[str]) -> None:
    console = Console(width=110)
    pool = list(clips())
    random.Random(0).shuffle(pool)
    known, strangers = pool[: len(pool) // 2], pool[len(pool) // 2 :]
    with tempfile.TemporaryDirectory() as place:
        ledger = Ledger.open(f"sqlite:///{Path(place) / 'ledger.db'}")
        drafts, ids, codes = entries(random.Random(0)), [], 0
        for sound in track(known, description="registering"):
            energy = energy_of([sound])
            found = tuple(filed(energy))
            codes += len(found)
            entry = replace(
                next(drafts), modality="audio", marks=(), sketch=make_sketch(energy), fingerprints=found
            )
            ledger.record([entry])
            ids.append(entry.id)
        seconds = sum(sound.duration for sound in known)
        console.print(
            f"{len(known)} clips, {10 * codes / seconds:.0f} codes in 10 s; {len(strangers)} others"
        )
        rng, shares = np.random.default_rng(0), dict[str, list[float]]()
        table = Table("group", "attack", "found", "as itself", "least likeness", title="Copies")
        for group in groups:
            for name, attack in track(GROUPS[group].items(), description=group):
                answers = [
                    (own, ask(ledger, attack(sound, rng)))
                    for own, sound in zip(ids[:count], known, strict=False)
                ]
                scores = [answer[1].score for _, answer in answers if answer]
                own = sum(bool(answer) and answer[0] == mine for mine, answer in answers if answer)
                shares.setdefault(group, []).append(len(scores) / len(answers))
                least = f"{min(scores, default=0):.2f}"
                table.add_row(group, name, f"{len(scores)} of {len(answers)}", str(own), least)
        console.print(table)
        console.print("; ".join(f"{group}: {np.mean(found):.2%}" for group, found in shares.items()))
        taken, times, asked = 0, [], []
        for sound in track(strangers, description="strangers"):
            energy = energy_of([sound])
            wanted = questions(energy)
            asked.append(len({place for each in wanted for place in probes(each)}))
            begun = thread_time()
            ledger.nearest(wanted)
            times.append(1000 * (thread_time() - begun))
            taken += ask(ledger, sound) is not None
        console.print(
            f"{len(strangers)} strangers: {taken} taken for something; {np.mean(asked):.0f} buckets each, "
            f"look-up p50 {np.median(times):.1f} ms"
        )
        ledger.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--group", nargs="+", default=list(GROUPS), choices=list(GROUPS))
    options = parser.parse_args()
    main(options.clips, options.group)
