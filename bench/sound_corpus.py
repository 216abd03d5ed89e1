"""Gathers the clips that bench.watermark_audio marks: speech, synthetic speech, music and effects.

    python -m bench.sound_corpus CACHE [--folder KIND=PATH …] [--seed N]

Needs Debian's apt-get and dpkg-deb; nothing is installed, packages are only unpacked below CACHE. With
espeak-ng and fluidsynth on the path it speaks and plays too. The clips land in CACHE/clips/KIND, 5 to 12
seconds each, and CACHE/clips/manifest.json says where each one is from. `--folder` adds any folder of sound
files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import av
import numpy as np
import soundfile
from rich.progress import track

from bench.image_sets import DATA
from bench.sound_ffmpeg import decoded, resampled
from guard.media.stream import Samples

__all__ = ["SUFFIXES", "sounds"]

SUFFIXES = {".flac", ".g722", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wv"}
_SECONDS = (5.0, 6.0, 8.0, 10.0, 12.0)
_QUIET = 10 ** (-50 / 20)


class Source(NamedTuple):
    """`clips` of a kind from the files below `place` (a Debian package, or a folder) that match `pattern`."""

    kind: str
    place: str
    pattern: str
    clips: int


# Licences as each package's copyright file has them: the prompts of Asterisk CC-BY-SA-3.0; Tux Paint GPL-2;
# KTuberling and KLettres GPL-2+; Wesnoth's and Warzone's music GPL-2+ or CC-BY-SA; the others free as well.
_ASTERISK = "asterisk-core-sounds-{}-g722"
_PACKAGES = (
    # The English voice serves to choose the constants of the mark, from prompts before n in the alphabet.
    Source("speech", _ASTERISK.format("en"), "**/[n-z]*.g722", 6),
    *(Source("speech", _ASTERISK.format(language), "**/*.g722", 6) for language in ("es", "fr", "it", "ru")),
    *(
        Source("speech", "tuxpaint-stamps-default", f"**/*_desc_{language}.ogg", 3)
        for language in ("be", "bg", "ca", "da", "el", "es", "fr", "ro", "ru")
    ),
    *(
        Source("speech", "ktuberling-data", f"**/sounds/{language}/*.*", 1)
        for language in ("de", "en", "fi", "ga", "gl", "it", "lt", "nds", "nl", "pt", "sl", "sr", "uk", "wa")
    ),
    *(
        Source("speech", "klettres-data", f"**/klettres/{language}/**/*.ogg", 1)
        for language in ("ar", "cs", "he", "hu", "ml")
    ),
    Source("music", "warzone2100-music", "**/*.opus", 8),
    Source("music", "wesnoth-1.16-music", "**/*.ogg", 12),
    Source("music", "supertux-data", "**/music/**/*.ogg", 8),
    Source("music", "trackballs-data", "**/music/*.ogg", 4),
    Source("music", "ardentryst", "**/Music/*.ogg", 5),
    Source("music", "extremetuxracer-data", "**/music/*.ogg", 3),
    Source("music", "xmoto-data", "**/*.ogg", 3),
    Source("music", "amoebax-data", "**/music/*.ogg", 3),
    Source("music", "lincity-ng-data", "**/music/**/*.ogg", 2),
    Source("effects", "sound-theme-freedesktop", "**/*.oga", 3),
    Source("effects", "tuxpaint-stamps-default", "**/animals/**/*[!a-z]*[a-z].ogg", 4),
    Source("effects", "gnome-audio", "**/*.wav", 2),
    Source("effects", "teeworlds-data", "**/*.wv", 4),
    Source("effects", "supertux-data", "**/sounds/*.*", 4),
    Source("effects", "trackballs-data", "**/sfx/*.wav", 2),
    Source("effects", "lincity-ng-data", "**/sounds/*.wav", 4),
    Source("effects", "ardentryst", "**/Sounds/**/*.ogg", 4),
    Source("effects", "extremetuxracer-data", "**/sounds/*.wav", 2),
    Source("effects", "lbreakouthd-data", "**/*.wav", 1),
)
# The real voices beside these examples serve to choose the constants.
_SYNTHETIC = Source("tts", str(DATA / "tts_tortoise" / "examples"), "**/*.mp3", 28)
_MIDI = ("openttd-openmsx", "timgm6mb-soundfont")
_SAID = {
    "cs": "Vlak do Brna odjíždí v osm hodin ráno a přijede krátce po poledni, pokud nebude padat sníh.",
    "de": "Wer morgens früh am Hafen steht, sieht die Boote heimkehren und hört, wie die Möwen streiten.",
    "en-gb": "The kettle had just begun to sing when somebody knocked twice at the back door and left.",
    "es": "Cada domingo mi abuela abría las ventanas, ponía la radio y cocinaba para toda la calle.",
    "fr-fr": "Le boulanger ferme plus tôt le jeudi, alors nous achetons le pain avant d'aller à la piscine.",
    "hu": "A hegyen túl már esik az eső, de a völgyben még mindig szárítják a szénát a gazdák.",
    "it": "Dopo il temporale la piazza profumava di terra bagnata e i bambini tornarono a giocare.",
    "nl": "De oude brug gaat langzaam open, terwijl de fietsers geduldig wachten en naar de schepen kijken.",
    "pl": "Na targu można kupić świeże jabłka, miód lipowy i ser, który dojrzewał przez całą zimę.",
    "pt": "O comboio da tarde chega sempre atrasado, mas ninguém se queixa quando o mar está tão azul.",
    "ru": "Вечером мы сидели на крыльце, пили чай с вареньем и слушали, как далеко за рекой поёт гармонь.",
    "sv": "När isen äntligen smälter ror vi ut till ön och målar den lilla stugan röd igen.",
    "tr": "Sabah erkenden fırından sıcak ekmek alıp deniz kenarında uzun bir kahvaltı yaptık.",
    "vi": "Buổi sáng trời mát, người ta ra công viên tập thể dục rồi ăn phở ở quán đầu ngõ.",
}


def main() -> None:
    options = _options()
    clips = options.cache / "clips"
    beside = [_SYNTHETIC] if Path(_SYNTHETIC.place).is_dir() else []
    sources = [*_PACKAGES, *beside, *options.folder]
    entries = []
    for source in track([*sources, *_made(options.cache)], description="clips"):
        root = Path(source.place) if Path(source.place).is_dir() else _unpacked(source.place, options.cache)
        for number, (clip, names) in enumerate(_clips(root, source, options.seed)):
            name = f"{Path(source.place).name}-{crc32(source.pattern.encode()):08x}-{number:02}.flac"
            path = clips / source.kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, clip.data, clip.rate, subtype="PCM_16")
            shape = {"rate": clip.rate, "channels": clip.data.shape[1], "seconds": clip.duration}
            told = {"source": Path(source.place).name, "from": names}
            entries.append({"file": f"{source.kind}/{name}", "kind": source.kind, **shape, **told})
    (clips / "manifest.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False))
    print(f"{len(entries)} clips, {sum(entry['seconds'] for entry in entries):.0f} s, in {clips}.")


def _options() -> argparse.Namespace:
    def folder(text: str) -> Source:
        kind, _, path = text.partition("=")
        return Source(kind, path, "**/*", 20)

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="where packages and clips go")
    parser.add_argument("--folder", type=folder, action="append", default=[], metavar="KIND=PATH")
    parser.add_argument("--seed", type=int, default=7, help="which pieces")
    return parser.parse_args()


def sounds(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The sound files below a folder, sorted."""
    return sorted(path for path in folder.glob(pattern) if path.suffix.lower() in SUFFIXES)


def _clips(root: Path, source: Source, seed: int) -> Iterator[tuple[Samples, list[str]]]:
    """At most the number that the source gives, none of them nearly silent."""
    rng = np.random.default_rng([seed, crc32(f"{source.place} {source.pattern}".encode())])
    files = sounds(root, source.pattern)
    order = _opened([files[i] for i in rng.permutation(len(files))])
    given = 0
    while given < source.clips:
        try:
            clip, names = _joined(order, float(rng.choice(_SECONDS)), rng)
        except StopIteration:
            return
        if np.sqrt(np.mean(clip.data**2)) > _QUIET:
            given += 1
            yield clip, names


def _opened(paths: list[Path]) -> Iterator[tuple[str, Samples]]:
    """Those of the files that can be decoded."""
    for path in paths:
        with suppress(av.FFmpegError):
            yield path.name, decoded(path)


def _joined(
    files: Iterator[tuple[str, Samples]], seconds: float, rng: np.random.Generator
) -> tuple[Samples, list[str]]:
    """A piece of one long file, or short ones one after another at the rate and channels of the first.

    Raises `StopIteration` where the files do not suffice.
    """
    name, first = next(files)
    names, rate, wanted = [name], first.rate, int(seconds * first.rate)
    data = first.data
    while len(data) < wanted:
        name, other = next(files)
        part = resampled(other, rate).data.mean(1, keepdims=True)
        data = np.concatenate([data, np.repeat(part, data.shape[1], axis=1)])
        names.append(name)
    start = int(rng.integers(0, len(data) - wanted + 1)) if len(names) == 1 else 0
    return Samples(rate, data[start : start + wanted]), names


def _unpacked(package: str, cache: Path) -> Path:
    """The package's files, fetched by apt-get once."""
    folder, archives = cache / "unpacked" / package, cache / "packages"
    if not folder.is_dir():
        archives.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", package], cwd=archives, check=True, capture_output=True)
        archive = next(archives.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    return folder


def _made(cache: Path) -> Iterator[Source]:
    """What the machine can speak and play itself."""
    if shutil.which("espeak-ng"):
        yield Source("tts", str(_spoken(cache / "espeak")), "*.wav", len(_SAID))
    if shutil.which("fluidsynth"):
        yield Source("music", str(_played(cache)), "*.wav", 8)


def _spoken(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (voice, text) in enumerate(_SAID.items()):
        variant = f"{voice}+{'fm'[number % 2]}{number % 3 + 1}"
        path = folder / f"{voice}.wav"
        subprocess.run(["espeak-ng", "-v", variant, "-s", "140", "-w", path, f"{text} {text}"], check=True)
    return folder


def _played(cache: Path) -> Path:
    songs, font = (_unpacked(package, cache) for package in _MIDI)
    folder = cache / "midi"
    folder.mkdir(parents=True, exist_ok=True)
    bank = next(font.rglob("*.sf2"))
    for song in sorted(songs.rglob("*.mid"))[:10]:
        path = folder / f"{song.stem}.wav"
        if not path.exists():
            play = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-r", "48000", "-F"]
            subprocess.run([*play, path, bank, song], check=True, capture_output=True)
    return folder


if __name__ == "__main__":
    main()
