"""The files that a release was made from, as ingredients of its manifest (C2PA 2.4 §18.16)."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import c2pa

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.manifest import PARENT, History
from guard.provenance.read import carries_credentials
from guard.provenance.sdk import context, readable, reason

__all__ = ["PERSONAL", "Input", "Lineage", "check_keepable", "lineage_of"]

PERSONAL = frozenset(
    {
        *("c2pa.metadata", "cawg.identity", "cawg.metadata"),
        *("stds.exif", "stds.iptc", "stds.iptc.photo-metadata", "stds.schema-org.CreativeWork"),
    }
)
"""Assertions that may name people, places or devices."""

_BOX_TYPE = b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"
_XMP_OF = {"image/png": (b"adobe.xmp",)}
_COMPRESSED = frozenset({"application/pdf"})


@dataclass(frozen=True, slots=True)
class Input:
    """A file that the model was given. If `edited`, the release is this file, changed by the model; else it
    is a new one for which the model used this."""

    artifact: Artifact
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """The ingredients of a manifest, each under its name, and what the manifest says of them."""

    history: History = History()  # noqa: RUF009 - frozen
    parts: tuple[tuple[str, str, Artifact], ...] = ()

    def add_to(self, builder: c2pa.Builder) -> None:
        """Put the ingredients into a manifest, each with its own credentials and what they are worth today.

        Raises `CredentialError` for credentials that cannot be kept.
        """
        for name, relationship, artifact in self.parts:
            description = {"title": "input", "relationship": relationship, "label": name}
            mime = artifact.mime if artifact.mime in readable() else "application/octet-stream"
            try:
                builder.add_ingredient(description, mime, io.BytesIO(artifact.data))
            except c2pa.C2paError as error:
                raise CredentialError(
                    f"The input carries credentials that cannot be kept: {reason(error)}.",
                    "To release it without them, remove its metadata first: nothing drops them in silence.",
                ) from error


def check_keepable(artifact: Artifact) -> None:
    """Raise `CredentialError` for a file whose credentials no manifest can keep."""
    with context() as settings, c2pa.Builder({}, settings) as builder:
        Lineage(parts=(("input", "inputTo", artifact),)).add_to(builder)


def _shows_none(artifact: Artifact) -> bool:
    """Whether the bytes show at a glance that no manifest is in them, nor the address of one.

    Every manifest is in a box of type `c2pa`, and SVG, which codes it, names its element so; addresses are in
    XMP's `dcterms:provenance` (C2PA 2.4 §11). PDF may compress these words, and PNG its XMP.
    """
    traces = (_BOX_TYPE, b"c2pa:manifest", b"provenance", *_XMP_OF.get(artifact.mime, ()))
    # From behind, since Python looks for long words faster in that direction.
    return artifact.mime not in _COMPRESSED and all(artifact.data.rfind(trace) < 0 for trace in traces)


def _carries(artifact: Artifact) -> bool:
    glance = artifact.modality is not Modality.TEXT and _shows_none(artifact)
    return not glance and carries_credentials(artifact)


def lineage_of(
    artifact: Artifact,
    original: Artifact | None = None,
    inputs: Sequence[Input] = (),
    redact: Collection[str] = (),
) -> Lineage:
    """What `artifact` was made from.

    Its parent is `original` (the bytes as they came in, before marking re-encoded them) or `artifact` itself
    where that carries credentials, else the first input that was `edited`; all other inputs were given to the
    model. Assertions called one of `redact` are taken out of the ingredients' credentials.

    Raises `CredentialError` for texts that carry credentials, which nothing can keep.
    """
    sources = [original] if original is not None else []
    own = next(filter(_carries, [*sources, *(a for a in [artifact] if a is not original)]), None)
    edited = next((each for each in inputs if each.edited), None) if own is None else None
    parent = edited.artifact if edited else own
    given = [each.artifact for each in inputs if each is not edited]
    parts = [(PARENT, "parentOf", parent)] if parent else []
    parts += [(f"input-{number}", "inputTo", each) for number, each in enumerate(given, 1)]
    for _, _, part in parts:
        _refuse_text(part)
    # Credentials of the model's own maker tell already what it did with the inputs.
    names = () if own else tuple(name for name, relationship, _ in parts if relationship == "inputTo")
    addresses = tuple(address for _, _, part in parts for address in _addresses(part, redact))
    return Lineage(History(parent is not None, names, edited is not None, addresses), tuple(parts))


def _refuse_text(part: Artifact) -> None:
    if part.modality is Modality.TEXT:
        raise CredentialError(
            "The text already carries credentials, and no manifest can keep a text as an ingredient.",
            "Release it as it is, or remove its manifest first.",
        )


def _addresses(artifact: Artifact, labels: Collection[str]) -> Iterator[str]:
    """Where in the credentials of `artifact` assertions with these labels stand."""
    for manifest in _manifests(artifact) if labels else ():
        for label in manifest.get("assertions", {}):
            if label.split("__")[0] in labels:
                yield f"self#jumbf=/c2pa/{manifest['label']}/c2pa.assertions/{label}"


def _manifests(artifact: Artifact) -> list[dict[str, Any]]:
    """The manifests in a file, as crJSON; none where there are none or they cannot be read."""
    if artifact.mime not in readable():
        return []
    try:
        with (
            context() as settings,
            c2pa.Reader(artifact.mime, io.BytesIO(artifact.data), context=settings) as reader,
        ):
            return list(json.loads(reader.crjson())["manifests"])
    except (c2pa.C2paError, ValueError, RecursionError):
        return []
