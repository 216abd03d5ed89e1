"""The bank of training sounds: real clips and every family's synthetic ones, each degraded anew.

`python -m training.sound_bank --roots DIR DIR --vocoders DIR --role train --family world --out FILE` writes
an npz file: `sound` (N, 48000) of 16 bits at 16 kHz, and of each its `family`, `speaker` and `condition`. The
vocoders come from `training.sound_vocoder`, each in a file of its kind's name. With `--sealed DIR` it takes
Tortoise's examples and the recordings that lie beside them, which nothing is trained or chosen by.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.deepfake.sound_features import LENGTH, prepared
from training.sound_degrade import CONTROLS, Rng, Sound, degraded, trimmed
from training.sound_sources import RATE, Clip, clips, decode, resampled
from training.sound_synthetic import COPIES, ENGINES, refined, spoken
from training.sound_vocoder import KINDS, load, vocode

__all__ = ["PEAK", "windows_of"]

_SECONDS = LENGTH / RATE
_AGAIN = {"train": (7, 3), "calibrate": (3, 2), "test": (2, 2)}
"""How often a real clip is degraded, and a synthetic one."""
_SHARES = {"train": 0.5, "calibrate": 1.0, "test": 0.4}
"""The share of clips that a family copies."""
_BEFORE = {True: 0.25, False: 0.85}
_SPEEDS = (0.75, 1.3)
_BLURS = (0.7, 2.0)
PEAK = 8_000
"""What 1 is in the bank's whole numbers."""
Trial = tuple[str, str, str, Sound, int]


def windows_of(trials: Iterator[Trial]) -> dict[str, NDArray[np.generic]]:
    """The first 3 s of each trial (family, speaker, condition, sound, rate), as the detector prepares it."""
    sounds, about = [], []
    for family, speaker, condition, sound, rate in trials:
        window = np.clip(np.rint(prepared(sound, rate)[:LENGTH] * PEAK), -32768, 32767)
        sounds.append(np.pad(window.astype(np.int16), (0, LENGTH - len(window))))
        about.append((family, speaker, condition))
    columns = zip(("family", "speaker", "condition"), zip(*about, strict=True), strict=True)
    return {"sound": np.stack(sounds)} | {name: np.array(column) for name, column in columns}


def _trials(role: str, family: str, held: Sequence[Clip], vocoders: Path) -> Iterator[Trial]:
    rng = np.random.default_rng(zlib.crc32(f"{role} {family}".encode()))
    real = family == "real"
    for speaker, sound in _made(role, family, held, vocoders, rng):
        for _ in range(_AGAIN[role][not real]):
            yield family, speaker, "degraded", *degraded(sound, RATE, _SECONDS, rng, _BEFORE[real])
        if role != "train":
            for name, change in CONTROLS.items() if real else [("plain", CONTROLS["plain"])]:
                yield family, speaker, name, *change(sound[:LENGTH], RATE, rng)


def _made(
    role: str, family: str, held: Sequence[Clip], vocoders: Path, rng: Rng
) -> Iterator[tuple[str, Sound]]:
    """Speakers and sounds: the clips at a random speed, a share of them copied, or an engine's."""
    if family in ENGINES:
        yield from ((family, trimmed(sound)) for sound in spoken(family))
        return
    make = _copier(family, vocoders)
    for clip in held:
        if family == "real" or rng.random() < _SHARES[role]:
            speed = float(rng.uniform(*_SPEEDS)) if role == "train" else 1.0
            yield clip.speaker, make(resampled(trimmed(clip.sound), RATE, RATE * speed), rng)


def _copier(family: str, vocoders: Path) -> Callable[[Sound, Rng], Sound]:
    """A neural family's kind, with `-smooth` from what generators would predict, with `-fine` as if it had
    been trained longer; or another family's synthesis."""
    kind, _, way = family.partition("-")
    if kind not in KINDS:
        return COPIES.get(family, lambda sound, _: sound)
    model = load(vocoders / f"{kind}.pt")

    def copy(sound: Sound, rng: Rng) -> Sound:
        own = RATE * float(rng.uniform(0.85, 1.4))
        blur = float(rng.uniform(*_BLURS)) if way == "smooth" else 0.0
        made = resampled(vocode(model, resampled(sound, RATE, own), blur), own, RATE)
        return refined(made, sound, float(rng.uniform(0.6, 1))) if way == "fine" else made

    return copy


def _sealed(folder: Path) -> Iterator[Trial]:
    """Every file of Tortoise's repository, degraded, and those of real voices under each control."""
    rng = np.random.default_rng(0)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".wav", ".mp3"}):
        real = "voices" in path.parts
        family = "real" if real else "tacotron2" if "tacotron2.mp3" in path.name else "tortoise"
        speaker = path.parent.name if real else path.stem
        sound = trimmed(resampled(*decode(path), RATE))
        for _ in range(3 if real else 1):
            yield family, speaker, "degraded", *degraded(sound, RATE, _SECONDS, rng)
        for name, change in CONTROLS.items() if real else [("plain", CONTROLS["plain"])]:
            yield family, speaker, name, *change(sound[:LENGTH], RATE, rng)


def _chosen(args: argparse.Namespace) -> Iterator[Trial]:
    if args.sealed:
        return _sealed(args.sealed)
    return _trials(args.role, args.family, clips(args.roots, args.role, args.most), args.vocoders)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sounds of one role and family.")
    parser.add_argument("--roots", type=Path, nargs="+")
    parser.add_argument("--vocoders", type=Path)
    parser.add_argument("--role", choices=_AGAIN, default="train")
    parser.add_argument("--family", default="real")
    parser.add_argument("--most", type=int, default=30, help="clips of a speaker and kind of file")
    parser.add_argument("--sealed", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    np.savez(args.out, **windows_of(_chosen(args)))  # type: ignore[arg-type]
