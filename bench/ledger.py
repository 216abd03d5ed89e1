"""How many releases a second the ledger makes durable, and how long a lone one takes.

    python -m bench.ledger [--seconds N] [--folder DIR]

Each row: threads that record one release after another (a mark, a manifest of 12 kB, a sketch of 9 kB, or a
text of 200 words with its fingerprint), with group commit and with one commit each. `--folder` says on which
disk to measure. Below: what a lone release costs, beside a bare SQLite transaction that writes as many bytes.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from rich.console import Console
from rich.table import Table

from guard.ledger import Entry, Ledger, MarkEntry, Status
from guard.ledger.write import write

THREADS = (1, 8, 64)
MANIFEST, SKETCH = 12_000, 9_000

Record = Callable[[Entry], object]


def entries(draw: random.Random) -> Iterator[Entry]:
    """Releases as the release path records them: pictures."""
    for _ in count():
        payload = f"{draw.getrandbits(64):016x}"
        yield Entry(
            id=payload,
            status=Status.RELEASED,
            modality="image",
            mime="image/png",
            sha256=f"{draw.getrandbits(256):064x}",
            size=1_000_000,
            model="painter",
            model_version="1",
            policy="default",
            policy_sha256="0" * 64,
            action="allow",
            decision={"action": "allow", "rule": None, "fired": [], "labels": []},
            findings=[{"detector": "blocklist", "version": "1", "signal": "blocklist", "score": 0.0}],
            marks=(MarkEntry("tile", "guard.tile.1", payload, int(payload[:8], 16)),),
            manifest=draw.randbytes(MANIFEST),
            sketch=draw.randbytes(SKETCH),
        )


def grouped(ledger: Ledger) -> Record:
    return lambda entry: ledger.record([entry])


def one_each(ledger: Ledger) -> Record:
    """The same statements, a transaction and a sync for each release."""
    engine, turn = ledger.engine.execution_options(immediate=True), threading.Lock()

    def record(entry: Entry) -> None:
        with turn, engine.begin() as connection:
            write(connection, [entry])

    return record


def rate(record: Record, threads: int, seconds: float) -> float:
    """Releases a second."""
    done = [0] * threads
    end = perf_counter() + seconds

    def work(number: int) -> None:
        for entry in entries(random.Random(number)):
            if perf_counter() > end:
                return
            record(entry)
            done[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    start = perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / (perf_counter() - start)


def lone(record: Callable[[], object], runs: int = 500) -> tuple[float, float]:
    """Median and 99th percentile of a call, in milliseconds."""
    times = []
    for _ in range(runs):
        start = perf_counter()
        record()
        times.append(1000 * (perf_counter() - start))
    return quantiles(times)[1], quantiles(times, n=100)[98]


def bare(folder: Path) -> Callable[[], object]:
    """One durable SQLite transaction of as many bytes, with nothing around it."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, blob BLOB)")
    blob = bytes(MANIFEST + SKETCH + 500)

    def write_one() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO kept (blob) VALUES (?)", (blob,))
        connection.execute("COMMIT")

    return write_one


def throughput(folder: Path, seconds: float) -> Table:
    table = Table("threads", "one commit each /s", "group commit /s", "ratio", title="Durable releases")
    for threads in THREADS:
        rates = []
        for name, way in (("each", one_each), ("group", grouped)):
            ledger = Ledger.open(f"sqlite:///{folder / f'{name}{threads}.db'}")
            rates.append(rate(way(ledger), threads, seconds))
            ledger.close()
        table.add_row(str(threads), *(f"{value:,.0f}" for value in rates), f"{rates[1] / rates[0]:.1f}")
    return table


def latency(folder: Path) -> Table:
    table = Table("", "p50 ms", "p99 ms", title="A lone release")
    ledger = Ledger.open(f"sqlite:///{folder / 'lone.db'}")
    made = entries(random.Random(0))
    draft = next(made)
    ways: dict[str, Callable[[], object]] = {
        "bare SQLite transaction": bare(folder),
        "record": lambda: ledger.record([next(made)]),
        "record, nothing but the row": lambda: ledger.record(
            [replace(draft, id=next(made).id, marks=(), manifest=None, sketch=None)]
        ),
    }
    for name, way in ways.items():
        table.add_row(name, *(f"{value:.2f}" for value in lone(partial(way))))
    ledger.close()
    return table


def main(seconds: float, parent: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for part in (throughput(Path(folder), seconds), latency(Path(folder))):
            Console(width=90).print(part)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.folder)
