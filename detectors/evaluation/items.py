"""What a detector is measured on: a folder of labelled files and texts, by source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from detectors.cards import DetectorCard
from guard.errors import InputError
from guard.media import Artifact, Limits

__all__ = ["Collection", "Item", "collect"]

POSITIVE = frozenset({"synthetic", "fake", "generated", "ai", "machine", "toxic", "positive", "unsafe"})
NEGATIVE = frozenset({"real", "human", "clean", "negative", "safe", "natural", "bonafide"})

_LIMITS = Limits(max_bytes=128 << 20)


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled file, or one line of a file of texts; `name` is how a report calls it."""

    name: str
    source: str
    positive: bool
    path: Path
    text: str | None = field(default=None, repr=False)

    def artifact(self) -> Artifact:
        """The item as media. Raises `InputError` where it is none."""
        if self.text is None:
            return Artifact.from_path(self.path, limits=_LIMITS)
        return Artifact.from_text(self.text)


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found: items by label and source, which signal they are about, and what could not be read.

    `labels` are the names of the negative and the positive folders that hold something.
    """

    signal: str
    labels: tuple[str, str]
    items: tuple[Item, ...]
    unreadable: dict[str, str]
    left_out: dict[str, int]

    def sources(self, positive: bool) -> dict[str, int]:
        """How many items each source of a class has, in alphabetical order."""
        counts = Counter(item.source for item in self.items if item.positive is positive)
        return dict(sorted(counts.items()))


def collect(folder: Path, card: DetectorCard, limit: int) -> Collection:
    """The items under `folder`, laid out as LABEL/SOURCE/… or LABEL/SOURCE.jsonl, at most `limit` a source.

    A folder named like one of the detector's signals is the positive class of that signal; otherwise names
    such as `synthetic` or `toxic` are the positive class of its main signal. Files that lie right under a
    label form a source of that name. Raises `InputError` where nothing is found, or labels mean nothing.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", "Give one that is laid out as LABEL/SOURCE/files.")
    labels = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
    positive, negative, signal = _meaning(labels, card)
    items: list[Item] = []
    unreadable: dict[str, str] = {}
    left_out: dict[str, int] = {}
    for label, is_positive in ((negative, False), (positive, True)):
        for source, found in _by_source(folder / label, is_positive, unreadable) if label else ():
            items += found[:limit]
            if len(found) > limit:
                left_out[source] = len(found) - limit
    if not items:
        raise InputError(f"{folder} holds nothing that can be read.", "Lay it out as LABEL/SOURCE/files.")
    names = (negative or "negative", positive or "positive")
    return Collection(signal, names, tuple(items), unreadable, left_out)


def _meaning(labels: list[str], card: DetectorCard) -> tuple[str | None, str | None, str]:
    """The folder of the positive class, that of the negative class, and the signal that they are about."""
    positive = [label for label in labels if label in card.signals or label.lower() in POSITIVE]
    negative = [label for label in labels if label not in positive and label.lower() in NEGATIVE]
    unknown = [label for label in labels if label not in positive and label not in negative]
    if len(positive) > 1 or len(negative) + len(unknown) > 1 or not labels:
        known = ", ".join(sorted({*card.signals} | POSITIVE))
        raise InputError(
            f"The labels {', '.join(labels) or '(none)'} cannot be told apart into two classes.",
            f"Name one folder 'real', 'human' or 'clean', and one of: {known}.",
        )
    if unknown and not positive:
        raise InputError(
            f"Whether '{unknown[0]}' is what the detector should flag cannot be told.",
            f"Call the folder '{card.signal}' if so, and 'negative' if not.",
        )
    signal = positive[0] if positive and positive[0] in card.signals else card.signal
    return next(iter(positive), None), next(iter([*negative, *unknown]), None), signal


def _by_source(folder: Path, positive: bool, unreadable: dict[str, str]) -> Iterator[tuple[str, list[Item]]]:
    loose: list[Item] = []
    for path in sorted(path for path in folder.iterdir() if path.name[0] not in "._"):
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file() and p.name[0] not in "._")
            yield path.name, list(_items(inside, path.name, positive, folder, unreadable))
        elif path.suffix == ".jsonl":
            yield path.stem, list(_items([path], path.stem, positive, folder, unreadable))
        else:
            loose += _items([path], folder.name, positive, folder, unreadable)
    if loose:
        yield folder.name, loose


def _items(
    paths: Iterable[Path], source: str, positive: bool, root: Path, unreadable: dict[str, str]
) -> Iterator[Item]:
    for path in paths:
        name = str(path.relative_to(root.parent))
        if path.suffix != ".jsonl":
            yield Item(name, source, positive, path)
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            unreadable[name] = f"{type(error).__name__}"
            continue
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from _line(f"{name}:{number}", line, source, positive, path, unreadable)


def _line(
    name: str, line: str, source: str, positive: bool, path: Path, unreadable: dict[str, str]
) -> Iterator[Item]:
    try:
        text = json.loads(line)["text"]
        if not isinstance(text, str):
            raise TypeError("its 'text' is no text")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        unreadable[name] = f"no JSON object with a 'text' ({type(error).__name__})"
        return
    yield Item(name, source, positive, path, text)
