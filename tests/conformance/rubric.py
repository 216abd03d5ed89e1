"""Runs C2PA's published rubrics over the crJSON that describes a signed file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.json_formula import Formula, Scope

__all__ = ["Check", "load"]


@dataclass(frozen=True)
class Check:
    """One statement of a rubric, with the formula that decides it."""

    id: str
    formula: Formula
    fails_if_matched: bool
    variables: dict[str, Any]
    functions: dict[str, Formula]

    def __call__(self, document: Any, **variables: Any) -> bool:
        """Whether `document` meets the statement; `variables` are those that the caller must supply."""
        supplied = {f"${name}": value for name, value in variables.items()}
        value = self.formula(Scope(document, self.variables | supplied, self.functions), document)
        return not value if self.fails_if_matched else bool(value)


def load(path: Path) -> list[Check]:
    """The checks of the rubric in `path`."""
    head, checks = yaml.safe_load_all(path.read_text())
    functions = {name: Formula(text) for name, text in head.get("expressions", {}).items()}
    return [
        Check(
            id=check["id"],
            formula=Formula(check["expression"]),
            fails_if_matched=bool(check.get("failIfMatched") or check.get("warnIfMatched")),
            variables=head.get("variables", {}),
            functions=functions,
        )
        for check in checks
    ]
