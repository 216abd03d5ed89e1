"""Which scores a condition reads, told from its text, so that nobody works out what nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["names_read"]

_MAPS = {"scores", "errors", "inconclusive"}
_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>\S)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"""(["'])([^"'\\]*)\1""")


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def value(self) -> str | None:
        """What a text says that is written without escapes; None for anything else."""
        plain = _PLAIN.fullmatch(self.text) if self.kind == "text" else None
        return plain[2] if plain else None


_NONE = _Token("", "")


def names_read(condition: str) -> frozenset[str] | None:
    """The signals and detectors whose score, error or abstention a condition asks for.

    None where that cannot be told before it runs, as in `scores.exists(s, scores[s] > 0.9)`: it may be any.
    """
    tokens = [_NONE] * 3 + list(_tokens(condition)) + [_NONE] * 3
    names: set[str] = set()
    for at, token in enumerate(tokens):
        if token.kind == "name" and token.text in _MAPS and tokens[at - 1].text != ".":
            name = _indexed(tokens[at + 1 : at + 4]) or _sought(tokens[at - 3 : at], tokens[at + 1])
            if name is None:
                return None
            names.add(name)
    return frozenset(names)


def _tokens(condition: str) -> Iterator[_Token]:
    for match in _TOKENS.finditer(condition):
        if match.lastgroup != "comment":
            yield _Token(match.lastgroup or "", match[0])


def _indexed(after: Sequence[_Token]) -> str | None:
    """The name in `scores["name"]` or `scores.name`."""
    opening, name, closing = after
    if opening.text == "[" and closing.text == "]":
        return name.value
    return name.text if opening.text == "." and name.kind == "name" and closing.text != "(" else None


def _sought(before: Sequence[_Token], after: _Token) -> str | None:
    """The name in `"name" in scores`."""
    joined, name, word = before
    alone = word == _Token("name", "in") and joined.text != "+" and after.text not in (".", "[")
    return name.value if alone else None
