"""What Guard adds to a chat that goes through it, beside LiteLLM's proxy, on the same upstream and load.

    python -m bench.proxy [--litellm PYTHON] [--asked N] [--streams N] [--requests N]

`PYTHON` is that of an environment with `litellm[proxy]`. Upstream and proxies run in processes of their own.
Guard is `guard serve` as it comes: it asks for a key, screens prompt and answer, and has each release on disk
before the answer leaves; LiteLLM is a bare proxy that checks a key. All are asked in turn, so that whatever
else the machine does meets all alike. Processor time and memory are the system's own count for the process.
The ledger lies in the folder for temporary files: TMPDIR=/dev/shm shows what is left without a disk.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.proxy_load import Caller, Chat
from bench.proxy_sites import Site, guard, litellm, synced_write, upstream

_WHOLE = Chat(words=120, wait=10)
_STREAM = Chat(words=60, wait=20, stream=True)
_SLOW = Chat(words=30, wait=1000, stream=True)
_CROWDS = (1, 16, 64)
_ROUNDS = 3
_WARM_UP = 50
_READINGS = 5


class Row(NamedTuple):
    """One figure for each site, the upstream asked directly being the first; None where it has none."""

    name: str
    values: Sequence[float | None]
    goal: str = ""


def main() -> None:
    options = _options()
    with ExitStack() as running:
        sites = [running.enter_context(upstream())]
        sites.append(running.enter_context(guard(sites[0])))
        if options.litellm:
            sites.append(running.enter_context(litellm(options.litellm, sites[0])))
        asyncio.run(_measure(sites, options))


async def _measure(sites: Sequence[Site], options: argparse.Namespace) -> None:
    for site in sites:
        await _crowd(site, 4, _WARM_UP)
    _show("Whole answers, one at a time", sites, await _answers(sites, options.asked))
    _show("Streamed answers, one at a time", sites, await _words(sites, options.asked // 10))
    _show("Whole answers, many at once", sites, await _crowds(sites, options.asked))
    _show("Memory, MB", sites, await _memory(sites, options.streams, options.requests))


async def _answers(sites: Sequence[Site], asked: int) -> list[Row]:
    took: list[list[float]] = [[] for _ in sites]
    before = [site.seconds for site in sites]
    async with _callers(sites) as callers:
        for number in track(range(asked), "one at a time"):
            for place in _turned(sites, number):
                took[place].append(await callers[place].whole(_WHOLE))
    used = [site.seconds - start for site, start in zip(sites, before, strict=True)]
    return [
        *_times("answer, ms", took),
        Row("added p50, ms", _added(took, median), "≤ 3, ≤ ½ LiteLLM's"),
        Row("added p99, ms", _added(took, _p99)),
        Row("of that one synced write, ms", [None, 1000 * synced_write()]),
        Row("processor time a request, ms", [None, *(1000 * seconds / asked for seconds in used[1:])]),
    ]


async def _words(sites: Sequence[Site], asked: int) -> list[Row]:
    came: list[list[list[float]]] = [[] for _ in sites]
    before = [site.seconds for site in sites]
    async with _callers(sites) as callers:
        for number in track(range(asked), "streams"):
            for place in _turned(sites, number):
                came[place].append(await callers[place].streamed(_STREAM))
    used = [site.seconds - start for site, start in zip(sites, before, strict=True)]
    first = [[words[0] for words in answers] for answers in came]
    each = [
        [word - at * _STREAM.wait / 1000 for a in answers for at, word in enumerate(a)] for answers in came
    ]
    late = _added(each, median)
    words = asked * _STREAM.words
    return [
        *_times("first word, ms", first),
        Row("added to the first word, p50, ms", _added(first, median)),
        Row("added to any word, p50, ms", late),
        Row("the same in words", [value and value / _STREAM.wait for value in late], "≤ the window, 64"),
        Row("processor time a word, µs", [None, *(1e6 * seconds / words for seconds in used[1:])]),
    ]


async def _crowds(sites: Sequence[Site], asked: int) -> list[Row]:
    rows: list[Row] = []
    for callers in _CROWDS:
        rates: list[list[float]] = [[] for _ in sites]
        took: list[list[float]] = [[] for _ in sites]
        before = [site.seconds for site in sites]
        for number in track(range(_ROUNDS), f"{callers} at once"):
            for place in _turned(sites, number):
                start = perf_counter()
                took[place] += await _crowd(sites[place], callers, asked)
                rates[place].append(asked / (perf_counter() - start))
        used = [site.seconds - start for site, start in zip(sites, before, strict=True)]
        each = 1000 / (asked * _ROUNDS)
        rows += [
            Row(f"{callers} at once: requests/s", [median(rate) for rate in rates], "≥ 2 × LiteLLM's"),
            *_times(f"{callers} at once: answer, ms", took),
            Row(
                f"{callers} at once: processor ms a request",
                [None, *(each * seconds for seconds in used[1:])],
            ),
        ]
    return rows


async def _memory(sites: Sequence[Site], streams: int, requests: int) -> list[Row]:
    rows = [Row("after all of the above", [None, *(site.megabytes for site in sites[1:])])]
    peaks = [await _streaming(site, streams) for site in track(sites[1:], f"{streams} streams")]
    rows.append(Row(f"with {streams} streams open", [None, *peaks]))
    for number in range(_READINGS if requests else 0):
        for site in track(sites[1:], f"{requests:,} requests"):
            await _crowd(site, 16, requests // _READINGS)
        done = (number + 1) * requests // _READINGS
        rows.append(
            Row(f"after {done:,} requests more", [None, *(site.megabytes for site in sites[1:])], "flat")
        )
    return rows


async def _streaming(site: Site, streams: int) -> float:
    """The most memory that the site has while so many answers are under way at once."""
    async with _callers([site] * streams) as callers:
        answers = asyncio.gather(*(caller.streamed(_SLOW) for caller in callers))
        peak = 0.0
        while not answers.done():
            peak = max(peak, site.megabytes)
            await asyncio.wait([answers], timeout=1.0)
        await answers
    return peak


async def _crowd(site: Site, callers: int, asked: int) -> list[float]:
    """Seconds that each of so many requests took, asked by `callers` at once."""
    left = iter(range(asked))

    async def ask(caller: Caller) -> list[float]:
        return [await caller.whole(_WHOLE) for _ in left]

    async with _callers([site] * callers) as calling:
        return [seconds for each in await asyncio.gather(*map(ask, calling)) for seconds in each]


@asynccontextmanager
async def _callers(sites: Sequence[Site]) -> AsyncIterator[list[Caller]]:
    async with AsyncExitStack() as open_ones:
        callers = [await Caller.call(site.target) for site in sites]
        for caller in callers:
            open_ones.push_async_callback(caller.close)
        yield callers


def _turned(sites: Sequence[Site], number: int) -> list[int]:
    """The places of all sites, another one first each time."""
    return [(number + place) % len(sites) for place in range(len(sites))]


def _times(name: str, took: Sequence[Sequence[float]]) -> list[Row]:
    return [
        Row(f"{name}, {at}", [1000 * of(seconds) for seconds in took])
        for at, of in (("p50", median), ("p99", _p99))
    ]


def _added(took: Sequence[Sequence[float]], of: Callable[[Sequence[float]], float]) -> list[float | None]:
    """Milliseconds on top of what the upstream takes when asked directly."""
    return [None, *(1000 * (of(seconds) - of(took[0])) for seconds in took[1:])]


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100, method="inclusive")[98]


def _show(title: str, sites: Sequence[Site], rows: Sequence[Row]) -> None:
    """One table, with the ratio of Guard to its peer where there is one."""
    names = [site.target.name for site in sites]
    table = Table("", *names, "Guard : LiteLLM", "goal", title=title)
    for row in rows:
        cells = ["" if value is None else f"{value:,.2f}" for value in row.values]
        ours, *theirs = row.values[1:]
        ratio = f"{ours / theirs[0]:.2f}" if ours and theirs and theirs[0] else ""
        table.add_row(row.name, *cells, ratio, row.goal)
    Console(width=120).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--litellm", type=Path, metavar="PYTHON", help="the Python that has litellm[proxy]")
    parser.add_argument("--asked", type=int, default=300, help="requests of each measurement")
    parser.add_argument("--streams", type=int, default=200, help="streams open at once")
    parser.add_argument(
        "--requests", type=int, default=0, help="requests to watch the memory over: 10000 tells"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
