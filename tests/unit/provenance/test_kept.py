"""A manifest that was kept is worth what it is by itself."""

from __future__ import annotations

import pytest

from guard.provenance.credential import Credential, CredentialState
from guard.provenance.kept import by_itself

MISMATCH, SKIPPED, UNTRUSTED = (
    "assertion.dataHash.mismatch",
    "signingCredential.ocsp.skipped",
    "signingCredential.untrusted",
)


def credential(*codes: str, listed: str | None = "a list", interim: bool = False) -> Credential:
    return Credential(
        CredentialState.INVALID, codes, ("It does not hold.",), "Signer", trusted_by=listed, interim=interim
    )


@pytest.mark.parametrize("code", [MISMATCH, "assertion.bmffHash.mismatch", "assertion.boxesHash.mismatch"])
def test_where_the_content_alone_differs_it_holds(code: str) -> None:
    found = by_itself(credential(code, SKIPPED))
    assert found.state is CredentialState.TRUSTED
    assert found.codes == (SKIPPED,)
    assert found.explanation == ()
    assert found.issuer == "Signer"


def test_of_a_signer_that_nobody_lists_or_whose_list_is_given_up_it_is_valid() -> None:
    assert by_itself(credential(MISMATCH, UNTRUSTED, listed=None)).state is CredentialState.VALID
    assert by_itself(credential(MISMATCH, interim=True)).state is CredentialState.VALID


@pytest.mark.parametrize(
    "code",
    [
        "claimSignature.mismatch",
        "assertion.hashedURI.mismatch",
        "signingCredential.expired",
        "assertion.missing",
    ],
)
def test_with_any_other_fault_it_does_not_hold(code: str) -> None:
    broken = credential(MISMATCH, code)
    assert by_itself(broken) is broken


def test_what_failed_over_nothing_that_is_known_stays_as_it_was() -> None:
    odd = credential(SKIPPED)
    assert by_itself(odd) is odd
    absent = Credential(CredentialState.ABSENT)
    assert by_itself(absent) is absent
