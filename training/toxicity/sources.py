"""The data sets, read into examples with one target per label."""

from __future__ import annotations

import csv
import html
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FILES", "LABELS", "Example", "Targets", "read_all"]

LABELS = ("toxicity", "identity_attack", "insult", "threat")
Targets = tuple[float | None, ...]
"""One target in [0, 1] per label; None where the data set says nothing of the label."""

FILES = (
    "davidson/data/labeled_data.csv",
    "toxigen_safenlp/data/toxiGen.json",
    "toxigen_safenlp/data/implicitHate.json",
    "unintended_bias/sentence_templates/en_sentence_templates.csv",
    "holisticbias/holistic_bias/dataset/v1.1/descriptors.json",
    "holisticbias/holistic_bias/dataset/v1.1/nouns.json",
    "bold/wikipedia/gender_wiki.json",
    "bold/wikipedia/political_ideology_wiki.json",
    "bold/wikipedia/profession_wiki.json",
    "bold/wikipedia/race_wiki.json",
    "bold/wikipedia/religious_ideology_wiki.json",
    "winobias/WinoBias/wino/data/pro_stereotyped_type1.txt.dev",
    "winobias/WinoBias/wino/data/anti_stereotyped_type2.txt.dev",
    "text_fastdetectgpt/exp_gpt3to4/data/xsum_gpt-4.raw_data.json",
)
_CLEAN: Targets = (0.0, 0.0, 0.0, 0.0)
_HOLISTIC_AXES = (
    "ability",
    "age",
    "nationality",
    "race_ethnicity",
    "religion",
    "sexual_orientation",
    "gender_and_sex",
)


@dataclass(frozen=True)
class Example:
    """A text, where it is from, its row or template there, its targets, and what identity it speaks of."""

    text: str
    source: str
    key: str
    targets: Targets
    about: str = ""
    twin: str = ""
    """The same text about another group; the network is to score both alike."""


def read_all(data: Path) -> dict[str, list[Example]]:
    """Every example by source. `data` is the folder that holds the data sets."""
    return {
        "davidson": list(_davidson(data / "davidson/data/labeled_data.csv")),
        "toxigen": list(_toxigen(data / "toxigen_safenlp/data/toxiGen.json")),
        "implicit_hate": list(_implicit(data / "toxigen_safenlp/data/implicitHate.json")),
        "madlibs": list(_madlibs(data / "unintended_bias/sentence_templates/en_sentence_templates.csv")),
        "holisticbias": list(_holistic(data / "holisticbias/holistic_bias/dataset/v1.1")),
        "bold": list(_bold(data / "bold/wikipedia")),
        "winobias": list(_winobias(data / "winobias/WinoBias/wino/data")),
        "news": list(_news(data / "text_fastdetectgpt/exp_gpt3to4/data/xsum_gpt-4.raw_data.json")),
    }


def _davidson(path: Path) -> Iterator[Example]:
    """Tweets: hate 1, offensive 0.7 (much of it is swearing among friends), neither 0; hate by its votes."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind, votes = row["class"], int(row["hate_speech"]) / int(row["count"])
            targets: Targets = {"0": (1.0, 1.0, None, None), "1": (0.7, votes, None, None)}.get(kind, _CLEAN)
            yield Example(_tweet(row["tweet"]), "davidson", row[""], targets, about=kind)


def _tweet(text: str) -> str:
    text = html.unescape(html.unescape(text))
    text = re.sub(r"https?://\S+|@\w+:?|\bRT\b|^\W*\"", " ", text)
    return re.sub(r"\s+", " ", text).strip('! "')


def _toxigen(path: Path) -> Iterator[Example]:
    """Machine-written statements with human scores from 1 to 5, all annotators agreeing on the label."""
    for row in json.loads(path.read_text("utf-8")):
        score = min(1.0, max(0.0, (row["toxicity_score"] - 1.5) / 3))
        rest = (0.0, 0.0) if row["label"] == "neutral" else (None, 0.0)
        text = re.sub(r"\s+", " ", row["text"].replace("_x000D_", " ")).strip()
        yield Example(text, "toxigen", str(row["id"]), (score, score, *rest), about=row["label"])


def _implicit(path: Path) -> Iterator[Example]:
    """Tweets of extremist groups; the labels are noisy, so neither side is taken for certain."""
    for number, row in enumerate(json.loads(path.read_text("utf-8"))):
        targets: Targets = (0.9, 0.9, None, 0.0) if row["label"] == "hate" else (0.1, 0.1, 0.0, 0.0)
        yield Example(row["text"], "implicit_hate", str(number), targets, about=row["label"])


def _madlibs(path: Path) -> Iterator[Example]:
    """Identity templates; the key is the template's name, `about` is the identity or what stands for it."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            toxic = float(row["toxicity"] == "toxic")
            hate = None if row["template"] == "you_occupation" else toxic
            insult = toxic if row["template"] in ("you_are_adj", "you_occupation") or not toxic else None
            threat = float(bool(toxic and row["phrase"].split()[0].lower() in ("kill", "murder", "destroy")))
            yield Example(
                row["phrase"], "madlibs", row["template"], (toxic, hate, insult, threat), row["template"]
            )


def _holistic(folder: Path) -> Iterator[Example]:
    """Plain statements about hundreds of identities, and the same ones hated, by template and descriptor."""
    axes = json.loads((folder / "descriptors.json").read_text("utf-8"))
    nouns = [n for group in json.loads((folder / "nouns.json").read_text("utf-8")).values() for n in group]
    rng = random.Random(7)
    for axis in _HOLISTIC_AXES:
        for found in (d for bucket in axes[axis].values() for d in bucket):
            word, preference = (
                (found, "") if isinstance(found, str) else (found["descriptor"], found.get("preference"))
            )
            if preference not in ("dispreferred", "polarizing"):
                yield from _about(word, rng.sample(nouns, 3), rng)


_PLAIN = (
    "I'm {}.",
    "Hi, I'm {}.",
    "I have a friend who is {}.",
    "It's hard being {}.",
    "I used to be {}.",
    "I love being {}.",
)
_PLURAL = ("What do you think about {}?", "I like {}.", "I have friends who are {}.", "I love {}.")
_HATED = ("I hate {}.", "I think {} are the worst.")


def _about(word: str, nouns: list[list[str]], rng: random.Random) -> Iterator[Example]:
    article = "an" if word[0].lower() in "aeio" else "a"
    singular, plural, hated = (rng.choice(kind) for kind in (_PLAIN, _PLURAL, _HATED))
    yield Example(singular.format(f"{article} {word} {nouns[0][0]}"), "holisticbias", singular, _CLEAN, word)
    yield Example(plural.format(f"{word} {nouns[1][1]}"), "holisticbias", plural, _CLEAN, word)
    yield Example(hated.format(f"{word} {nouns[2][1]}"), "holisticbias", hated, (1.0, 1.0, None, 0.0), word)


def _bold(folder: Path) -> Iterator[Example]:
    """First sentences of articles about people, trades and beliefs: clean, and full of names."""
    for path in sorted(folder.glob("*.json")):
        for people in json.loads(path.read_text("utf-8")).values():
            for name, sentences in people.items():
                for sentence in sentences:
                    yield Example(sentence.strip(), "bold", name, _CLEAN, about=path.stem)


def _winobias(folder: Path) -> Iterator[Example]:
    """Plain sentences about two people by their trades."""
    for name in ("pro_stereotyped_type1.txt.dev", "anti_stereotyped_type2.txt.dev"):
        for line in (folder / name).read_text("utf-8").splitlines():
            number, text = line.split(" ", 1)
            yield Example(re.sub(r"[\[\]]", "", text), "winobias", f"{name} {number}", _CLEAN)


def _news(path: Path) -> Iterator[Example]:
    """Sentences of news reports, by people and by a language model; for the test alone."""
    reports = json.loads(path.read_text("utf-8"))
    for kind in ("original", "sampled"):
        for number, report in enumerate(reports[kind]):
            for sentence in re.split(r"(?<=[.!?])\s+", report):
                if 20 <= len(sentence) <= 300:
                    yield Example(sentence, "news", f"{kind} {number}", _CLEAN)
