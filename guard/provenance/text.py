"""Credentials in plain text: invisible trailing characters (C2PA 2.4, annex A.8)."""

from __future__ import annotations

import c2pa
import c2patxt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from guard import __version__
from guard.errors import CredentialError
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.manifest import GENERATOR, TRAINED_ALGORITHMIC_MEDIA, Claim
from guard.provenance.report import Report, absent, unreadable
from guard.provenance.sdk import reason
from guard.provenance.signer import Signer
from guard.provenance.visible import normalised, without_manifest

__all__ = ["embed", "read"]

_MAGIC = b"C2PATXT\x00\x01"
_BINDING = "assertion.dataHash.mismatch"


def embed(text: str, mime: str, claim: Claim, signer: Signer) -> tuple[str, bytes]:
    """`text` in NFC with a manifest behind it, and the manifest store alone.

    Text manifests have a fixed set of statements: the release id goes into the instance id, and the package
    URL of the model names provider, system and version. Raises `CredentialError` if the claim needs more
    than that, the signer is not Ed25519, or this is no plain text.
    """
    if claim.soft_binding or claim.digital_source_type != TRAINED_ALGORITHMIC_MEDIA:
        raise CredentialError(
            "A text manifest can state neither a watermark nor a source other than a trained model.",
            "Leave soft_binding and digital_source_type out for text.",
        )
    try:
        disclosure = c2patxt.Disclosure(
            media_type=mime,
            model_type="c2pa.types.model",
            model_name=claim.model_name,
            model_identifier=claim.model_identifier,
        )
    except ValueError as error:
        raise CredentialError(f"{mime} cannot carry text credentials.", "Sign it as text/plain.") from error
    try:
        signed = c2patxt.embed(text, _signer(signer), disclosure, context=_context(claim))
    except (c2patxt.C2paTextError, ValueError) as error:
        raise CredentialError(
            f"The text could not be signed: {reason(error)}.",
            "Check the text, the claim's time of creation and the signer.",
        ) from error
    store = c2patxt.extract(signed)
    assert store is not None
    return signed, store.raw


def read(data: bytes, anchors: str, manifest: bytes | None) -> Credential:
    """The credentials of UTF-8 text, or `manifest` held against it; see `guard.provenance.read.read`.

    Two validators must agree: c2patxt checks structure, signature and the tie to the text, and c2pa-rs checks
    the store again and judges the signer, so that trust is decided in one place for all media.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return absent("The file carries no Content Credentials: it is not UTF-8 text.")
    if manifest is not None:
        text = normalised(without_manifest(text)) + _wrap(manifest)
    verdict = c2patxt.verify(text)
    if verdict.state is c2patxt.Provenance.UNMARKED:
        return absent()
    failures = [str(status.code) for status in verdict.failure]
    if verdict.manifest is None:
        return unreadable("their carrier is damaged", failures[0])
    try:
        report = Report.of("application/c2pa", verdict.manifest.raw, anchors)
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return unreadable(reason(error))
    return _combine(verdict, report, failures)


def _combine(verdict: c2patxt.Verdict, report: Report, failures: list[str]) -> Credential:
    # c2pa-rs was shown the store without its text, so it cannot judge the tie, and c2patxt knows no anchors.
    own = [code for code in report.codes("failure") if code != _BINDING]
    failures = [code for code in failures if code != "signingCredential.untrusted"] + own
    remarks = [str(status.code) for status in verdict.informational] + list(report.codes("informational"))
    if verdict.state is c2patxt.Provenance.INVALID or set(failures) - {"signingCredential.untrusted"}:
        state = CredentialState.INVALID
    elif "signingCredential.trusted" in report.codes("success"):
        state = CredentialState.TRUSTED
    else:
        state = CredentialState.VALID
    return report.credential(state, tuple(dict.fromkeys([*failures, *remarks])))


def _context(claim: Claim) -> c2patxt.EmbedContext:
    return c2patxt.EmbedContext(
        instance_id=claim.instance_id,
        when=claim.created_at.replace(microsecond=0),
        generator_name=GENERATOR,
        generator_version=__version__,
    )


def _signer(signer: Signer) -> c2patxt.Signer:
    key = load_pem_private_key(signer.private_key.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise CredentialError(f"Text cannot be signed with {signer.alg}.", "Use an Ed25519 key for text.")
    return c2patxt.Signer(private_key=key, certificates=signer.chain)


def _wrap(manifest: bytes) -> str:
    """`manifest` in the invisible form of A.8.3: a mark, then one variation selector for each byte."""
    body = _MAGIC + len(manifest).to_bytes(4, "big") + manifest
    return "\ufeff" + "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in body)
