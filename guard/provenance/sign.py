"""Embeds a signed manifest in an artifact, or lays it beside one that has no place for it."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import c2pa

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance import text
from guard.provenance.apart import sign_apart
from guard.provenance.binding import Binding
from guard.provenance.claim import Claim
from guard.provenance.ingredients import Input, Lineage, lineage_of
from guard.provenance.manifest import manifest_definition, new_label
from guard.provenance.sdk import context, reason, signable
from guard.provenance.sdk_signer import sdk_signer
from guard.provenance.signer import Signer
from guard.provenance.visible import without_manifest

__all__ = ["Signed", "sign"]

_REWRITTEN = "The text was rewritten as UTF-8 in Unicode NFC, the only form in which C2PA text can be signed."


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed copy of an artifact, the manifest store it carries, and what else the signing changed.

    Keep `manifest`: it proves the release after the file lost its metadata. If not `embedded`, it is a
    sidecar and the only credential there is: `artifact` is as it was, and the manifest binds its very bytes.
    `label` is the name (URN) of the new manifest, the active one in the store.
    """

    artifact: Artifact
    manifest: bytes
    label: str
    notes: tuple[str, ...] = ()
    embedded: bool = True


def sign(
    artifact: Artifact,
    claim: Claim,
    signer: Signer,
    *,
    ingredient: Artifact | None = None,
    inputs: Sequence[Input] = (),
    redact: Collection[str] = (),
    embed: bool = True,
) -> Signed:
    """A copy of `artifact` that carries `claim`, signed by `signer`.

    If `ingredient` (the bytes as they came in, before marking re-encoded them) or else `artifact` itself
    carries credentials, those become the parent of the new manifest, which then begins with `c2pa.opened`; so
    do those of the first of `inputs` that the model edited. Otherwise it begins with `c2pa.created`. What
    else the model was given becomes an ingredient too. Assertions with a label in `redact` are taken out of
    all ingredients' credentials. Plain text is signed in Unicode NFC (C2PA 2.4 A.8); if that changed it,
    `notes` says so. A type that has no place for a manifest (Ogg, AAC, PCM, WebM, JSON) gets one beside it,
    and so does any without `embed`: the bytes of a stream left before there was anything to sign.

    Raises `CredentialError` if the signer cannot sign the artifact, or earlier credentials are there that
    cannot be kept.
    """
    signer.require_current()
    lineage = lineage_of(artifact, ingredient, inputs, redact)
    definition = manifest_definition(claim, lineage.history) | {"label": new_label()}
    try:
        if not embed or not _has_place(artifact):
            return _beside(artifact, definition, signer, lineage)
        if artifact.modality is Modality.TEXT:
            return _in_text(artifact, definition, signer, lineage)
        return _embedded(artifact, definition, signer, lineage)
    except c2pa.C2paError as error:
        raise CredentialError(
            f"This {artifact.mime} file could not be signed: {reason(error)}.",
            "Check the file with: guard inspect. Check the signer with: guard keys show.",
        ) from error


def _has_place(artifact: Artifact) -> bool:
    if artifact.modality is Modality.TEXT:
        return artifact.mime in text.CARRIERS
    return artifact.mime in signable()


def _embedded(artifact: Artifact, definition: dict[str, Any], signer: Signer, lineage: Lineage) -> Signed:
    output = io.BytesIO()
    with context() as settings, c2pa.Builder(definition, settings) as builder:
        lineage.add_to(builder)
        with sdk_signer(signer) as key:
            manifest = builder.sign(key, artifact.mime, io.BytesIO(artifact.data), output)
    return Signed(replace(artifact, data=output.getvalue()), manifest, definition["label"])


def _in_text(artifact: Artifact, definition: dict[str, Any], signer: Signer, lineage: Lineage) -> Signed:
    signed, manifest = text.embed(artifact.text, artifact.mime, definition, signer, lineage.add_to)
    kept = without_manifest(signed).encode() == artifact.data
    notes = () if kept else (_REWRITTEN,)
    return Signed(replace(artifact, data=signed.encode()), manifest, definition["label"], notes)


def _beside(artifact: Artifact, definition: dict[str, Any], signer: Signer, lineage: Lineage) -> Signed:
    manifest = sign_apart(definition, Binding.of([artifact.data]), signer, lineage.add_to)
    note = f"The credentials of this {artifact.mime} are kept beside the file, as a sidecar."
    return Signed(artifact, manifest, definition["label"], (note,), embedded=False)
