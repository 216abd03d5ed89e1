"""The formula language does what its expressions mean, so that a met rubric means something."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.json_formula import Formula, Scope

DOCUMENT: dict[str, Any] = {
    "list": [{"n": 1, "kind": "a"}, {"n": 2, "kind": "b"}, {"kind": "c"}],
    "nested": [{"inner": [1, 2]}, {"inner": [3]}, {"other": 1}],
    "dotted.name": {"x": "1.2"},
    "yes": True,
    "empty": [],
}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("list[0].n", 1),
        ("list[9].n", None),
        ("missing.deeper[0].n", None),
        ("'dotted.name'.x", "1.2"),
        ("list[?n == 2].kind", ["b"]),
        ("list[?n == null].kind", ["c"]),
        ("list[?n != null].n", [1, 2]),
        ("nested[].inner[]", [1, 2, 3]),
        ('list[?kind == "a"] | [0].n', 1),
        ("list[?contains($wanted, kind)].n", [2]),
        ("list[?!contains($wanted, kind)].kind", ["a", "c"]),
        ("missing || `[7]`", [7]),
        ("yes && `3`", 3),
        ("empty || yes", True),
        ("length(missing) == 0", True),
        ("length(list[?n]) > 1", True),
        ("notNull(missing, yes)", True),
        ("split('dotted.name'.x, \".\")[1]", "2"),
        ("split('dotted.name'.x, \".\")[0] * 3 >= 3.0", True),
        ("if(missing, `1`, `2`)", 2),
        ("keys('dotted.name')", ["x"]),
        ("values('dotted.name')[?startsWith(@, \"1\")]", ["1.2"]),
        ('endsWith(missing, "x")', False),
        ('type(yes) != `"string"`', True),
        ('(missing || {code: "none"}).code', "none"),
        ("[yes, `1`]", [True, 1]),
        ("_twice(list[1].n)", 4),
        ("_root().yes", True),
        ("list[? n && n < 2].kind", ["a"]),
    ],
)
def test_expressions(formula: str, value: object) -> None:
    functions = {"_twice": Formula("$args[0] * 2"), "_root": Formula("@")}
    scope = Scope(DOCUMENT, {"$wanted": ["b", "d"]}, functions)
    assert Formula(formula)(scope, DOCUMENT) == value


@pytest.mark.parametrize("formula", ["a b", "a[", "a.", "(a", "a ==", "§", "f(a", "]"])
def test_what_cannot_be_read_is_an_error(formula: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        Formula(formula)
