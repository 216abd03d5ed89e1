"""CEL conditions: compiled and type-checked when a policy loads, evaluated on facts.

CEL is the Common Expression Language (https://cel.dev): no unbounded loops, no side effects, and types known
before anything runs, so a misspelt variable is refused at load instead of passing in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property

from cel_expr_python import cel

from policies.base import Facts

__all__ = ["Condition", "ConditionError", "EvaluationError", "Seen", "activation"]

_TEXTS = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_VARIABLES = {
    "errors": _TEXTS,
    "inconclusive": _TEXTS,
    "mime": cel.Type.STRING,
    "modality": cel.Type.STRING,
    "model": cel.Type.STRING,
    "route": cel.Type.STRING,
    "scores": cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE),
    "stage": cel.Type.STRING,
    "user": _TEXTS,
}
_COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_OVERLOAD = re.compile(r"found no matching overload for '(.+?)' applied to '\((.*)\)'")
_ABSENT = re.compile(r"Key not found in map : (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(.+?)'")


class ConditionError(Exception):
    """A condition does not compile; `offset` is the code point of the expression where that shows."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class EvaluationError(Exception):
    """A condition has no answer for these facts."""


class Condition:
    """One compiled condition; safe to share between threads."""

    def __init__(self, text: str) -> None:
        """Compile `text`. Raises `ConditionError`, also where its result is not a bool."""
        try:
            self._expression = _environment().compile(text)
        except RuntimeError as error:
            raise _explain(text, str(error)) from error
        kind = self._expression.return_type()
        if kind != cel.Type.BOOL:
            raise ConditionError(
                f"a condition must be true or false, and this is a value of type {kind.name()}."
            )

    def holds(self, facts: cel.Activation) -> bool:
        """Whether the condition is true. Raises `EvaluationError` where it is neither true nor false.

        cel-expr-python reports most failures not by raising but as a value, whose plain form is a text and so
        truthy: only a bool is an answer.
        """
        try:
            answer = self._expression.eval(facts).plain_value()
        except RuntimeError as error:  # the budget of iterations ran out
            raise EvaluationError(_without_code(str(error))) from error
        if isinstance(answer, bool):
            return answer
        raise EvaluationError(_failure(str(answer)))


class Seen:
    """Facts as conditions see them; build it once and judge every rule with it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = activation(facts)
        self._facts = facts

    def holds(self, condition: Condition) -> bool:
        """Whether the condition is true.

        Where it has no answer only because a detector abstained, it is not; that is so where it has one
        with the lowest as well as with the highest score in place of those that are missing. Raises
        `EvaluationError` where something else is missing too.
        """
        try:
            return condition.holds(self.facts)
        except EvaluationError:
            if not self._facts.inconclusive:
                raise
        for guess in self._guesses:
            condition.holds(guess)
        return False

    @cached_property
    def _guesses(self) -> list[cel.Activation]:
        facts = self._facts
        filled = [{**dict.fromkeys(facts.inconclusive, score), **facts.scores} for score in (0.0, 1.0)]
        return [activation(replace(facts, scores=scores)) for scores in filled]


def activation(facts: Facts) -> cel.Activation:
    """The facts as CEL sees them.

    A score that is not a finite number is left out, so that a rule that asks for it fails: NaN would
    compare as false, and the rule would wave the artifact through.
    """
    return _environment().Activation(
        {
            "errors": _texts(facts.errors),
            "inconclusive": _texts(facts.inconclusive),
            "mime": _text(facts.mime),
            "modality": facts.modality.value,
            "model": _text(facts.model),
            "route": _text(facts.route),
            "scores": {_text(k): float(v) for k, v in facts.scores.items() if math.isfinite(v)},
            "stage": facts.stage,
            "user": _texts(facts.user),
        }
    )


@cache
def _environment() -> cel.Env:
    return cel.NewEnv(variables=_VARIABLES)


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in values.items()}


def _text(value: str) -> str:
    """JSON may carry half a surrogate pair; CEL's strings are UTF-8 and cannot."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _explain(text: str, complaint: str) -> ConditionError:
    found = _COMPLAINT.search(complaint)
    if found is None:
        return ConditionError(f"this condition does not compile: {_without_code(complaint.splitlines()[0])}.")
    line, column, message = int(found[1]), int(found[2]), found[3]
    lines = text.split("\n")
    before = sum(len(earlier) + 1 for earlier in lines[: line - 1])
    return ConditionError(_reword(message.removesuffix(" [INVALID_ARGUMENT]")), before + column - 1)


def _reword(message: str) -> str:
    """CEL's sentence in words for someone who writes policies."""
    if overload := _OVERLOAD.match(message):
        return _mismatch(overload[1].replace("_", "").lstrip("@"), overload[2])
    if undeclared := _UNDECLARED.match(message):
        return f"'{undeclared[1]}' is not a name that conditions know. They know: {', '.join(_VARIABLES)}."
    return message.split(" expecting {")[0].rstrip(".") + "."


def _mismatch(operator: str, types: str) -> str:
    if sorted(types.split(", ")) in (["double", "int"], ["double", "uint"]):
        return (
            f"'{operator}' cannot compare a double with an int: write the number with a point, such as 1.0."
        )
    return f"'{operator}' does not work on ({types})."


def _failure(message: str) -> str:
    """Why an evaluation gave no answer; most often a detector gave no score."""
    absent = _ABSENT.search(message)
    return f"there is no value for {absent[1]}" if absent else _without_code(message)


def _without_code(message: str) -> str:
    """The sentence without the status code that the C++ library puts around it."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", message.strip())
