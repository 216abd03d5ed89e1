"""How long a look-up among fingerprints takes, and how that grows.

    python -m bench.fingerprint_index [--sizes 10000 100000 1000000 10000000] [--folder DIR] [--plot FILE]

For each size a ledger is filled with the fingerprints of so many pictures, 17 each, in buckets drawn from the
distribution of the test media's; then photographs that are not registered ask for what they may be copies of,
as `guard verify` does: all codes and all neighbouring buckets in one look-up. Beside it, in the same run,
faiss's exact search for the nearest of as many 256-bit codes, and its multi-hash. Times are of the processor,
one thread, with the table in the cache of the disk, so that a busy machine changes little; the clock's are
beside them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, thread_time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.fingerprint_codes import PER_PICTURE, Distribution, fill, gray, opened, photo_codes
from bench.image_sets import photographs
from guard.ledger.filing import nearest
from guard.ledger.fingerprint import KEY_BITS, Algorithm, Fingerprint, probes
from guard.ledger.picture_view import view

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
ROUNDS = 3
FLAT_QUERIES = 20
LARGEST_FLAT = 10_000_000


def asked() -> list[list[Fingerprint]]:
    """The questions of pictures that are in no way registered."""
    pictures = [
        pixels
        for pattern in ("photos_kodak/*.png", "photos_bsds/**/*.jpg")
        for _, pixels in photographs(pattern)
    ]
    return [view(gray(pixels)).questions(Algorithm.PICTURE, Algorithm.PART) for pixels in pictures]


def timed(ask: Callable[[Any], object], questions: list[Any]) -> tuple[float, float, float]:
    """The median and 95th percentile of the processor's milliseconds over `ROUNDS` rounds, and the clock's
    median."""
    busy, waited = [], []
    for _ in range(ROUNDS):
        for question in questions:
            start, begun = perf_counter(), thread_time()
            ask(question)
            busy.append(1000 * (thread_time() - begun))
            waited.append(1000 * (perf_counter() - start))
    return median(busy), quantiles(busy, n=20)[-1], median(waited)


def ours(
    size: int, distribution: Distribution, questions: list[list[Fingerprint]], folder: Path
) -> list[float]:
    """Seconds to fill, bytes a picture, p50, p95 and the clock's p50 in milliseconds, rows read a look-up."""
    path = folder / f"{size}.db"
    ledger = opened(path)
    start = perf_counter()
    rng = np.random.default_rng(size)
    keys = np.concatenate(
        [
            distribution.keys(min(1 << 20, size * PER_PICTURE - at), rng)
            for at in range(0, size * PER_PICTURE, 1 << 20)
        ]
    )
    kind = np.arange(len(keys)) % PER_PICTURE == 0
    keys += np.where(kind, 0, list(Algorithm).index(Algorithm.PART)) << KEY_BITS
    fill(path, keys, None, PER_PICTURE, 1)
    seconds = perf_counter() - start
    with ledger.engine.connect() as connection:
        spread = timed(lambda question: nearest(connection, question, 8), questions)
        rows = [
            connection.exec_driver_sql(
                "SELECT count(*) FROM fingerprints WHERE bucket IN "
                f"({','.join(str(key) for question in some for key in probes(question))})"
            ).scalar_one()
            for some in questions[:20]
        ]
    ledger.close()
    weight = path.stat().st_size / size
    path.unlink()
    return [seconds, weight, *spread, float(np.mean(rows))]


def faiss_times(size: int, questions: list[list[Fingerprint]]) -> list[float]:
    """Median milliseconds of the exact search and of the multi-hash, for one code each."""
    import faiss

    faiss.omp_set_num_threads(1)
    codes = np.random.default_rng(size).integers(0, 256, (size, 32), np.uint8)
    single = [np.frombuffer(some[0].code, np.uint8)[None] for some in questions[:FLAT_QUERIES]]
    flat = faiss.IndexBinaryFlat(256)
    flat.add(codes)
    exact, *_ = timed(lambda code: flat.search(code, 8), single)
    hashed = float("nan")
    if size <= 1_000_000:
        index = faiss.IndexBinaryMultiHash(256, 8, 24)
        index.nflip = 1
        index.add(codes)
        hashed, *_ = timed(lambda code: index.search(code, 8), single)
    return [exact, hashed]


def plot(rows: list[dict[str, float]], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    sizes = [row["size"] for row in rows]
    axes.loglog(sizes, [row["p50"] for row in rows], "o-", label="Guard: all codes of a picture, p50")
    axes.loglog(sizes, [row["p95"] for row in rows], "o:", color="C0", alpha=0.6, label="the same, p95")
    axes.loglog(sizes, [row["flat"] for row in rows], "s--", color="C1", label="faiss, exact: one code, p50")
    axes.axhline(5, color="grey", linewidth=0.8)
    axes.annotate("5 ms", (sizes[0], 5.3), color="grey")
    axes.set_xlabel("registered pictures")
    axes.set_ylabel("milliseconds a look-up")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=110)


def main(sizes: list[int], folder: Path | None, picture: Path | None) -> None:
    questions = asked()
    codes = [each.code for some in photo_codes() for each in some]
    distribution = Distribution(codes)
    buckets = np.mean([len({key for each in some for key in probes(each)}) for some in questions])
    console = Console(width=120)
    console.print(
        f"{len(questions)} pictures ask, {buckets:.0f} buckets each; {len(codes)} codes give the distribution"
    )
    table = Table(
        "registered",
        "filled in",
        "bytes a picture",
        "p50",
        "p95",
        "clock",
        "rows read",
        "faiss exact",
        "multi-hash",
    )
    rows = []
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for size in sizes:
            seconds, weight, p50, p95, clock, read = ours(size, distribution, questions, Path(place))
            exact, hashed = faiss_times(size, questions)
            rows.append({"size": size, "p50": p50, "p95": p95, "clock": clock, "flat": exact, "rows": read})
            table.add_row(
                f"{size:,}",
                f"{seconds:.0f} s",
                f"{weight:.0f}",
                f"{p50:.2f} ms",
                f"{p95:.2f} ms",
                f"{clock:.2f} ms",
                f"{read:.0f}",
                f"{exact:.2f} ms",
                f"{hashed:.2f} ms",
            )
            console.print(json.dumps(rows[-1]))
    console.print(table)
    if picture:
        plot(rows, picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    main(options.sizes, options.folder, options.plot)
