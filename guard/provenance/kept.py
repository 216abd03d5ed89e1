"""What a manifest that was kept apart from its file is worth for content that has changed since."""

from __future__ import annotations

from dataclasses import replace

from guard.provenance.credential import Credential, CredentialState

__all__ = ["by_itself"]

_OF_CONTENT = (
    "assertion.dataHash.",
    "assertion.bmffHash.",
    "assertion.boxesHash.",
    "assertion.collectionHash.",
)
_UNKNOWN = ("signingCredential.untrusted",)
_REMARKS = (".trusted", ".validated", ".match", ".insideValidity", ".notRevoked", ".skipped", ".inaccessible")


def by_itself(credential: Credential) -> Credential:
    """The credential, read for a copy of what was signed, as it stands without its hash of the content:
    whether the signature holds, and whose it is. That hash binds the very bytes that were signed, and no copy
    has them.
    """
    others = tuple(code for code in credential.codes if not code.startswith(_OF_CONTENT))
    faults = [code for code in others if code not in _UNKNOWN and not code.endswith(_REMARKS)]
    if credential.state is not CredentialState.INVALID or faults or len(others) == len(credential.codes):
        return credential
    trusted = credential.trusted_by is not None and not credential.interim
    state = CredentialState.TRUSTED if trusted else CredentialState.VALID
    return replace(credential, state=state, codes=others, explanation=())
