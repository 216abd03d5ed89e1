"""The texts that train, calibrate and test the embedded text detector.

Pairs of human and machine passages come from the data folder; human prose of other kinds from Debian
packages, which `python -m training.text_sources --prose DIR` fetches and unpacks without installing them.
What is left out in turn stands in `training/splits/text.json`, which `--split DATA` writes anew.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import random
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.deepfake.text_features import common_words, function_words, tokens
from detectors.evaluation.leakage import identity
from guard.media import Artifact

__all__ = ["CHAT", "PROSE", "SIMPLIFIED", "SPLIT", "Passage", "load", "once", "pairs", "prose", "simplified"]

SPLIT = Path(__file__).parent / "splits" / "text.json"
CHAT = ("gpt-3.5-turbo", "gpt-4")
"""The generators that follow instructions: what the detector is for."""
PROSE = {
    "aptitude-doc-en": ("0.8.13-5", "usr/share/doc/aptitude/html/en/*.html", "manuals"),
    "harden-doc": ("3.19+nmu1", "usr/share/doc/harden-doc/html/en-US/*.html", "manuals"),
    "maint-guide": ("1.2.53", "usr/share/doc/maint-guide/html/*.en.html", "manuals"),
    "anarchism": ("15.3-3", "usr/share/doc/anarchism/html/*.html", "essays"),
    "debian-handbook": ("11.20220922", "usr/share/doc/debian-handbook/html/en-US/*.html", "manuals"),
    "developers-reference": ("12.18", "usr/share/developers-reference/*.html", "manuals"),
}
"""Human prose by Debian package: its version, its pages, and its domain."""
SIMPLIFIED = "simplified"
"""The generator of human passages that `simplified` made: they only ever test."""
_FOLDER = "text_fastdetectgpt"
_MOST = 300
_LENGTH = 120
"""Words of every passage, so that length tells nothing."""
_SEED = 20261122
_KEPT_GRAMS = 2
_PARAGRAPH = re.compile(r"""<(?:p\b[^>]*|div class="para")>(.*?)</(?:p|div)>""", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """One text. `group` names the human passage that it goes with, `generator` is "" for human ones."""

    text: str
    domain: str
    generator: str
    group: str


def load(data: Path, folder: Path) -> list[Passage]:
    """All passages, human ones once. Raises `ValueError` where a file of the pairs is not the split's."""
    for name, expected in json.loads(SPLIT.read_text("utf-8"))["files"].items():
        if hashlib.sha256((data / name).read_bytes()).hexdigest() != expected:
            raise ValueError(f"{name} is not the file that the split names.")
    return [*once(pairs(data)), *prose(folder)]


def once(passages: Iterable[Passage]) -> list[Passage]:
    """Each human passage once, though several generators went on from its beginning."""
    return list({(p.group, p.generator): p for p in reversed(list(passages))}.values())


def pairs(data: Path) -> Iterator[Passage]:
    """Human and machine passages without the words that they begin with in common: those are the prompt."""
    for path in sorted((data / _FOLDER).glob("*/data/*.raw_data.json")):
        domain, generator = path.name.removesuffix(".raw_data.json").split("_", 1)
        content = json.loads(path.read_text("utf-8"))
        for human, machine in zip(content["original"], content["sampled"], strict=True):
            # Line ends give these machine texts away: the human ones lost theirs.
            rows = human.split(), machine.split()
            same = next((n for n, two in enumerate(zip(*rows, strict=False)) if two[0] != two[1]), 0)
            group = hashlib.sha256(" ".join(rows[0][:20]).encode()).hexdigest()[:12]
            yield Passage(" ".join(rows[0][same:][:_LENGTH]), domain, "", group)
            yield Passage(" ".join(rows[1][same:][:_LENGTH]), domain, generator, group)


def prose(folder: Path) -> Iterator[Passage]:
    """Paragraphs of the packages, put together to passages of 120 words."""
    for name, (_, pattern, domain) in PROSE.items():
        found = [p for page in sorted((folder / name).glob(pattern)) for p in _passages(page, domain)]
        random.Random(_SEED).shuffle(found)
        yield from found[:_MOST]


def _passages(page: Path, domain: str) -> Iterator[Passage]:
    content = page.read_text("utf-8", errors="replace")
    held: list[str] = []
    for paragraph in _PARAGRAPH.findall(content):
        held += html.unescape(re.sub(r"<[^>]*>", " ", paragraph)).split()
        if len(held) >= _LENGTH:
            yield Passage(" ".join(held[:_LENGTH]), domain, "", page.name)
            held = []


def simplified(text: str, seed: int = 0) -> str:
    """The text as a learner might have put it: half of the articles gone, and a common word of the same
    ending for most rare ones."""
    rng = random.Random(seed)
    common: dict[str, list[str]] = {}
    for token in tokens(" ".join(sorted(common_words()))):
        common.setdefault(token.stands, []).append(token.word)
    out, last = [], 0
    for token in tokens(text):
        out.append(text[last : token.start])
        last = token.end
        word = text[token.start : token.end]
        if token.word in {"a", "an", "the"} and rng.random() < 0.5:
            continue
        rare = token.stands[0] == "~" and token.word not in common_words() | function_words()
        out.append(rng.choice(common.get(token.stands, [word])) if rare and rng.random() < 0.8 else word)
    return "".join([*out, text[last:]])


def fetch(folder: Path) -> None:
    """Unpack the Debian packages that hold the prose, in the versions named here, under `folder`."""
    for name, (version, *_) in PROSE.items():
        subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=folder, check=True)
        package = next(folder.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package.name, name], cwd=folder, check=True)


def split(data: Path, folder: Path) -> dict[str, Any]:
    """The manifest: files and their hashes, what is left out in turn, and every training text's identity."""
    files = sorted((data / _FOLDER).glob("*/data/*.raw_data.json"))
    learnt = [*once(p for p in pairs(data) if p.generator in ("", *CHAT)), *prose(folder)]
    return {
        "seed": _SEED,
        "files": {str(f.relative_to(data)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
        "folds": [[domain, g] for domain in sorted({p.domain for p in learnt}) for g in CHAT],
        "rule": "a fold trains on the passages of neither its domain nor its generator; the model that ships "
        "trains on all of `train`; generators that do not follow instructions only ever test",
        "prose": {name: {"version": v, "domain": domain} for name, (v, _, domain) in PROSE.items()},
        "train": [_known(passage) for passage in learnt],
    }


def _known(passage: Passage) -> dict[str, Any]:
    found = identity(Artifact.from_text(passage.text))
    name = f"{passage.domain}/{passage.generator or 'human'}/{passage.group}"
    return {"name": name, "sha256": found["sha256"], "grams8": found["grams8"][:_KEPT_GRAMS]}


def main() -> None:
    """The commands above."""
    parser = argparse.ArgumentParser(description="Fetch prose, or write the split.")
    parser.add_argument("--prose", type=Path, required=True)
    parser.add_argument("--split", type=Path, metavar="DATA", help="write the split instead")
    args = parser.parse_args()
    if args.split is None:
        fetch(args.prose)
        return
    made = split(args.split, args.prose)
    rows = ",\n".join(json.dumps(row) for row in made.pop("train"))
    SPLIT.write_text(f'{json.dumps(made, indent=1)[:-2]},\n "train": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
