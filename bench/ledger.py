"""How many releases a second the ledger makes durable, and what its transparency log costs.

    python -m bench.ledger [--seconds N] [--folder DIR] [--leaves N] [--postgres URL]

First: threads that record one release after another (a mark, a manifest of 12 kB, a sketch of 9 kB), with one
commit each, with group commit, and with group commit and the log: a leaf for each, a signed checkpoint for
each commit, and a receipt with its proof in JSON for each. Then what a lone release costs, beside a bare
SQLite transaction that writes as many bytes; what a proof, and a check of the whole ledger, take in a log of
so many leaves; and the first on PostgreSQL. `--folder` says on which disk to measure; `--postgres` names a
database that may be filled.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from rich.console import Console
from rich.table import Table

from guard.ledger import Entry, Ledger, MarkEntry, Receipt, Status
from guard.ledger.audit import audit
from guard.ledger.group import GroupCommit
from guard.ledger.log.leaf import Leaf
from guard.ledger.log.note import NoteSigner, new_key
from guard.ledger.write import Draft, write

THREADS = (1, 8, 64)
MANIFEST, SKETCH = 12_000, 9_000
BATCH = 500
NO_LEAF = Leaf("", b""), b""

Record = Callable[[Entry], object]


def entries(draw: random.Random) -> Iterator[Entry]:
    """Releases as the release path records them: pictures."""
    # Drawn once: it is not the ledger's work, and SQLite compresses nothing.
    manifest, sketch = draw.randbytes(MANIFEST), draw.randbytes(SKETCH)
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
            manifest=manifest,
            sketch=sketch,
        )


SIGNER = NoteSigner(new_key("bench.example/log"))


def logged(ledger: Ledger) -> Record:
    """What Guard does; the receipt as its caller gets it."""
    return lambda entry: ledger.record([entry])[0].as_json()


def grouped(ledger: Ledger) -> Record:
    """The same without the log."""

    def together(entries: Sequence[Entry]) -> list[Receipt]:
        with ledger.writer.begin() as connection:
            return write(connection, [Draft(entry, *NO_LEAF) for entry in entries], first=0)

    commit = GroupCommit(together)
    return lambda entry: commit([entry])


def one_each(ledger: Ledger) -> Record:
    """Without the log, a transaction and a sync for each release."""
    turn = threading.Lock()

    def record(entry: Entry) -> None:
        with turn, ledger.writer.begin() as connection:
            write(connection, [Draft(entry, *NO_LEAF)], first=0)

    return record


def rate(record: Record, threads: int, seconds: float) -> float:
    """Releases a second."""
    done = [0] * threads
    end = perf_counter() + seconds

    def work(number: int) -> None:
        for entry in entries(random.Random()):
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


WAYS = {"one commit each": one_each, "group commit": grouped, "and the log": logged}


def throughput(fresh: Callable[[], Ledger], title: str, seconds: float) -> Table:
    """Each way in turn, twice, on an empty ledger each: the better of both, since other work disturbs."""
    table = Table("threads", *(f"{name} /s" for name in WAYS), "with the log / without", title=title)
    for threads in THREADS:
        rates = dict.fromkeys(WAYS, 0.0)
        for name in [*WAYS, *reversed(WAYS)]:
            ledger = fresh()
            rates[name] = max(rates[name], rate(WAYS[name](ledger), threads, seconds))
            ledger.close()
        ratio = rates["and the log"] / rates["group commit"]
        table.add_row(str(threads), *(f"{value:,.0f}" for value in rates.values()), f"{ratio:.2f}")
    return table


def latency(folder: Path) -> Table:
    table = Table("", "p50 ms", "p99 ms", title="A lone release")
    ledger = Ledger.open(f"sqlite:///{folder / 'lone.db'}", lambda: SIGNER)
    other = Ledger.open(f"sqlite:///{folder / 'other.db'}")
    made = entries(random.Random(0))
    without = grouped(other)
    ways: dict[str, Callable[[], object]] = {
        "bare SQLite transaction": bare(folder),
        "recorded without the log": lambda: without(next(made)),
        "recorded": lambda: ledger.record([next(made)])[0].as_json(),
    }
    for name, way in ways.items():
        table.add_row(name, *(f"{value:.2f}" for value in lone(way)))
    ledger.close()
    other.close()
    return table


def proofs(folder: Path, leaves: int) -> Table:
    """In a log of so many leaves: proofs, appends, and the check of all of it."""
    table = Table("", "", title=f"A log of {leaves:,} leaves")
    ledger = Ledger.open(f"sqlite:///{folder / 'long.db'}", lambda: SIGNER)
    draw = random.Random(0)
    made = (replace(entry, manifest=None, sketch=None, marks=()) for entry in entries(draw))
    for start in range(0, leaves, BATCH):
        ledger.record(list(islice(made, min(BATCH, leaves - start))))
    log = ledger.log
    ways: dict[str, Callable[[], object]] = {
        "proof of inclusion": lambda: log.inclusion(draw.randrange(leaves)),
        "proof of consistency": lambda: log.consistency(draw.randrange(1, leaves), leaves),
        "one more release": lambda: ledger.record([next(made)]),
    }
    for name, way in ways.items():
        p50, p99 = lone(way, 200)
        table.add_row(name, f"p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    began = perf_counter()
    report = audit(ledger.engine, [SIGNER.verifier])
    seconds = perf_counter() - began
    table.add_row(
        "check of rows and log", f"{report.leaves / seconds:,.0f} leaves/s, {len(report.problems)} problems"
    )
    ledger.close()
    return table


def main(seconds: float, parent: Path | None, leaves: int, postgres: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder, numbers = Path(name), count()
        files = (f"sqlite:///{folder / f'{number}.db'}" for number in numbers)
        console = Console(width=100)
        console.print(
            throughput(lambda: Ledger.open(next(files), lambda: SIGNER), "Durable releases", seconds)
        )
        console.print(latency(folder))
        if leaves:
            console.print(proofs(folder, leaves))
        if postgres:
            fresh = partial(Ledger.open, postgres, lambda: SIGNER)
            console.print(throughput(fresh, "Durable releases in PostgreSQL", seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--leaves", type=int, default=100_000)
    parser.add_argument("--postgres")
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.folder, arguments.leaves, arguments.postgres)
