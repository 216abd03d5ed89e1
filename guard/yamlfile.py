"""YAML files that people write for Guard, read so that every complaint can name its line and column.

Both policies and block lists are such files. The dialect is the safe part of YAML 1.1 less what misleads in a
file of rules: a key given twice (the first one would vanish), anchors and aliases (a few lines can grow to
gigabytes), tags, and dates (a version such as 2026-11-01 stays the text that was written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

__all__ = ["Document", "Place", "YamlFileError", "parse", "read"]

Model = TypeVar("Model", bound=BaseModel)
Keys = tuple[str | int, ...]

_BREAK = re.compile(r"\r\n|\r|\n")
_BLANK = " \t\r\n\x85\u2028\u2029"
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)", re.DOTALL)
_NAMED_BLANKS = (" ", "t", "\t", "n", "r", "N", "L", "P", "\n", "\r", "\r\n")


class Place(NamedTuple):
    """Where in a file, both counted from 1; columns are code points."""

    line: int
    column: int


class YamlFileError(Exception):
    """What is wrong and where; each room turns it into its own error before it leaves."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class _Loader(yaml.SafeLoader):
    """The safe loader without anchors, aliases, tags and dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and kind are PyYAML's
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor or getattr(event, "tag", None):
            problem = "anchors (&name), aliases (*name) and tags (!name) are not accepted here"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


class Document:
    """A parsed file: its `data`, and the place of every value and key in it."""

    def __init__(self, text: str, data: Any, root: yaml.Node) -> None:
        self.data = data
        self._text = text
        self._values: dict[Keys, yaml.Node] = {}
        self._keys: dict[Keys, yaml.Node] = {}
        for keys, key, value in _walk(root, ()):
            self._values[keys] = value
            if key is not None:
                self._keys[keys] = key

    def place(self, keys: Keys) -> Place:
        """Where the value under `keys` starts, or the nearest value around it where it is absent."""
        while keys not in self._values:
            keys = keys[:-1]
        return _place(self._text, self._values[keys].start_mark.index)

    def place_inside(self, keys: Keys, offset: int) -> Place:
        """Where code point `offset` of the text under `keys` stands in the file, whatever its quoting."""
        node = self._values[keys]
        assert isinstance(node, yaml.ScalarNode)
        written = list(_written(self._text, node))
        before = sum(c not in _BLANK for c in node.value[:offset])
        on_blank = offset >= len(node.value) or node.value[offset] in _BLANK
        index = written[before - 1] + 1 if on_blank and before else written[before]
        return _place(self._text, index)

    def validate(self, model: type[Model]) -> Model:
        """The data as `model`. Raises `YamlFileError` at the first thing that does not fit."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
        keys: Keys = first["loc"]
        if first["type"] == "extra_forbidden" and keys in self._keys:
            place = _place(self._text, self._keys[keys].start_mark.index)
            raise YamlFileError(f"'{keys[-1]}' is not a key that is known here.", place)
        where = ".".join(map(str, keys)) or "the file"
        raise YamlFileError(f"{where}: {_plain(first)}", self.place(keys))


def read(path: Path) -> str:
    """The file's text. Raises `YamlFileError` where it cannot be read or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise YamlFileError(f"the file cannot be read: {error.strerror}.", Place(1, 1)) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise YamlFileError("the file is not UTF-8 from here on.", _place(before, len(before))) from error


def parse(text: str) -> Document:
    """Parse one YAML document. Raises `YamlFileError`."""
    text = text.removeprefix("\ufeff")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise YamlFileError("the file is empty.", Place(1, 1))
        _refuse_repeated_keys(text, root)
        return Document(text, loader.construct_document(root), root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(text, mark.index) if mark else Place(1, 1)
        problem = ", ".join(filter(None, (error.context, error.problem)))
        raise YamlFileError(f"not valid YAML: {problem}.", place) from error
    except yaml.reader.ReaderError as error:
        message = f"character U+{error.character:04X} is not allowed in YAML."
        raise YamlFileError(message, _place(text, error.position)) from error
    except RecursionError as error:
        raise YamlFileError("nested too deeply.", Place(1, 1)) from error
    except ValueError as error:
        raise YamlFileError(f"not valid YAML: {error}.", Place(1, 1)) from error


def _place(text: str, index: int) -> Place:
    start, line = 0, 1
    for found in _BREAK.finditer(text, 0, index):
        start, line = found.end(), line + 1
    return Place(line, index - start + 1)


def _walk(node: yaml.Node, keys: Keys) -> Iterator[tuple[Keys, yaml.Node | None, yaml.Node]]:
    if not keys:
        yield keys, None, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*keys, str(key.value))
            yield inner, key, value
            yield from _walk(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*keys, number), None, value
            yield from _walk(value, (*keys, number))


def _refuse_repeated_keys(text: str, root: yaml.Node) -> None:
    seen: dict[Keys, yaml.Node] = {}
    for keys, key, _ in _walk(root, ()):
        if key is None:
            continue
        if keys in seen:
            first = _place(text, seen[keys].start_mark.index).line
            message = f"'{keys[-1]}' is given twice; the first is on line {first}."
            raise YamlFileError(message, _place(text, key.start_mark.index))
        seen[keys] = key


def _written(text: str, node: yaml.ScalarNode) -> Iterator[int]:
    """Where each non-blank character of a scalar stands in the file, then where the scalar ends.

    YAML folds, strips and indents, but only ever with blanks; so the other characters keep their order,
    and only quoting has to be undone.
    """
    index, end = node.start_mark.index, node.end_mark.index
    style = node.style
    if style in ("'", '"'):
        index, end = index + 1, end - 1
    elif style in ("|", ">"):
        header = _BREAK.search(text, index, end)
        index = header.end() if header else end
    while index < end:
        step = _step(text, index, style)
        if not _is_blank(text[index : index + step], style):
            yield index
        index += step
    yield end


def _step(text: str, index: int, style: str | None) -> int:
    if style == "'" and text.startswith("''", index):
        return 2
    escape = _ESCAPE.match(text, index) if style == '"' else None
    return len(escape[0]) if escape else 1


def _is_blank(written: str, style: str | None) -> bool:
    if style != '"' or len(written) == 1:
        return written in _BLANK
    name = written[1:]
    return name in _NAMED_BLANKS or (len(name) > 1 and chr(int(name[1:], 16)) in _BLANK)


def _plain(error: Any) -> str:
    """pydantic's sentence, without the words that speak of Python."""
    if error["type"] == "missing":
        return "this key is required."
    if error["type"] == "string_type":
        return "this must be text; put it in quotes."
    if error["type"] in ("model_type", "dict_type"):
        return "this must be a mapping of keys to values."
    message: str = error["msg"]
    return message.removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".") + "."
