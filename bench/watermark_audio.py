"""The sound mark against what the world does to sound, side by side with its open peers.

python -m bench.sound_corpus CACHE                             gathers clips; any folder of sounds will do
python -m bench.watermark_audio --clips CACHE/clips            the whole suite; --figures draws it
python -m bench.watermark_audio --clips CACHE/clips --quick    a few clips and attacks
python -m bench.watermark_audio --clips CACHE/clips --false-reads 20000
python -m bench.watermark_audio --clips CACHE/clips --speeds   times and memory alone
"""

from __future__ import annotations

import argparse
import json
import os
import random
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import track

from bench.sound_attacks import CUTS, GOALS, GROUPS, Attack
from bench.sound_charts import bars, sheet
from bench.sound_corpus import sounds
from bench.sound_false_reads import false_reads
from bench.sound_ffmpeg import decoded
from bench.sound_methods import KNOWN, LOST, READ, SHORT, WRONG, Method, made
from bench.sound_quality import Quality, quality
from bench.sound_speeds import hour, speeds
from guard.errors import GuardError
from guard.media.stream import Samples

_FIGURES = Path(__file__).resolve().parents[1] / "docs" / "guide" / "img"
_QUICK = ("untouched", "MP3 64", "AAC 64", "Opus 24", "noise 20 dB", "speed +5 %", "crop 5 s", "8 kHz")
_PEERS = ("perth", "audiowmark")
_PEER_CLIPS = 24
_FULL_SCALE = 32767


class Row(NamedTuple):
    """What became of one clip that one method marked; without outcomes, it refused to."""

    clip: str
    method: str
    kind: str
    quality: Quality | None
    outcomes: dict[str, str]


def main() -> None:
    options = _options()
    paths = sounds(options.clips)[:: options.every]
    if options.false_reads:
        false_reads(paths, options.false_reads, options.seed)
        return
    if not options.speeds:
        _suite(paths, options)
    speeds(paths)
    hour(paths)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clips", type=Path, required=True, help="a folder of sound files, a kind per folder"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth clip alone")
    parser.add_argument("--quick", action="store_true", help="ten clips, eight attacks")
    parser.add_argument("--alone", action="store_true", help="leave the peers out")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument(
        "--rows",
        type=Path,
        default=Path(os.devnull),
        help="keeps what was found; what it holds is not done again",
    )
    parser.add_argument("--speeds", action="store_true", help="times and memory alone")
    parser.add_argument("--figures", type=Path, nargs="?", const=_FIGURES, help="write the PNG figures")
    parser.add_argument("--false-reads", type=int, metavar="N", help="read unmarked sound N times instead")
    parser.add_argument("--seed", type=int, default=1, help="of the false reads")
    return parser.parse_args()


def _suite(paths: list[Path], options: argparse.Namespace) -> None:
    if options.quick:
        paths = paths[:: max(1, len(paths) // 10)]
    rows = _rows(paths, options)
    shares = _table(rows)
    _qualities(rows)
    if options.figures:
        options.figures.mkdir(parents=True, exist_ok=True)
        bars(shares, options.figures / "audio-robustness.png")
        sheet(paths, options.figures / "audio-difference.png")


def _rows(paths: list[Path], options: argparse.Namespace) -> list[Row]:
    """Those that the file of rows holds already, and those of the other clips, which it gains."""
    rows = [_row_of(line) for line in options.rows.read_text().splitlines()] if options.rows.exists() else []
    done = {row.clip for row in rows}
    peers = () if options.alone else _PEERS
    stride = max(1, len(paths) // _PEER_CLIPS)
    tasks = [
        (path, ("dipole", *(peers if i % stride == 0 else ())), options.quick)
        for i, path in enumerate(paths)
        if path.name not in done
    ]
    # Cut short, it has seen clips of every kind.
    random.Random(0).shuffle(tasks)
    with ProcessPoolExecutor(options.jobs) as pool, options.rows.open("a") as file:
        for found in track(pool.map(_judged, tasks), description="clips", total=len(tasks)):
            rows += found
            file.writelines(json.dumps(row) + "\n" for row in found)
            file.flush()
    return rows


def _row_of(line: str) -> Row:
    clip, method, kind, numbers, outcomes = json.loads(line)
    return Row(clip, method, kind, Quality(*numbers) if numbers else None, outcomes)


@cache
def _methods(names: tuple[str, ...]) -> tuple[Method, ...]:
    return tuple(made(names))


def _judged(task: tuple[Path, tuple[str, ...], bool]) -> list[Row]:
    path, names, quick = task
    clip = decoded(path)
    return [_row(method, clip, path, quick) for method in _methods(names)]


def _row(method: Method, clip: Samples, path: Path, quick: bool) -> Row:
    kind = path.parent.name
    try:
        marked = _stored(method.mark(clip))
    except GuardError as error:
        print(f"{path.name}: {method.name} refuses: {error}")
        return Row(path.name, method.name, kind, None, {})
    attacks = {n: a for group in GROUPS.values() for n, a in group.items() if not quick or n in _QUICK}
    outcomes = {n: _outcome(method, attack(marked, _random(path, n))) for n, attack in attacks.items()}
    if not quick:
        outcomes |= {n: _cut(method, clip, _random(path, n), *cut) for n, cut in CUTS.items()}
    speech = kind.startswith(("speech", "tts"))
    return Row(path.name, method.name, kind, quality(_stored(clip), marked, speech=speech), outcomes)


def _cut(method: Method, clip: Samples, rng: np.random.Generator, seconds: float, attack: Attack) -> str:
    length = round(seconds * clip.rate)
    start = int(rng.integers(0, max(1, len(clip.data) - length)))
    try:
        marked = _stored(method.mark(Samples(clip.rate, clip.data[start : start + length])))
    except GuardError:
        return LOST
    return _outcome(method, attack(marked, rng))


def _outcome(method: Method, sound: Samples) -> str:
    outcome = method.reads(sound)
    return KNOWN if outcome == LOST and method.knows(sound) else outcome


def _stored(sound: Samples) -> Samples:
    """As a file of 16 bits would hold it."""
    data = np.rint(np.clip(sound.data, -1, 1) * _FULL_SCALE) / _FULL_SCALE
    return Samples(sound.rate, data.astype(np.float32))


def _random(path: Path, attack: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{path.name} {attack}".encode()))


def _table(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Prints and returns the per cent read, methods by attacks; the dipole's by kinds as well."""
    methods = list(dict.fromkeys(row.method for row in rows))
    columns = {name: [row for row in rows if row.method == name] for name in methods}
    columns |= {label: some for label, some in _groups(rows) if label.startswith("dipole, ")}
    print(f"\n| attack | goal | {' | '.join(columns)} | dipole, known id |\n{'|---' * (len(columns) + 3)}|")
    goals = {attack: GOALS.get(group) for group, attacks in GROUPS.items() for attack in attacks}
    done = [attack for attack in (*goals, *CUTS) if any(attack in row.outcomes for row in rows)]
    for attack in done:
        cells = [f"{_share(some, attack):.1f}" for some in columns.values()]
        goal = f"{100 * share:.0f}" if (share := goals.get(attack)) else ""
        print(f"| {attack} | {goal} | {' | '.join(cells)} | {_share(columns['dipole'], attack, KNOWN):.1f} |")
    wrong = sum(outcome == WRONG for row in rows for outcome in row.outcomes.values())
    print(f"\n{wrong} wrong payloads in {sum(len(row.outcomes) for row in rows)} readings.")
    shares = {name: {attack: _share(columns[name], attack) for attack in done} for name in methods}
    means = {name: float(np.mean(list(each.values()))) for name, each in shares.items()}
    for name, mean in means.items():
        print(
            f"{name} reads {mean:.1f} % over all attacks: dipole {means['dipole'] / mean:.2f} times as often."
        )
    return shares


def _share(rows: list[Row], attack: str, *also: str) -> float:
    """Per cent of the clips; one that a method refused to mark counts as lost."""
    return 100 * float(np.mean([row.outcomes.get(attack, LOST) in (READ, SHORT, *also) for row in rows]))


def _qualities(rows: list[Row]) -> None:
    """Prints means, and the least or the most where somebody might ask for it."""
    print("\n| marked by | clips | SNR, least | segments | spectrum | loudness, most | PESQ, least |")
    print("|---" * 7 + "|")
    for label, some in _groups(rows):
        marked = [row.quality for row in some if row.quality]
        snr, segments, spectral, loudness, pesq = zip(*marked, strict=True)
        voices = [each for each in pesq if each is not None]
        cells = [
            f"{len(marked)} of {len(some)}",
            f"{np.mean(snr):.1f}, {min(snr):.1f}",
            f"{np.mean(segments):.1f}",
            f"{np.mean(spectral):.2f}",
            f"{np.mean(loudness):.2f}, {max(loudness, key=abs):.2f}",
            f"{np.mean(voices):.2f}, {min(voices):.2f}" if voices else "",
        ]
        print(f"| {label} | {' | '.join(cells)} |")


def _groups(rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    for method in dict.fromkeys(row.method for row in rows):
        mine = [row for row in rows if row.method == method]
        yield method, mine
        for kind in dict.fromkeys(row.kind for row in mine):
            yield f"{method}, {kind}", [row for row in mine if row.kind == kind]


if __name__ == "__main__":
    main()
