"""How the verify path reads credentials: in a sandbox, and asking the hosts that its owner allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from guard.errors import CredentialError
from guard.media import Artifact
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.fetch import Fetcher
from guard.provenance.trust import Trust, TrustList

__all__ = ["CarefulReader", "Reads"]


class Reads(Protocol):
    """What reads credentials: `guard.provenance.read.read`, or with more care."""

    def __call__(self, artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> Credential:
        """As `guard.provenance.read.read`."""


@dataclass(frozen=True)
class CarefulReader:
    """`inner` reads; a manifest that a file keeps elsewhere is fetched by `fetcher`, where one is given and
    allows its address. What comes from there is worth what it would be beside the file: it binds the
    bytes. Where credentials were judged by one of the lists that are `stale`, a warning says so."""

    inner: Reads
    fetcher: Fetcher | None = None
    stale: tuple[TrustList, ...] = ()

    def __call__(self, artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> Credential:
        found = self._read(artifact, trust, manifest)
        old = [each for each in self.stale if each in trust.lists]
        if not old or found.state is CredentialState.ABSENT:
            return found
        return replace(found, warnings=(*found.warnings, _out_of_date(old)))

    def _read(self, artifact: Artifact, trust: Trust, manifest: bytes | None) -> Credential:
        found = self.inner(artifact, trust=trust, manifest=manifest)
        if found.remote is None or manifest is not None or self.fetcher is None:
            return found
        try:
            fetched = self.fetcher.get(found.remote)
        except CredentialError as error:
            return replace(found, explanation=(*found.explanation, error.message))
        credential = self.inner(artifact, trust=trust, manifest=fetched)
        note = "The credentials are not in the file: they were fetched from where it says they are."
        return replace(credential, explanation=(*credential.explanation, note), remote=found.remote)


def _out_of_date(lists: Sequence[TrustList]) -> str:
    names = " and the ".join(map(str, lists))
    return (
        f"Signers were judged by the {names}, which is long ago: some may have joined or left since. "
        "Fetch what is new with: guard trust refresh"
    )
