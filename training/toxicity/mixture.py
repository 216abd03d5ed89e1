"""What the detector learns from: training rows of the data sets, and sentences grown from the families."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.toxicity.controls import marked
from training.toxicity.sentences import Families, disguised, spoken, styled
from training.toxicity.sources import Example

__all__ = ["FAMILIES", "FINISHING", "LEARNT", "finishing", "mixture", "settling"]

FAMILIES = Path(__file__).parent / "families"
LEARNT = tuple(FAMILIES / name for name in ("templates.yaml", "second.yaml", "composed.yaml", "chatter.yaml"))
FINISHING = FAMILIES / "finishing.yaml"
_SHARES = {"toxigen": 10_000, "implicit_hate": 6_000, "madlibs": 800, "holisticbias": 2_000, "bold": 1_200}
_SHARES |= {"winobias": 700}
_OFFENSIVE = 3_500
_PER_PATTERN = 40
_SWAPPED = {"toxigen": 2_000, "implicit_hate": 1_500, "davidson": 700}
_KEPT = 4_000
_SETTLED = {
    "toxigen": 6_500,
    "davidson": 4_500,
    "implicit_hate": 3_000,
    "madlibs": 500,
    "bold": 300,
    "templates": 4_000,
}
_DISGUISED, _SPOKEN, _IN_CONTEXT = 0.1, 0.05, 0.1
_GROUPS = re.compile(
    r"\b(women|muslims|jews|jewish people|blacks|black people|white people|whites|asians|chinese people"
    r"|mexicans|latinos|immigrants|refugees|native americans|natives|gays|gay people|lesbians"
    r"|transgender people|disabled people|the mentally ill|people with disabilities"
    r"|arabs|middle easterners|christians|indians)\b",
    re.IGNORECASE,
)
_ADJECTIVES = re.compile(
    r"\b(muslim|jewish|black|white|asian|chinese|mexican|gay|female|arab|christian|immigrant)\b", re.I
)


def mixture(train: Mapping[str, Sequence[Example]], seed: int, without: str = "") -> list[Example]:
    """The examples of one epoch, shuffled; `without` leaves out grown families whose name matches it."""
    rng = random.Random(seed)
    families = Families.load(*LEARNT)
    chosen = _tweets(train["davidson"], rng)
    for source, most in _SHARES.items():
        found = list(train[source])
        chosen += rng.sample(found, min(most, len(found)))
    for source, most in _SWAPPED.items():
        chosen += _counterfactuals(train[source], most, families, rng)
    chosen += _grown(families, without, rng)
    rng.shuffle(chosen)
    calm = [families.sentence(family, rng) for family in _named(families, "everyday talk") * 300]
    calm += [example.text for example in rng.sample(list(train["bold"]), 40)]
    return [_varied(example, calm, rng) for example in chosen]


def finishing(train: Mapping[str, Sequence[Example]], seed: int) -> list[Example]:
    """The examples of the second stage: some of a first one, and families that the first was unsure of."""
    rng = random.Random(seed)
    known = rng.sample(mixture(train, seed), _KEPT)
    families = Families(Families.load(*LEARNT, FINISHING).words, Families.load(FINISHING).families)
    fresh = [_varied(example, [], rng) for example in _grown(families, "", rng)]
    return rng.sample([*known, *fresh], len(known) + len(fresh))


def settling(train: Mapping[str, Sequence[Example]], seed: int) -> list[Example]:
    """The examples of the third stage: what people wrote once more, some grown sentences, and all names."""
    rng = random.Random(seed)
    drawn = mixture(train, seed)
    chosen = [example for example in drawn if example.key.startswith("names")]
    for source, most in _SETTLED.items():
        found = [example for example in drawn if example.source == source]
        chosen += rng.sample(found, min(most, len(found)))
    return rng.sample(chosen, len(chosen))


def _named(families: Families, name: str) -> list[Mapping[str, object]]:
    return [family for family in families.families if family["name"] == name]


def _tweets(tweets: Sequence[Example], rng: random.Random) -> list[Example]:
    """All hateful and all neutral tweets and some offensive ones, in which casual spelling is as frequent as
    it is in neutral ones: the data set has it three times as often, which would teach that it offends."""
    neutral = [tweet for tweet in tweets if tweet.about == "2"]
    casual = [tweet for tweet in neutral if marked(tweet.text)]
    offensive = [tweet for tweet in tweets if tweet.about == "1"]
    share = round(_OFFENSIVE * len(casual) / len(neutral))
    return [
        *(tweet for tweet in tweets if tweet.about == "0"),
        *neutral,
        *casual,
        *rng.sample([tweet for tweet in offensive if marked(tweet.text)], share),
        *rng.sample([tweet for tweet in offensive if not marked(tweet.text)], _OFFENSIVE - share),
    ]


def _counterfactuals(
    found: Sequence[Example], most: int, families: Families, rng: random.Random
) -> list[Example]:
    """Statements about one group, hateful and harmless ones alike, each with its twin about another."""
    spoken_of = [e for e in found if _GROUPS.search(e.text) or _ADJECTIVES.search(e.text)]
    return [
        replace(example, twin=_about_others(example.text, families, rng))
        for example in rng.sample(spoken_of, min(most, len(spoken_of)))
    ]


def _about_others(text: str, families: Families, rng: random.Random) -> str:
    group, adjective = (rng.choice(families.words[slot]).lower() for slot in ("group", "adjective"))
    return _ADJECTIVES.sub(adjective, _GROUPS.sub(group, text))


def _grown(families: Families, without: str, rng: random.Random) -> Iterator[Example]:
    for family in families.families:
        if without and re.search(without, family["name"]):
            continue
        count = family.get("count", min(800, _PER_PATTERN * len(family["patterns"])))
        fixed = not any(sign in pattern for pattern in family["patterns"] for sign in "{[")
        for _ in range(count // 3 if fixed else count):
            text = styled(families.sentence(family, rng), rng)
            yield Example(text, "templates", family["name"], tuple(family["labels"]))


def _varied(example: Example, calm: Sequence[str], rng: random.Random) -> Example:
    """Some texts misspelt or in casual spelling, some among calm sentences, so that none of these says
    anything of the label."""
    chance = rng.random()
    text, twin = example.text, example.twin
    if chance < _SPOKEN:
        text, twin = spoken(text), spoken(twin)
    elif chance < _SPOKEN + _DISGUISED:
        text = disguised(text, rng)
    if calm and not twin and rng.random() < _IN_CONTEXT:
        other = rng.choice(calm)
        text = f"{other} {text}" if rng.random() < 0.5 else f"{text} {other}"
    return replace(example, text=text, twin=twin)
