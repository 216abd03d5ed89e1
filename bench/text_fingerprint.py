"""How well texts are known again by their words, and how often strangers are taken for them.

    python -m bench.text_fingerprint [--registered N] [--queries N] [--data DIR] [--others DIR]

Registers passages of the data's human and machine texts in a ledger (duplicates left out), then asks for
copies of 50-word passages, changed in each way, and for pieces of 50 words of texts that were held out, and
of the text files in the folder of others. A stranger found is printed with what it was taken for:
near-duplicates of one source (encyclopedias quote each other, tweets are repeated) are to be told from
accidents by eye.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.ledger import entries
from guard.ledger import Entry, Ledger, Likeness
from guard.ledger.text_sketch import make_sketch, resemblance

Change = Callable[[list[str], random.Random], list[str]]
PASSAGE = 50


def texts(data: Path) -> Iterator[str]:
    """Texts of people and of models."""
    for path in sorted(data.glob("text_fastdetectgpt/*/data/*.json")):
        pairs = json.loads(path.read_text())
        yield from [*pairs.get("original", ()), *pairs.get("sampled", ())]
    for path in sorted(data.glob("bold/wikipedia/*.json")):
        yield from _strings(json.loads(path.read_text()))
    with (data / "davidson/data/labeled_data.csv").open() as rows:
        yield from (row["tweet"] for row in csv.DictReader(rows))


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _strings(child)


def edited(share: float) -> Change:
    """So many of the words exchanged, put in or left out, a third each; new ones are the text's own."""

    def run(words: list[str], draw: random.Random) -> list[str]:
        kept: list[str] = []
        for word in words:
            change = draw.choice(("exchange", "insert", "delete")) if draw.random() < share else ""
            kept += [word] if change in ("", "insert") else []
            kept += [draw.choice(words)] if change in ("exchange", "insert") else []
        return kept

    return run


CHANGES: dict[str, Change] = {
    "pasted, quoted, in capitals": lambda words, _: f"> {' > '.join(words)}".upper().split(),
    "5 % of words edited": edited(0.05),
    "10 % of words edited": edited(0.1),
    "15 % of words edited": edited(0.15),
    "first half": lambda words, _: words[: PASSAGE // 2],
    "second half": lambda words, _: words[PASSAGE // 2 :],
    "middle half": lambda words, _: words[PASSAGE // 4 : 3 * PASSAGE // 4],
    "half, 10 % edited": lambda words, draw: edited(0.1)(words[: PASSAGE // 2], draw),
    "quoted in 400 other words": lambda words, draw: _between(words, draw),
}


def _between(words: list[str], draw: random.Random) -> list[str]:
    filler = [f"filler{draw.getrandbits(20)}" for _ in range(400)]
    return [*filler[:200], *words, *filler[200:]]


@dataclass
class Register:
    """A ledger of texts, and how it is asked."""

    ledger: Ledger
    drafts: Iterator[Entry]

    def fill(self, passages: list[str]) -> None:
        made = [
            replace(
                next(self.drafts),
                modality="text",
                marks=(),
                manifest=None,
                sketch=make_sketch(text),
                model=text,
            )
            for text in passages
        ]
        for at in range(0, len(made), 64):
            self.ledger.record(made[at : at + 64])

    def ask(self, text: str) -> tuple[Likeness, str] | None:
        """The best match and the registered text."""
        sketch = make_sketch(text)
        if sketch is None:
            return None
        entries = self.ledger.by_text(sketch)
        found = [(resemblance(entry.sketch or b"", sketch), entry.model) for entry in entries]
        return max((pair for pair in found if pair[0].same), key=lambda pair: pair[0].common, default=None)


def recovery(register: Register, passages: list[str], queries: int) -> Table:
    table = Table("change of 50 words", "recovered", "as itself", "similarity", title="Copies")
    for name, change in track(CHANGES.items(), description="changes"):
        draw = random.Random(name)
        asked = draw.sample(passages, min(queries, len(passages)))
        answers = [(text, register.ask(" ".join(change(text.split(), draw)))) for text in asked]
        found = [(text, answer) for text, answer in answers if answer]
        own = sum(text == answer[1] for text, answer in found)
        mean = sum(answer[0].score for _, answer in found) / max(len(found), 1)
        table.add_row(name, f"{len(found) / len(asked):.2%}", f"{own / len(asked):.2%}", f"{mean:.2f}")
    return table


def strangers(register: Register, held_out: list[str]) -> Table:
    table = Table("similarity", "of the text", "text", "taken for", title="Strangers that were found")
    count, start = 0, perf_counter()
    for text in track(held_out, description="strangers"):
        words = text.split()
        for at in range(0, max(1, len(words) - PASSAGE // 2), PASSAGE // 2):
            count += 1
            piece = " ".join(words[at : at + PASSAGE])
            if answer := register.ask(piece):
                table.add_row(f"{answer[0].score:.2f}", f"{answer[0].share:.2f}", piece[:60], answer[1][:60])
    milliseconds = 1000 * (perf_counter() - start) / max(count, 1)
    table.caption = f"{table.row_count} of {count} queries; {milliseconds:.1f} ms each"
    return table


def others(folder: Path) -> list[str]:
    """The text files below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".txt", ".md", ".rst"))
    return [path.read_text(errors="ignore") for path in paths if path.is_file()]


def main(data: Path, folder: Path | None, registered: int, queries: int) -> None:
    # One text of each beginning: the data hold the same sources cut to several lengths.
    first = {
        " ".join(text.lower().split()[:12]): text for text in texts(data) if len(text.split()) >= PASSAGE // 2
    }
    sources = list(first.values())
    random.Random(0).shuffle(sources)
    known, held_out = sources[:registered], sources[registered:] + (others(folder) if folder else [])
    passages = list(dict.fromkeys(" ".join(t.split()[:PASSAGE]) for t in known if len(t.split()) >= PASSAGE))
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as place:
        for part, stock in ((recovery, passages), (strangers, known)):
            path = Path(place) / f"{part.__name__}.db"
            ledger = Ledger.open(f"sqlite:///{path}")
            register = Register(ledger, entries(random.Random(0)))
            register.fill(stock)
            kilobytes = sum(map(len, stock)) / 1000
            console.print(
                f"{len(stock):,} texts registered, {kilobytes:,.0f} kB; {_storage(ledger, kilobytes)}"
            )
            console.print(
                recovery(register, stock, queries) if part is recovery else strangers(register, held_out)
            )
            ledger.close()


def _storage(ledger: Ledger, kilobytes: float) -> str:
    with ledger.engine.connect() as connection:
        filed = connection.exec_driver_sql("SELECT count(*) FROM shingles").scalar_one()
        kept = connection.exec_driver_sql("SELECT sum(length(sketch)) FROM manifests").scalar_one()
    return f"{filed / kilobytes:.0f} shingles and {kept / kilobytes:.0f} bytes of sketch per kB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--registered", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--others", type=Path)
    options = parser.parse_args()
    main(options.data, options.others, options.registered, options.queries)
