"""The pictures that a caller gives to a model, which become ingredients of what it makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from guard.api.asked import Asked
from guard.api.dataurls import from_data_url
from guard.api.errors import ApiError
from guard.api.jsontree import leaves
from guard.errors import CredentialError, InputError
from guard.media import Artifact, Limits, Modality
from guard.provenance.ingredients import Input, check_keepable
from models.upstream import File, Form

__all__ = ["given"]

_PICTURES = re.compile(r"images?(?:\[[0-9]*\])?")
_DATA_URL = re.compile(r"\s*data:image/", re.IGNORECASE)


def given(asked: Asked, limits: Limits, edited: bool) -> tuple[Input, ...]:
    """The pictures in a request, the first as the one that is `edited` if any is.

    What lies elsewhere (a URL, a file's id) or is no picture is left out: whether it will do is for the
    upstream to say. A mask is not part of what comes out. Raises `ApiError` for a picture whose credentials
    cannot be kept, before anybody pays for what would then not be released.
    """
    pictures = [each for each in _pictures(asked, limits) if each.modality is Modality.IMAGE]
    for picture in pictures:
        try:
            check_keepable(picture)
        except CredentialError as error:
            raise ApiError(400, f"{error} {error.remedy}", param="image") from error
    return tuple(Input(each, edited and number == 0) for number, each in enumerate(pictures))


def _pictures(asked: Asked, limits: Limits) -> Iterator[Artifact]:
    if isinstance(asked.body, Form):
        for file in asked.body.files:
            with suppress(InputError):
                if _PICTURES.fullmatch(file.field):
                    yield Artifact.from_bytes(_content(file), limits=limits)
        return
    named = [value for name, value in asked.body.items() if _PICTURES.fullmatch(name)]
    for leaf in leaves(named, skip=()):
        with suppress(InputError):
            if _DATA_URL.match(leaf.text):
                yield from_data_url(leaf.text.strip(), limits)


def _content(file: File) -> bytes:
    if isinstance(file.data, bytes):
        return file.data
    content = file.data.read()
    file.data.seek(0)  # it is sent on after this
    return content
