"""What goes to an upstream and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, TypeAlias

__all__ = ["Answer", "Body", "Event", "EventStream", "File", "Form", "RawAnswer", "RawStream"]


class File(NamedTuple):
    """A file in a form: its field, the name and media type that it goes by, and its content."""

    field: str
    name: str
    data: bytes | IO[bytes]
    media_type: str = "application/octet-stream"


class Form(NamedTuple):
    """A body of `multipart/form-data`: pairs of a field's name and text, then files; names may repeat."""

    fields: Sequence[tuple[str, str]]
    files: Sequence[File] = ()


Body: TypeAlias = Mapping[str, Any] | Form
"""What is sent: a JSON object or a form."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object. Header names are in lower case."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    status: int = 200


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Bytes, and the media type that they came as: lower case, without parameters."""

    data: bytes
    media_type: str
    headers: Mapping[str, str]
    status: int = 200


class Event(NamedTuple):
    """One server-sent event: its type (`message` unless the server named one) and its JSON object."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventStream:
    """The events of one answer as they come, without `[DONE]`; iterate over it once."""

    headers: Mapping[str, str]
    events: AsyncIterator[Event]

    def __aiter__(self) -> AsyncIterator[Event]:
        return self.events


@dataclass(frozen=True, slots=True)
class RawStream:
    """The bytes of one answer as they come; iterate over it once."""

    media_type: str
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    status: int = 200

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks
