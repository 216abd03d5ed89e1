"""Requests that come as JSON or as a form: read the same way, and sent on as what they were."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from guard.api.bodies import is_form, open_form, read_json, user_in
from guard.api.door import door_of
from guard.api.errors import ApiError
from guard.errors import ModelNotFoundError
from guard.pipeline import Origin
from models.upstream import Body, File, Form, Upstream

__all__ = ["FIELDS", "FIELD_BYTES", "FILES", "Asked", "open_asked", "upstream_of"]

_READ_HERE = frozenset({"model", "n", "partial_images", "prompt", "safety_identifier", "stream", "user"})
FILES = 20
FIELDS = 64
FIELD_BYTES = 1 << 20
_MOST = 10
_NUMBER = re.compile(r"[0-9]{1,2}")
_YES = frozenset({"true", "1", "on", "yes"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for: `fields` to read, `body` to send on. The values of a form are texts."""

    fields: Mapping[str, Any]
    body: Body

    @property
    def prompt(self) -> str | None:
        """The text of every field that is called some kind of prompt, a line each."""
        texts = [value for name, value in self.fields.items() if "prompt" in name.lower()]
        found = [text for text in texts if isinstance(text, str) and text]
        return "\n".join(found) or None

    @property
    def model(self) -> str:
        """The model's name; `unspecified` where the caller leaves the choice to the upstream."""
        model = self.fields.get("model")
        if not isinstance(model, str | None):
            raise ApiError(400, "'model' must name a model.", param="model")
        return model or "unspecified"

    @property
    def stream(self) -> bool:
        """Whether the answer is wanted as events."""
        stream = self.fields.get("stream")
        if isinstance(stream, str) and isinstance(self.body, Form):
            return stream.strip().lower() in _YES
        if not isinstance(stream, bool | None):
            raise ApiError(400, "'stream' must be true or false.", param="stream")
        return bool(stream)

    @property
    def number(self) -> int | None:
        """How many results are wanted, from 1 to 10; None where the caller does not say."""
        n = self.fields.get("n")
        if isinstance(n, str) and isinstance(self.body, Form) and _NUMBER.fullmatch(n):
            n = int(n)
        if n is not None and (type(n) is not int or not 1 <= n <= _MOST):
            raise ApiError(400, f"'n' must be a whole number from 1 to {_MOST}.", param="n")
        return n

    def check(self) -> None:
        """Refuse values of the wrong kind: raises the `ApiError` that reading them would."""
        _ = self.model, self.number, self.stream

    def require_prompt(self) -> None:
        """Refuse a request whose `prompt` is missing, empty or no text."""
        if not isinstance(self.fields.get("prompt"), str) or not self.fields["prompt"]:
            raise ApiError(400, "'prompt' must be a text, and not an empty one.", param="prompt")

    def with_field(self, name: str, value: int) -> Asked:
        """The same with another value for a field that is there already."""
        if not isinstance(self.body, Form):
            return replace(self, body={**self.body, name: value})
        fields = [(key, str(value) if key == name else text) for key, text in self.body.fields]
        return replace(self, body=Form(fields, self.body.files))

    def origin(self, upstream: Upstream, caller: str | None, route: str) -> Origin:
        """Where the upstream's answer to this comes from."""
        return Origin(
            model=self.model,
            provider=upstream.origin,
            prompt=self.prompt,
            caller=caller,
            route=route,
            user=user_in(self.fields),
        )


def upstream_of(request: Request) -> Upstream:
    """The upstream; `ModelNotFoundError` where there is none, so no model either."""
    upstream = door_of(request).upstream
    if upstream is None:
        raise ModelNotFoundError(
            "No upstream is set, so no model answers here.", "GET /v1/models lists those."
        )
    return upstream


@asynccontextmanager
async def open_asked(request: Request, limit: int) -> AsyncIterator[Asked]:
    """The request's JSON object, or its form of at most `limit` bytes.

    Raises `ApiError` for a body that is neither, and for a form in which what Guard reads stands twice or is
    a file: which of them an upstream would take is anyone's guess.
    """
    if not is_form(request):
        body = await read_json(request)
        yield Asked(body, body)
        return
    async with open_form(request, limit, files=FILES, fields=FIELDS, field_bytes=FIELD_BYTES) as form:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        _refuse_doubles(form)
        yield Asked(
            dict(texts),
            Form(
                texts,
                [_file(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)],
            ),
        )


def _refuse_doubles(form: FormData) -> None:
    seen: set[str] = set()
    for name, value in form.multi_items():
        if not _is_read(name):
            continue
        if name in seen or not isinstance(value, str):
            raise ApiError(400, f"'{name}' must stand once in the form, as a text.", param=name)
        seen.add(name)


def _is_read(name: str) -> bool:
    return name in _READ_HERE or "prompt" in name.lower()


def _file(field: str, upload: UploadFile) -> File:
    return File(
        field, upload.filename or "file", upload.file, upload.content_type or "application/octet-stream"
    )
