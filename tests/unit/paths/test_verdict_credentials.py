"""What the verdict says of a credential's signer, its list, its ingredients and what it leaves out."""

from __future__ import annotations

import pytest

from guard.provenance.credential import Credential, CredentialState, Ingredient
from guard.verdict import Conclusion, LedgerMatch, conclude
from guard.watermark import Reading, ReadingState


def concluded(credential: Credential) -> Conclusion:
    return conclude(credential, Reading(ReadingState.ABSENT), LedgerMatch(), ())


def ingredient(title: str, state: str, *inner: Ingredient) -> Ingredient:
    return Ingredient(
        title=title, relationship="componentOf", state=state, codes=[], issuer=None, ingredients=list(inner)
    )


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (
            Credential(CredentialState.TRUSTED, issuer="Acme", trusted_by="a list"),
            "Acme, who is trusted here;",
        ),
        (Credential(CredentialState.VALID, issuer="Acme"), "Acme, who is not on the trust list;"),
        (
            Credential(CredentialState.VALID, issuer="Acme", trusted_by="old of 2026-01-02", interim=True),
            "Acme, who is on an interim trust list only (old of 2026-01-02);",
        ),
        (
            Credential(CredentialState.VALID, issuer="Acme", trusted_by="a list"),
            "Acme, who is trusted here, though not all that it cites is;",
        ),
    ],
)
def test_how_the_signer_is_known(credential: Credential, said: str) -> None:
    assert said in concluded(credential).summary


def test_ingredients_that_fail_are_warned_of_at_any_depth() -> None:
    deep = ingredient("outer", "trusted", ingredient("middle", "valid", ingredient("inner", "invalid")))
    credential = Credential(CredentialState.TRUSTED, ingredients=(deep, ingredient("", "unreadable")))
    assert concluded(credential).warnings == (
        "The credentials of ingredient inner fail validation.",
        "The credentials of ingredient (untitled) fail validation.",
    )


def test_what_the_signature_leaves_out_is_warned_of() -> None:
    credential = Credential(CredentialState.TRUSTED, warnings=("The signature does not cover it.",))
    assert concluded(credential).warnings == ("The signature does not cover it.",)
