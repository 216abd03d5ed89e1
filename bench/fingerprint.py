"""Are pictures found again by their content alone, among a million, and are strangers left alone?

    python -m bench.fingerprint [--registered N] [--pictures N] [--strangers N] [--folder DIR] [--plot FILE]

Registers photographs and generated pictures of the test media, whole and in quarters, beside fingerprints of
a million others that are drawn from the distribution of the real ones. Then, without any mark or credential:

- copies: N of them after every attack of `bench.image_attacks` must lead back to themselves;
- strangers: pictures no part of which is registered, whole, in quarters and attacked, must lead nowhere. What
  they are taken for is printed.

A picture of the million has no sketch to compare with: how often a comparison errs is counted by
`bench.fingerprint_strangers`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from time import thread_time
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.fingerprint_codes import PER_PICTURE, Distribution, fill, keys_of, opened, photo_codes
from bench.fingerprint_strangers import quarters, scenes
from bench.image_attacks import GROUPS, Attack, Pixels
from bench.ledger import entries
from guard.ledger import Ledger, Likeness
from guard.ledger.filing import nearest
from guard.ledger.fingerprint import Algorithm
from guard.media import Artifact, Modality
from guard.media.picture import Picture
from guard.sketches import Seen

BEYOND = ("crop 50 %", "crop 25 %", "crop 25 % + JPEG 75")
"""Attacks of the list that go further than a crop to 80 % of the area."""
DISGUISES = ("JPEG 30", "crop 80 %", "rotate any", "equalised", "aspect −20 %")
GOAL = 0.95


class Known(NamedTuple):
    """A registered picture."""

    id: str
    whole: bool
    pixels: Pixels


def seen(pixels: Pixels) -> Seen:
    artifact = Artifact(Modality.IMAGE, "image/png", b"")
    vars(artifact)["picture"] = Picture.from_array(np.ascontiguousarray(pixels))  # no file is made of it
    return Seen(artifact)


def sources() -> tuple[list[Pixels], list[Pixels]]:
    """Pictures to register, and others, none of them cut from the same."""
    pictures = list(scenes())
    return pictures[::2], pictures[1::2]


def register(ledger: Ledger, pictures: list[list[Pixels]]) -> list[Known]:
    drafts, known = entries(random.Random(0)), []
    for cuts in track(pictures, description="registering"):
        for number, pixels in enumerate(cuts):
            look = seen(pixels)
            sketch, found = look.sketch(), look.fingerprints()
            entry = replace(next(drafts), marks=(), manifest=None, sketch=sketch, fingerprints=tuple(found))
            ledger.record([entry])
            known.append(Known(entry.id, number == 0, pixels))
    return known


def crowd(path: Path, count: int, first: int) -> None:
    """File the fingerprints of so many pictures that there are not."""
    filed = [each for some in photo_codes() for each in some]
    rng = np.random.default_rng(7)
    for alg, per in ((Algorithm.PICTURE, 1), (Algorithm.PART, PER_PICTURE - 1)):
        distribution = Distribution(each.code for each in filed if each.alg == alg)
        for start in track(range(0, count, 1 << 16), description=f"a crowd of {alg}"):
            some = min(1 << 16, count - start)
            codes = distribution.draw(some * per, rng)
            fill(path, keys_of(alg, codes), codes, per, first + start, place=alg == Algorithm.PART)


def ask(ledger: Ledger, pixels: Pixels) -> tuple[str, Likeness] | None:
    """What `guard verify` answers where there is neither mark nor credential: a release and the likeness."""
    look = seen(pixels)
    found = [
        (entry.id, look.compare(entry.sketch, alone=True))
        for entry in ledger.nearest(look.questions())
        if entry.sketch
    ]
    same = [(known, likeness) for known, likeness in found if likeness and likeness.same]
    return max(same, key=lambda pair: pair[1].common, default=None)


def copies(ledger: Ledger, known: list[Known], count: int) -> tuple[Table, dict[str, float]]:
    table = Table("attack", "found", "as itself", "least likeness", "mean", title="Copies")
    rng, shares = np.random.default_rng(0), dict[str, float]()
    wholes = [one for one in known if one.whole]
    chosen = [wholes[i] for i in np.random.default_rng(1).permutation(len(wholes))[:count]]
    attacks = {
        name: attack
        for group in ("valuemetric", "geometric", "combined")
        for name, attack in GROUPS[group].items()
    }
    for name, attack in track(attacks.items(), description="copies"):
        answers = [(one, ask(ledger, _attacked(attack, one.pixels, rng))) for one in chosen]
        found = [(one, answer) for one, answer in answers if answer]
        shares[name] = len(found) / len(chosen)
        own = sum(one.id == answer[0] for one, answer in found)
        scores = [answer[1].score for _, answer in found] or [0.0]
        table.add_row(
            name, f"{len(found)} of {len(chosen)}", f"{own}", f"{min(scores):.2f}", f"{np.mean(scores):.2f}"
        )
    return table, shares


def _attacked(attack: Attack, pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return np.ascontiguousarray(attack(np.ascontiguousarray(pixels), rng), np.uint8)


def strangers(ledger: Ledger, pictures: list[Pixels], count: int, crowd_from: int) -> list[str]:
    """How many of the crowd came up, in what time, and the strangers that were taken for something."""
    rng = np.random.default_rng(2)
    attacks = [
        GROUPS["valuemetric"]["untouched"],
        *(a for g in GROUPS.values() for n, a in g.items() if n in DISGUISES),
    ]
    taken, crowded, times, asked = [], 0, [], 0
    with ledger.engine.connect() as connection:
        for number in track(rng.permutation(len(pictures) * len(attacks))[:count], description="strangers"):
            pixels = _attacked(attacks[number % len(attacks)], pictures[number // len(attacks)], rng)
            asked += 1
            look = seen(pixels)
            questions = look.questions()
            begun = thread_time()
            found = nearest(connection, questions, 1000)
            times.append(1000 * (thread_time() - begun))
            crowded += sum(index >= crowd_from for index in found)
            if answer := ask(ledger, pixels):
                taken.append(f"{number}: {answer[0]} {answer[1].score:.2f} over {answer[1].coverage:.2f}")
    line = f"{asked} strangers: {len(taken)} taken for something; {crowded / asked:.3f} of the crowd came up"
    return [f"{line}; look-up p50 {np.median(times):.1f} ms, p95 {np.percentile(times, 95):.1f} ms", *taken]


def main(count: int, pictures: int, queries: int, folder: Path | None) -> None:
    console = Console(width=110)
    kept, rest = sources()
    others = [cut for whole in rest for cut in quarters(whole)]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "ledger.db"
        ledger = opened(path)
        known = register(ledger, [list(quarters(whole)) for whole in kept])
        crowd(path, count, len(known) + 1)
        console.print(f"{len(known)} pictures and {count:,} others registered; {len(others)} strangers")
        table, shares = copies(ledger, known, pictures)
        console.print(table)
        within = [share for name, share in shares.items() if name not in BEYOND]
        console.print(
            f"found, over the {len(within)} attacks up to a crop to 80 %: {np.mean(within):.2%}; "
            f"{sum(share >= GOAL for share in within)} of them at {GOAL:.0%} or more"
        )
        for line in strangers(ledger, others, queries, len(known) + 1):
            console.print(line)
        ledger.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--registered", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--strangers", type=int, default=1_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    main(options.registered, options.pictures, options.strangers, options.folder)
