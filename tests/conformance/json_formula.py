"""The part of the json-formula language (a JMESPath dialect) in which C2PA writes its rubrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Formula", "Scope"]

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<literal>`(?:[^`\\]|\\.)*`)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<quoted>'(?:[^'\\]|\\.)*')
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[$A-Za-z_][$\w]*)
    | (?P<sign>\[\?|\|\||&&|==|!=|<=|>=|[\[\](){}.,:|!<>*@])
    )""",
    re.VERBOSE,
)
_BINDING = {"|": 1, "||": 2, "&&": 3, "==": 5, "!=": 5, "<": 5, ">": 5, "<=": 5, ">=": 5, "*": 6}
_FILTERED, _SUB = 8, 9


class _Projection(list[Any]):
    """A list whose members the next step visits one by one."""


@dataclass(frozen=True)
class Scope:
    """What a formula sees: the document, `$variables` and the rubric's own `_functions`."""

    root: Any
    variables: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Formula] = field(default_factory=dict)


class Formula:
    """One parsed expression."""

    def __init__(self, source: str) -> None:
        self._tokens = list(_tokenise(source))
        self._at = 0
        self._tree = self._expression(0)
        if self._at != len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._at]} in {source!r}")

    def __call__(self, scope: Scope, node: Any) -> Any:
        """Its value, with `node` as the current node."""
        return _plain(self._tree(scope, node))

    # ---- parsing: a Pratt parser whose nodes are functions of (scope, node)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        kind, text = self._next()
        if kind != "sign" or text != sign:
            raise ValueError(f"expected {sign}, got {text}")

    def _expression(self, binding: int) -> _Node:
        left = self._prefix()
        while True:
            sign = (
                self._peek() if self._at < len(self._tokens) and self._tokens[self._at][0] == "sign" else ""
            )
            if sign in (".", "[", "[?") and binding < _SUB:
                left = self._postfix(left)
            elif sign in _BINDING and binding < _BINDING[sign]:
                self._next()
                left = _operator(sign, left, self._expression(_BINDING[sign]))
            else:
                return left

    def _prefix(self) -> _Node:
        kind, text = self._next()
        if kind == "literal":
            value = json.loads(text[1:-1])
            return lambda scope, node: value
        if kind == "string":
            string = json.loads(text)
            return lambda scope, node: string
        if kind == "number":
            number = float(text)
            return lambda scope, node: number
        if kind == "quoted":
            return _field(text[1:-1])
        if kind == "name":
            return self._named(text)
        return self._sign(text)

    def _sign(self, sign: str) -> _Node:
        if sign == "@":
            return lambda scope, node: node
        if sign == "!":
            operand = self._expression(7)
            return lambda scope, node: not _plain(operand(scope, node))
        if sign == "(":
            inner = self._expression(0)
            self._expect(")")
            return lambda scope, node: _plain(inner(scope, node))
        current_only = sign == "[" and (self._peek() == "]" or self._tokens[self._at][0] == "number")
        if (
            sign == "[?" or current_only
        ):  # a filter, `[]` or `[0]` with nothing before it: of the current node
            self._at -= 1
            return self._postfix(lambda scope, node: node)
        if sign == "[":
            items = self._arguments("]")
            return lambda scope, node: [_plain(item(scope, node)) for item in items]
        if sign == "{":
            return self._object()
        raise ValueError(f"unexpected {sign}")

    def _object(self) -> _Node:
        members: dict[str, _Node] = {}
        while self._peek() != "}":
            key = self._next()[1]
            self._expect(":")
            members[key] = self._expression(0)
            if self._peek() == ",":
                self._next()
        self._expect("}")
        return lambda scope, node: {key: _plain(value(scope, node)) for key, value in members.items()}

    def _named(self, name: str) -> _Node:
        if self._peek() == "(":
            self._next()
            return _call(name, self._arguments(")"))
        if name.startswith("$"):
            return lambda scope, node: scope.variables.get(name)
        return _field(name)

    def _arguments(self, end: str) -> list[_Node]:
        items: list[_Node] = []
        while self._peek() != end:
            items.append(self._expression(0))
            if self._peek() == ",":
                self._next()
        self._expect(end)
        return items

    def _postfix(self, left: _Node) -> _Node:
        _, sign = self._next()
        if sign == "[?":
            condition = self._expression(0)
            self._expect("]")
            return _filter(left, condition)
        if sign == "[":
            if self._peek() == "]":
                self._next()
                return _flatten(left)
            index = int(float(self._next()[1]))
            self._expect("]")
            return _step(left, lambda scope, node: _index(node, index))
        kind, text = self._next()
        return _step(left, _field(text[1:-1]) if kind == "quoted" else self._named(text))


_Node = Callable[[Scope, Any], Any]


def _tokenise(source: str) -> Any:
    position, end = 0, len(source.rstrip())
    while position < end:
        match = _TOKENS.match(source, position)
        if not match:
            raise ValueError(f"cannot read {source[position:]!r}")
        position = match.end()
        kind = match.lastgroup or ""
        yield kind, match.group(kind)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, _Projection) else value


def _field(name: str) -> _Node:
    return lambda scope, node: node.get(name) if isinstance(node, dict) else None


def _index(node: Any, index: int) -> Any:
    return node[index] if isinstance(node, list) and -len(node) <= index < len(node) else None


def _step(left: _Node, right: _Node) -> _Node:
    """`left.right`: over every member where `left` is a projection, and null stays null."""

    def evaluate(scope: Scope, node: Any) -> Any:
        base = left(scope, node)
        if isinstance(base, _Projection):
            found = (_plain(right(scope, item)) for item in base)
            return _Projection(item for item in found if item is not None)
        return None if base is None else right(scope, base)

    return evaluate


def _filter(left: _Node, condition: _Node) -> _Node:
    def evaluate(scope: Scope, node: Any) -> Any:
        base = left(scope, node)
        if not isinstance(base, list):
            return None
        return _Projection(item for item in base if _truth(condition(scope, item)))

    return evaluate


def _flatten(left: _Node) -> _Node:
    def evaluate(scope: Scope, node: Any) -> Any:
        base = left(scope, node)
        if not isinstance(base, list):
            return None
        return _Projection(part for item in base for part in (item if isinstance(item, list) else [item]))

    return evaluate


def _truth(value: Any) -> bool:
    return bool(_plain(value))


def _operator(sign: str, left: _Node, right: _Node) -> _Node:
    if sign == "|":
        return lambda scope, node: right(scope, _plain(left(scope, node)))
    if sign == "||":
        return lambda scope, node: _plain(left(scope, node)) or _plain(right(scope, node))
    if sign == "&&":
        return lambda scope, node: _plain(left(scope, node)) and _plain(right(scope, node))
    compare = _COMPARISONS[sign]
    return lambda scope, node: compare(_plain(left(scope, node)), _plain(right(scope, node)))


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "*": lambda a, b: float(a) * float(b),
}


def _call(name: str, arguments: list[_Node]) -> _Node:
    if name == "if":  # the only function that must not evaluate all of its arguments

        def choose(scope: Scope, node: Any) -> Any:
            return arguments[1 if _truth(arguments[0](scope, node)) else 2](scope, node)

        return choose

    def evaluate(scope: Scope, node: Any) -> Any:
        values = [_plain(argument(scope, node)) for argument in arguments]
        if name in scope.functions:
            inner = replace(scope, variables={**scope.variables, "$args": values})
            return scope.functions[name](inner, scope.root)
        return _FUNCTIONS[name](*values)

    return evaluate


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": lambda where, what: where is not None and what is not None and what in where,
    "endsWith": lambda text, end: text is not None and text.endswith(end),
    "keys": lambda mapping: list(mapping),
    "length": lambda value: len(value or ()),
    "notNull": lambda *values: next((value for value in values if value is not None), None),
    "split": lambda text, separator: text.split(separator),
    "startsWith": lambda text, start: text is not None and text.startswith(start),
    "type": lambda value: "string" if isinstance(value, str) else "other",
    "values": lambda mapping: list(mapping.values()),
}
