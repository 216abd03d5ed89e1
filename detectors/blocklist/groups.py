"""What a block list says: groups of terms and patterns, and the files that hold them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from guard.errors import ConfigurationError
from guard.yamlfile import Place, YamlFileError, parse, read

__all__ = ["Group", "RefusedError", "Source", "load_groups"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]
Keys = tuple[str | int, ...]


class Group(BaseModel):
    """Terms and patterns that mean the same to a platform.

    A hit raises the signals `signal` and `signal/id` to `score`; `label` (the id, where there is none) names
    it in evidence and in redacted text. `leet` also takes digits and signs for letters, `spaced` also finds
    letters that are set apart; patterns are RE2 expressions and follow neither, nor `match`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    signal: Name = "blocklist"
    label: Name | None = None
    score: Annotated[float, Field(gt=0, le=1)] = 1.0
    match: Literal["word", "substring"] = "word"
    leet: StrictBool = False
    spaced: StrictBool = False
    terms: tuple[Text, ...] = ()
    patterns: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not self.terms and not self.patterns:
            raise ValueError("a group needs terms or patterns")
        return self


class RefusedError(ConfigurationError):
    """A group cannot be used; `keys` leads to the culprit from the top of a list file."""

    def __init__(self, message: str, *keys: str | int) -> None:
        super().__init__(message)
        self.keys: Keys = ("groups", *keys)


class Source(NamedTuple):
    """The groups of a file, and where in it each part stands."""

    name: str
    groups: tuple[Group, ...]
    place: Callable[[Keys], Place]

    def locate(self, error: RefusedError) -> ConfigurationError:
        """The same complaint with the file's name, line and column before it."""
        return _complaint(self.name, error.message, self.place(error.keys))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: Annotated[tuple[Group, ...], Field(min_length=1)]


def load_groups(path: Path) -> Source:
    """The groups of a file: YAML where its name ends in .yaml or .yml, else plain text with one term a line.

    Raises `ConfigurationError` with line and column.
    """
    try:
        text = read(path)
        if path.suffix.lower() in (".yaml", ".yml"):
            return _from_yaml(text, str(path))
    except YamlFileError as error:
        raise _complaint(str(path), error.message, error.place) from error
    return _from_lines(text, str(path))


def _from_yaml(text: str, name: str) -> Source:
    document = parse(text)
    return Source(name, document.validate(_File).groups, document.place)


def _from_lines(text: str, name: str) -> Source:
    """One group, "list", of the lines that are neither blank nor comments (#)."""
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
    terms = {
        number: line.strip() for number, line in lines if line.strip() and not line.lstrip().startswith("#")
    }
    if not terms:
        raise _complaint(name, "the list holds no term.", Place(1, 1))
    numbers = list(terms)

    def place(keys: Keys) -> Place:
        index = keys[3] if len(keys) > 3 else 0
        assert isinstance(index, int)
        return Place(numbers[index], 1)

    return Source(name, (Group(id="list", terms=tuple(terms.values())),), place)


def _complaint(name: str, message: str, place: Place) -> ConfigurationError:
    return ConfigurationError(
        f"{name}:{place.line}:{place.column}: {message}", "Mend the block list at that line."
    )
