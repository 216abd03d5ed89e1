"""What an audit of the ledger found."""

from __future__ import annotations

from dataclasses import dataclass, field

from guard.ledger.log.merkle import EMPTY

__all__ = ["Report"]

_MOST_PROBLEMS = 200


@dataclass(slots=True)
class Report:
    """How much was looked at, the root as computed, how many leaves a valid signature covers; and each thing
    that does not fit, a sentence each."""

    leaves: int = 0
    rows: int = 0
    checkpoints: int = 0
    signed: int = 0
    root: bytes = EMPTY
    problems: list[str] = field(default_factory=list)

    def found(self, problem: str) -> None:
        """Note a problem; after two hundred no more, since then nothing is as it was."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
