"""Reads and validates the credentials of an artifact, offline."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import c2pa

from guard.media import Artifact, Modality
from guard.provenance import text
from guard.provenance.apart import binding_in
from guard.provenance.binding import MISMATCH
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.judging import store_of
from guard.provenance.report import Report, absent, unreadable
from guard.provenance.sdk import clean, context, readable, reason
from guard.provenance.trust import NOBODY, Trust
from guard.provenance.unhashed import exclusion_warnings, unhashed_warnings

__all__ = ["carries_credentials", "read"]

_REMOTE = "must fetch remote manifests from url"


def read(artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> Credential:
    """What `artifact`'s credentials are worth to someone with this `trust`.

    `manifest` is a manifest store kept apart from the file; with it, an embedded one is ignored. Nothing is
    fetched: credentials that live elsewhere are reported as unreadable, with their address. Hostile or
    damaged content gives a state, never an error. Raises `ConfigurationError` for unusable lists only.
    """
    if artifact.modality is Modality.TEXT:
        return text.read(artifact.data, trust, manifest)
    if manifest is None and artifact.mime not in readable():
        return absent(f"The file carries no Content Credentials: {artifact.mime} has no place for them.")
    try:
        report = Report.of(artifact.mime, artifact.data, trust, manifest)
        state, codes = report.state, report.codes("failure") + report.codes("informational")
        if manifest is not None and state is not CredentialState.INVALID and _detached(artifact, manifest):
            state, codes = CredentialState.INVALID, (MISMATCH, *codes)
    except c2pa.C2paError.ManifestNotFound:
        return absent()
    except c2pa.C2paError as error:
        return _unreadable(error)
    except (ValueError, RecursionError) as error:
        return unreadable(reason(error))
    found = report.credential(state, codes)
    warnings = unhashed_warnings(artifact.data) + exclusion_warnings(artifact.mime, report.holes)
    return replace(found, warnings=warnings) if warnings else found


def _detached(artifact: Artifact, manifest: bytes) -> bool:
    """Whether a manifest that came beside the file leaves bytes of it to be filled by anybody: those where it
    used to be itself. The library minds that in some types and not in others."""
    binding = binding_in(manifest)
    if binding is None or not any(hole.length for hole in binding.holes):
        return False
    try:
        with (
            context() as settings,
            c2pa.Reader(artifact.mime, io.BytesIO(artifact.data), context=settings) as reader,
        ):
            label = json.loads(reader.json()).get("active_manifest")
            holds = reader.get_validation_state() != "Invalid"
            return not holds or store_of(reader, label) != manifest
    except c2pa.C2paError:
        return True


def carries_credentials(artifact: Artifact) -> bool:
    """Whether `artifact` holds or points to credentials, sound or not."""
    return read(artifact, trust=NOBODY).state is not CredentialState.ABSENT


def _unreadable(error: c2pa.C2paError) -> Credential:
    said = str(error)
    if _REMOTE in said:
        address = said.partition(_REMOTE)[2].strip()
        where = clean(address) or "an address without a name"
        found = unreadable(f"they are kept at {where}, which was not asked", "manifest.inaccessible")
        return replace(found, remote=address)
    return unreadable(reason(error))
