"""What was heard in a sound: every text of it released, its copies in segments and words changed alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from guard.api.answers import evidence
from guard.api.door import Door, upstreams_fault
from guard.api.jsontree import STRUCTURE, Leaf, deeper_than, leaves
from guard.api.sound.cues import words_in
from guard.api.words.texts import Path, part
from guard.drafts import of_text
from guard.errors import UpstreamError
from guard.obligations import TEXT_LABEL
from guard.pipeline import Origin, Release
from guard.streaming.answer import AnswerStream, TextStream

__all__ = ["Heard", "forget", "release_subtitles", "release_transcript"]

Heard = dict[str, Any] | str
"""A transcript as an object, or as a file of text."""
_MAIN: Path = ("text",)
"""Where a transcript's text stands; segments and words say it again."""

_LEVELS = 64
_SKIP = STRUCTURE | {"language", "languages", "object", "speaker", "task", "usage"}
_SPELLED = ("logprobs", "tokens")


@dataclass
class _Line:
    """Texts that are one when read in order, such as those of all segments: screened as one, then shown in
    their places."""

    stream: TextStream
    ends: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        """The next text; a space goes between two that have none."""
        if self.pieces and not (self.pieces[-1][-1:].isspace() or piece[:1].isspace()):
            self.stream.take(" ")
        self.pieces.append(piece)
        self.stream.take(piece)
        self.ends.append(self.stream.size)

    def shown(self) -> list[str]:
        """What leaves in place of each, once all is cleared."""
        return [
            self.stream.shown(end - len(piece), end)
            for piece, end in zip(self.pieces, self.ends, strict=True)
        ]


def release_transcript(door: Door, answer: dict[str, Any], origin: Origin) -> list[dict[str, Any]]:
    """Release every text in `answer`, or none, and put what was released in place; returns their evidence.

    Segments and words go where something was cut out of the text that cannot be told to be cut out of them,
    too. Raises what `Guard.release` raises, and `UpstreamError` for what cannot be screened.
    """
    if not isinstance(answer.get("text"), str) or deeper_than(answer, _LEVELS):
        raise UpstreamError("The upstream's answer is no transcript.")
    stream = door.guard.stream(origin)
    texts = _gathered(answer)
    with upstreams_fault():
        lines = {path: _line(stream, path, found) for path, found in texts.items()}
        releases = stream.finish()
    shown = {path: line.shown() for path, line in lines.items()}
    for path, found in texts.items():
        for leaf, text in zip(found, _ended(shown[path], lines[path].stream.tail), strict=True):
            leaf.holder[leaf.key] = text
    if any(shown[path] != line.pieces for path, line in lines.items()):
        forget(answer)
    if shown[_MAIN] != lines[_MAIN].pieces:
        _drop_others(answer, shown)
    names = {line.stream.id: part(path) for path, line in lines.items()}
    return [{"part": names[release.id], **evidence(release)} for release in releases]


def release_subtitles(door: Door, file: str, origin: Origin) -> Release:
    """A SubRip or WebVTT file, released as what programs read.

    Its words are screened, and recorded, as one text before, since they may go on from cue to cue. Raises
    as `release_transcript`.
    """
    lines = file.split("\n")
    numbers = words_in(lines)
    stream = door.guard.stream(origin)
    line = _Line(stream.text("words", json=True))
    with upstreams_fault():
        for number in numbers:
            line.add(lines[number])
        stream.finish()
        for number, words in zip(numbers, line.shown(), strict=True):
            lines[number] = words
        (release,) = door.release([of_text("\n".join(lines), program=True)], origin)
    return release


def _same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space."""
    return "".join(one.split()) == "".join(other.split())


def forget(holder: Any) -> None:
    """Empty what spells out a text in another way, here and in the items of lists."""
    for name, value in holder.items():
        if name in _SPELLED and value:
            holder[name] = []
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    forget(item)


def _gathered(answer: Mapping[str, Any]) -> dict[Path, list[Leaf]]:
    """The texts, those in the items of one list together; the transcript's own first."""
    found: dict[Path, list[Leaf]] = {_MAIN: []}
    for leaf in leaves(answer, _SKIP):
        if leaf.text:
            path = tuple(step for step in leaf.path if isinstance(step, str))
            found.setdefault(path, []).append(leaf)
    return found


def _line(stream: AnswerStream, path: Path, texts: list[Leaf]) -> _Line:
    line = _Line(stream.text(path, json=path != _MAIN))
    for leaf in texts:
        line.add(leaf.text)
    return line


def _ended(texts: list[str], tail: str) -> list[str]:
    return [*texts[:-1], texts[-1] + tail] if texts else []


def _drop_others(answer: dict[str, Any], shown: Mapping[Path, list[str]]) -> None:
    """The text was changed: keep of the others those alone that say what it says now, its label apart."""
    main = "".join(shown[_MAIN]).removeprefix(TEXT_LABEL)
    for path, texts in shown.items():
        if path != _MAIN and not _same_words("".join(texts), main):
            answer[str(path[0])] = [] if isinstance(answer[str(path[0])], list) else None
