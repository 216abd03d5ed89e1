"""What screening and deciding cost, and that the cost grows with the text and no faster.

    python -m bench.screening

Processor time of the block list (200 terms, disguises folded away) beside Python's own `re` with the same
terms as they are written, of the default policy and of one with 200 rules, and of `guard --help` beside
`pip --help`.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.table import Table

from detectors.base import Context
from detectors.blocklist import Blocklist, Group
from guard.media import Artifact, Modality
from policies.base import Facts
from policies.policy import Policy, default, loads

OUTPUT = Context("output")
SIZES = (1, 10, 100, 1_000)


def words(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("etaoinshrdlucmfw", k=draw.randint(4, 10))) for _ in range(count)]


def cost(action: Callable[[], object], runs: int = 5) -> float:
    """Least processor time of a call, in milliseconds."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return 1000 * best


def screening() -> Table:
    table = Table("text", "Guard ms", "ms per kB", "re ms", "ratio", title="Block list, 200 terms")
    terms = tuple(words(3, 200))
    blocklist = Blocklist([Group(id="g", terms=terms)])
    pattern = re.compile(rf"\b(?:{'|'.join(terms)})\b", re.IGNORECASE)
    for kilobytes in SIZES:
        text = " ".join(words(1, 140 * kilobytes))[: 1000 * kilobytes]
        artifact = Artifact.from_text(text)
        ours = cost(partial(blocklist.inspect, artifact, OUTPUT))
        theirs = cost(partial(pattern.findall, text))
        cells = (f"{ours:.3f}", f"{ours / kilobytes:.4f}", f"{theirs:.3f}", f"{ours / theirs:.2f}")
        table.add_row(f"{kilobytes} kB", *cells)
    return table


def many_rules(count: int) -> Policy:
    rules = "".join(
        f'  - {{id: r{n}, when: \'"s" in scores && scores["s"] > 0.9\', action: block, reason: r}}\n'
        for n in range(count)
    )
    return loads(f"name: many\nversion: 1\nrules:\n{rules}")


def deciding() -> Table:
    table = Table("policy", "ms per decision", title="Deciding")
    facts = Facts("output", Modality.TEXT, scores={"blocklist": 0.0, "s": 0.1})
    for name, policy in (("default", default()), ("200 rules", many_rules(200))):
        table.add_row(name, f"{cost(partial(policy.decide, facts), 50):.3f}")
    return table


def starting() -> Table:
    table = Table("command", "s of processor time", title="Starting")
    for name in ("guard", "pip"):
        table.add_row(f"{name} --help", f"{min(_process(name) for _ in range(5)):.2f}")
    return table


def _process(module: str) -> float:
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, "-m", module, "--help"]
    child = os.posix_spawn(sys.executable, command, os.environ, file_actions=silent)
    _, _, used = os.wait4(child, 0)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for part in (screening, deciding, starting):
        Console(width=90).print(part())
