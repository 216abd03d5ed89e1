"""Streams a text over and over, each time in a process of its own that kills itself at a given moment.

    python -m tests.integration.crash_stream_child HOME OUT_FOLDER RANDOM_KILLS

What leaves is appended to a file named after the release. Prints one JSON line per attempt.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guard.app import open_app
from guard.pipeline import Origin
from guard.settings import Settings
from tests.integration.crash_child import attempt, die

PIECES = ["The ", "harbour ", "is ", "quiet ", "to", "day", "."]
STEPS = {"screen": (1, 8), "decide": (1,), "record": (1, 2)}


def stream(home: Path, folder: Path, moment: str) -> None:
    """Stream to a file in `folder`, to die at a moment: "before record 2", "cut", "never"."""
    count: Counter[str] = Counter()

    @contextmanager
    def trace(step: str) -> Iterator[None]:
        count[step] += 1
        if moment == f"before {step} {count[step]}":
            die()
        yield
        if moment == f"after {step} {count[step]}":
            die()

    with open_app(Settings(home=home)) as app:
        answer = app.guard(trace).stream(Origin("writer", route="chat"))
        text, sent = answer.text("t"), 0
        with (folder / text.id).open("a", encoding="utf-8") as out:
            for piece in PIECES:
                cleared = text.feed(piece)
                out.write(text.shown(sent, cleared))
                out.flush()
                sent = cleared
            if moment == "cut":
                answer.cut("the caller left")
                die()
            answer.finish()
            out.write(text.shown(sent, text.cleared))


def main(home: Path, folder: Path, random_kills: int) -> None:
    with open_app(Settings(home=home)) as app:
        app.keys.init_development()
    moments = [f"{when} {step} {n}" for step, ns in STEPS.items() for n in ns for when in ("before", "after")]
    for moment in [*moments, "cut", "never"]:
        killed = attempt(lambda moment=moment: stream(home, folder, moment))
        print(json.dumps({"moment": moment, "killed": killed}), flush=True)
    start = time.perf_counter()
    attempt(lambda: stream(home, folder, "never"))
    whole = time.perf_counter() - start
    rng = random.Random(0)
    for _ in range(random_kills):
        killed = attempt(lambda: stream(home, folder, "never"), rng.uniform(0, 1.2 * whole))
        print(json.dumps({"moment": "any", "killed": killed}), flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]), int(sys.argv[3]))  # type: ignore[call-arg]
