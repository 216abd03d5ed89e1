"""What the detector learns from: training rows of the data sets, and sentences grown from the templates."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.toxicity.sentences import Families, disguised, styled
from training.toxicity.sources import Example

__all__ = ["functional", "mixture", "second_mixture"]

_HERE = Path(__file__).parent
_SHARES = {"toxigen": 10_000, "implicit_hate": 4_000, "madlibs": 800, "holisticbias": 2_000, "bold": 1_500}
_OFFENSIVE = 3_500
_PER_PATTERN = 45
_SWAPPED = 2_000
_KEPT = 4_000
_DISGUISED, _IN_CONTEXT = 0.09, 0.12
_IDENTITY = re.compile(
    r"\b(women|muslims|jews|jewish people|blacks|black people|asians|chinese people|chinese|mexicans|latinos"
    r"|immigrants|native americans|natives|gays|gay people|lesbians|transgender people|disabled people"
    r"|the mentally ill|people with disabilities|arabs|middle easterners)\b",
    re.IGNORECASE,
)


def mixture(train: Mapping[str, Sequence[Example]], seed: int) -> list[Example]:
    """The examples of one training run, shuffled."""
    rng = random.Random(seed)
    families = Families.load(_HERE / "templates.yaml")
    chosen = _tweets(train["davidson"], rng)
    for source, most in _SHARES.items():
        found = list(train[source])
        chosen += rng.sample(found, min(most, len(found)))
    chosen += _counterfactuals(train["toxigen"], families.words["group"], rng)
    chosen += _grown(families, rng)
    rng.shuffle(chosen)
    return [_varied(example, train["bold"], rng) for example in chosen]


def second_mixture(train: Mapping[str, Sequence[Example]], seed: int) -> list[Example]:
    """The examples of the second stage: some of a first one, and families that the first was unsure of."""
    rng = random.Random(seed)
    known = rng.sample(mixture(train, seed), _KEPT)
    families = Families.load(_HERE / "second.yaml", Families.load(_HERE / "templates.yaml"))
    fresh = [_varied(example, train["bold"], rng) for example in _grown(families, rng)]
    return rng.sample([*known, *fresh], len(known) + len(fresh))


def functional(seed: int, each: int) -> list[Example]:
    """The functional test to steer by: `each` sentences of each of its families, whose name is the key."""
    rng = random.Random(seed)
    families = Families.load(_HERE / "functional.yaml")
    found = []
    for family in families.families:
        hateful, abusive = float(family.get("hateful", False)), float(family.get("abusive", False))
        insult = abusive if not family.get("threat") and not hateful else None
        threat = float(family["name"] in ("threat", "threat at one"))
        targets = (max(hateful, abusive), hateful, insult, threat)
        texts = {families.sentence(family, rng) for _ in range(each * 3)}
        found += [
            Example(t, "functional", family["name"], targets)
            for t in sorted(texts)[:: max(1, len(texts) // each)]
        ]
    return found


def _tweets(tweets: Sequence[Example], rng: random.Random) -> list[Example]:
    offensive = [tweet for tweet in tweets if tweet.about == "1"]
    return [tweet for tweet in tweets if tweet.about != "1"] + rng.sample(offensive, _OFFENSIVE)


def _counterfactuals(found: Sequence[Example], groups: Sequence[str], rng: random.Random) -> list[Example]:
    """Statements about one group said of another, hateful and harmless ones alike."""
    spoken = [example for example in found if _IDENTITY.search(example.text)]
    swapped = []
    for example in rng.sample(spoken, min(_SWAPPED, len(spoken))):
        group = rng.choice(groups)
        text = _IDENTITY.sub(lambda _, group=group: group.lower(), example.text)  # type: ignore[misc]
        swapped.append(replace(example, text=text))
    return swapped


def _grown(families: Families, rng: random.Random) -> Iterable[Example]:
    for family in families.families:
        count = min(900, _PER_PATTERN * len(family["patterns"]))
        fixed = not any("{" in pattern for pattern in family["patterns"])
        for _ in range(count // 3 if fixed else count):
            text = styled(families.sentence(family, rng), rng)
            yield Example(text, "templates", family["name"], tuple(family["labels"]))


def _varied(example: Example, clean: Sequence[Example], rng: random.Random) -> Example:
    """Some texts misspelt, some among clean sentences, so that neither says anything of the label."""
    text = example.text
    if rng.random() < _DISGUISED:
        text = disguised(text, rng)
    if rng.random() < _IN_CONTEXT:
        other = rng.choice(clean).text
        text = f"{other} {text}" if rng.random() < 0.5 else f"{text} {other}"
    return replace(example, text=text)
