"""The functional tests: what a stranger would try out, by family.

`steering` is the one to calibrate on and to steer by. `held_out` (grown, too, from words and carriers of its
own), `written` (sentence by sentence) and `tweets` (labels read off tweets of the test) are frozen: their
sha256 are in the split manifest, made before training.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import yaml

from training.toxicity.mixture import FAMILIES
from training.toxicity.sentences import Families
from training.toxicity.sources import Example, Targets

__all__ = ["FROZEN", "grown", "tweets", "written"]

FROZEN = ("held_out.yaml", "tweets.yaml", "written.yaml")


def grown(name: str, seed: int, each: int) -> list[Example]:
    """`each` sentences of each family of families/NAME.yaml, whose name is the key."""
    rng = random.Random(seed)
    families = Families.load(FAMILIES / f"{name}.yaml")
    found = []
    for family in families.families:
        texts = sorted({families.sentence(family, rng) for _ in range(each * 3)})
        found += [
            Example(t, name, family["name"], _targets(family)) for t in texts[:: max(1, len(texts) // each)]
        ]
    return found


def written() -> list[Example]:
    """Every sentence of families/written.yaml."""
    families = yaml.safe_load((FAMILIES / "written.yaml").read_text("utf-8"))["families"]
    return [Example(t, "written", f["name"], _targets(f)) for f in families for t in f["sentences"]]


def tweets(test: Sequence[Example]) -> list[Example]:
    """The tweets of the test that one reader labelled as insults and threats, in families/tweets.yaml."""
    found = yaml.safe_load((FAMILIES / "tweets.yaml").read_text("utf-8"))
    insults, threats = set(map(str, found["insults"])), set(map(str, found["threats"]))
    read = set(map(str, found["read"]))
    return [
        replace(e, targets=(*e.targets[:2], float(e.key in insults), float(e.key in threats)))
        for e in test
        if e.key in read
    ]


def _targets(family: Mapping[str, bool | None]) -> Targets:
    """Insults are told from harmless texts alone: of hate, nobody said whether it insults a person."""
    toxic, hateful = family["toxic"], bool(family["hateful"])
    insult = None if toxic is None or (toxic and not family.get("insult")) else float(toxic)
    return None if toxic is None else float(toxic), float(hateful), insult, float(bool(family.get("threat")))
