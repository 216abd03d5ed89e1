"""Reads and validates the credentials of an artifact, offline."""

from __future__ import annotations

import c2pa

from guard.media import Artifact, Modality
from guard.provenance import text
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.report import Report, absent, unreadable
from guard.provenance.sdk import clean, readable, reason

__all__ = ["carries_credentials", "read"]

_REMOTE = "must fetch remote manifests from url"


def read(artifact: Artifact, *, anchors: str, manifest: bytes | None = None) -> Credential:
    """What `artifact`'s credentials are worth to someone who trusts the authorities in `anchors` (PEM).

    `manifest` is a manifest store kept apart from the file; with it, an embedded one is ignored. Nothing is
    fetched: credentials that live elsewhere are reported as unreadable, with their address. Hostile or
    damaged content gives a state, never an error. Raises `ConfigurationError` for unusable anchors only.
    """
    if artifact.modality is Modality.TEXT:
        return text.read(artifact.data, anchors, manifest)
    if manifest is None and artifact.mime not in readable():
        return absent(f"The file carries no Content Credentials: {artifact.mime} has no place for them.")
    try:
        report = Report.of(artifact.mime, artifact.data, anchors, manifest)
    except c2pa.C2paError.ManifestNotFound:
        return absent()
    except c2pa.C2paError as error:
        return _unreadable(error)
    except (ValueError, RecursionError) as error:
        return unreadable(reason(error))
    return report.credential(report.state, report.codes("failure") + report.codes("informational"))


def carries_credentials(artifact: Artifact) -> bool:
    """Whether `artifact` holds or points to credentials, sound or not."""
    return read(artifact, anchors="").state is not CredentialState.ABSENT


def _unreadable(error: c2pa.C2paError) -> Credential:
    said = str(error)
    if _REMOTE in said:
        address = clean(said.partition(_REMOTE)[2]) or "an address without a name"
        return unreadable(f"they are kept at {address}, which Guard does not fetch", "manifest.inaccessible")
    return unreadable(reason(error))
