"""Releases a picture over and over, each time in a process of its own that kills itself at a given moment.

    python -m tests.integration.crash_child HOME PICTURE OUT_FOLDER RANDOM_KILLS

Prints one JSON line per attempt: where it was killed and whether the kill happened.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from guard.app import open_app
from guard.cli.files import write_file
from guard.media import Artifact
from guard.pipeline import Origin
from guard.settings import Settings

STEPS = ("decode", "screen", "decide", "oblige", "mark", "sign", "prove", "record")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def release(home: Path, picture: Path, out: Path, moment: str) -> None:
    """Release `picture` to `out`, to die at a moment: "before STEP", "after STEP", "mid write" or "never"."""

    @contextmanager
    def trace(step: str) -> Iterator[None]:
        if moment == f"before {step}":
            die()
        yield
        if moment == f"after {step}":
            die()

    if moment == "mid write":
        Path.replace = lambda *_: die()  # type: ignore[method-assign]
    with open_app(Settings(home=home)) as app:
        (released,) = app.guard(trace).release([Artifact.from_path(picture)], Origin("painter"))
        if moment == "before write":
            die()
        write_file(out, released.artifact.data)


def attempt(action: Callable[[], None], delay: float | None = None) -> bool:
    """Whether `action`, run in its own process, was killed: by itself, or by us after `delay` seconds."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except BaseException as error:
            print(f"failed: {error!r}", file=sys.stderr)
            os._exit(1)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise SystemExit("a release failed by itself")
    return os.WIFSIGNALED(status)


def main(home: Path, picture: Path, folder: Path, random_kills: int) -> None:
    cv2.setNumThreads(1)  # worker threads do not survive a fork
    with open_app(Settings(home=home)) as app:
        if not app.keys.folder.exists():
            app.keys.init_development()
    moments = [f"{phase} {step}" for step in STEPS for phase in ("before", "after")]
    for number, moment in enumerate([*moments, "before write", "mid write", "never"] * 2):
        out = folder / f"{number}.png"
        killed = attempt(lambda out=out, moment=moment: release(home, picture, out, moment))
        print(json.dumps({"moment": moment, "killed": killed, "out": str(out)}), flush=True)
    start = time.perf_counter()
    attempt(lambda: release(home, picture, folder / "timed.png", "never"))
    whole = time.perf_counter() - start
    rng = random.Random(0)
    for number in range(random_kills):
        out = folder / f"random-{number}.png"
        delay = rng.uniform(0, 1.2 * whole)
        killed = attempt(lambda out=out: release(home, picture, out, "never"), delay)
        print(json.dumps({"moment": f"{delay:.3f} s", "killed": killed, "out": str(out)}), flush=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), int(sys.argv[4]))  # type: ignore[call-arg]
