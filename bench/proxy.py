"""What Guard adds to a chat that goes through it, beside LiteLLM's proxy, on the same upstream and load.

    python -m bench.proxy [--litellm PYTHON] [--asked N] [--requests N] [--streams N]

`PYTHON` is that of an environment with `litellm[proxy]`. Upstream and proxies run in processes of their own.
Guard is `guard serve` as it comes: it asks for a key, screens prompt and answer, and writes each release to
disk before the answer leaves; LiteLLM is a bare proxy that checks a key. Requests go to all in turn, so that
whatever else the machine does meets all alike. Processor time is the process's own, as the system counts it.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from bench.proxy_load import Caller, Chat
from bench.proxy_sites import Site, guard, litellm, upstream

_WHOLE = Chat(words=120, wait=10)
_STREAM = Chat(words=60, wait=20, stream=True)
_SLOW = Chat(words=40, wait=400, stream=True)
_AT_ONCE = (1, 16, 64)
_ROUNDS = 3
_WARM_UP = 30
_READINGS = 5


class Rate(NamedTuple):
    """One crowd of callers: requests a second, seconds each took, processor time of each in the proxy."""

    per_second: float
    took: list[float]
    used: float


def main() -> None:
    options = _options()
    with ExitStack() as running:
        sites = [running.enter_context(upstream())]
        sites.append(running.enter_context(guard(sites[0])))
        if options.litellm:
            sites.append(running.enter_context(litellm(options.litellm, sites[0])))
        asyncio.run(_measure(sites, options))


async def _measure(sites: Sequence[Site], options: argparse.Namespace) -> None:
    console = Console(width=100)
    for site in sites:
        await _crowd(site, _WHOLE, 4, _WARM_UP)
    console.print(await _latency(sites, options.asked))
    console.print(await _first_words(sites, options.asked // 10))
    console.print(await _rates(sites, options.asked))
    console.print(await _many_streams(sites, options.streams))
    if options.requests:
        console.print(await _endurance(sites[1:], options.requests))


async def _latency(sites: Sequence[Site], asked: int) -> Table:
    took: dict[str, list[float]] = {site.target.name: [] for site in sites}
    with _called(sites) as calling:
        callers = await calling
        before = [site.seconds for site in sites]
        for number in track(range(asked), "one at a time"):
            for place in range(len(sites)):
                caller, site = callers[(number + place) % len(sites)], sites[(number + place) % len(sites)]
                took[site.target.name].append(await caller.whole(_WHOLE))
        used = [site.seconds - start for site, start in zip(sites, before, strict=True)]
    ...
