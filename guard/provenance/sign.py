"""Embeds a signed manifest in an artifact, or lays it beside one that has no place for it."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import c2pa

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance import text
from guard.provenance.manifest import PARENT, Claim, manifest_definition
from guard.provenance.read import carries_credentials
from guard.provenance.sdk import context, reason, signable
from guard.provenance.signer import Signer

__all__ = ["Signed", "sign"]

_BYTES = "application/octet-stream"
"""What is not looked into, but hashed from end to end: the library would lay out other types anew."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed copy of an artifact, the manifest store it carries, and what else the signing changed.

    Keep `manifest`: it proves the release after the file lost its metadata. If not `embedded`, it is a
    sidecar and the only credential there is: `artifact` is as it was, and the manifest binds its very bytes.
    """

    artifact: Artifact
    manifest: bytes
    notes: tuple[str, ...] = ()
    embedded: bool = True


def sign(
    artifact: Artifact,
    claim: Claim,
    signer: Signer,
    *,
    ingredient: Artifact | None = None,
    embed: bool = True,
) -> Signed:
    """A copy of `artifact` that carries `claim`, signed by `signer`.

    If `ingredient` (the bytes as they came in, before marking re-encoded them) or else `artifact` itself
    carries credentials, those become the parent of the new manifest, which then begins with `c2pa.opened`;
    otherwise it begins with `c2pa.created`. Text is signed in Unicode NFC (C2PA 2.4 A.8); if that changed
    it, `notes` says so. Sound whose type has no place for a manifest (Ogg, AAC, PCM) gets one beside it, and
    so does any without `embed`: the bytes of a stream left before there was anything to sign.

    Raises `CredentialError` if the type carries no manifest, the signer cannot sign it, or earlier
    credentials are there that cannot be kept.
    """
    signer.require_current()
    candidates = (source for source in (ingredient, artifact) if source is not None)
    parent = next(filter(carries_credentials, candidates), None)
    if artifact.modality is Modality.TEXT:
        return _sign_text(artifact, claim, signer, parent)
    embedded = embed and artifact.mime in signable()
    if not embedded and artifact.modality is not Modality.AUDIO:
        raise CredentialError(
            f"{artifact.mime} cannot carry Content Credentials.",
            "Convert it first: PNG or JPEG for images, MP4 for video.",
        )
    return _sign_media(artifact, claim, signer, parent, embedded=embedded)


def _sign_media(
    artifact: Artifact, claim: Claim, signer: Signer, parent: Artifact | None, *, embedded: bool
) -> Signed:
    definition = manifest_definition(claim, opened=parent is not None)
    output = io.BytesIO()
    try:
        with context() as settings, c2pa.Builder(definition, settings) as builder:
            if not embedded:
                builder.set_no_embed()
            if parent is not None:
                _add_parent(builder, parent)
            with c2pa.Signer.from_info(_signer_info(signer)) as key:
                manifest = builder.sign(
                    key, artifact.mime if embedded else _BYTES, io.BytesIO(artifact.data), output
                )
    except c2pa.C2paError as error:
        raise CredentialError(
            f"This {artifact.mime} file could not be signed: {reason(error)}.",
            "Check the file with: guard inspect. Check the signer with: guard keys show.",
        ) from error
    if not embedded:
        note = f"The credentials of this {artifact.mime} are kept beside the file, as a sidecar."
        return Signed(artifact, manifest, (note,), embedded=False)
    return Signed(replace(artifact, data=output.getvalue()), manifest)


def _add_parent(builder: c2pa.Builder, parent: Artifact) -> None:
    description = {"title": "input", "relationship": "parentOf", "label": PARENT}
    try:
        builder.add_ingredient(description, parent.mime, io.BytesIO(parent.data))
    except c2pa.C2paError as error:
        raise CredentialError(
            f"The input carries credentials that cannot be kept: {reason(error)}.",
            "To release it without them, remove its metadata first: they are not overwritten in silence.",
        ) from error


def _signer_info(signer: Signer) -> c2pa.C2paSignerInfo:
    algorithm = c2pa.C2paSigningAlg[signer.alg.upper()]
    return c2pa.C2paSignerInfo(algorithm, signer.certificates.encode(), signer.private_key.encode(), None)


def _sign_text(artifact: Artifact, claim: Claim, signer: Signer, parent: Artifact | None) -> Signed:
    if parent is not None:
        raise CredentialError(
            "The text already carries credentials, and a text manifest cannot keep them as an ingredient.",
            "Release it as it is, or remove its invisible trailing characters first.",
        )
    signed, manifest = text.embed(artifact.text, artifact.mime, claim, signer)
    data = signed.encode()
    note = "The text was rewritten as UTF-8 in Unicode NFC, the only form in which C2PA text can be signed."
    notes = () if data.startswith(artifact.data) else (note,)
    return Signed(replace(artifact, data=data), manifest, notes)
