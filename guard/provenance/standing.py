"""What the ingredients of a file are worth: files that went into it, and those that went into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guard.provenance.codes import UNTRUSTED, explain, is_success
from guard.provenance.credential import CredentialState, Ingredient
from guard.provenance.judging import TRUSTED, Judge
from guard.provenance.sdk import clean
from guard.provenance.shapes import codes_of, mapping, sequence
from guard.provenance.trust import ListKind

__all__ = ["Standing", "ingredient_sentences"]

_DEEPEST = 20
_MOST = 1000


class Standing:
    """Judges the ingredients of the manifests in a store."""

    def __init__(self, manifests: Mapping[str, Any], results: Mapping[str, Any], judge: Judge) -> None:
        self._manifests = manifests
        self._judge = judge
        self._deltas = {}
        self._left = _MOST  # each file may be used by many: a hostile store could make millions of few
        for entry in map(mapping, sequence(results.get("ingredientDeltas"))):
            self._deltas[str(entry.get("ingredientAssertionURI"))] = mapping(entry.get("validationDeltas"))

    def of(self, label: object, above: tuple[object, ...] = ()) -> Iterator[Ingredient]:
        """Ingredients of the manifest `label`, each with its own in turn; loops are cut."""
        if not isinstance(label, str) or label in above or len(above) == _DEEPEST:
            return
        for ingredient in map(mapping, sequence(mapping(self._manifests.get(label)).get("ingredients"))):
            if not self._left:
                return
            self._left -= 1
            address = f"self#jumbf=/c2pa/{label}/c2pa.assertions/{ingredient.get('label')}"
            judged = self._judged(ingredient, self._deltas.get(address, {}))
            judged["ingredients"] = list(self.of(ingredient.get("active_manifest"), (*above, label)))
            yield judged

    def _judged(self, ingredient: dict[str, Any], delta: dict[str, Any]) -> Ingredient:
        """What its user recorded of it, corrected by what was found (the delta) today."""
        recorded = mapping(mapping(ingredient.get("validation_results")).get("activeManifest"))
        label = ingredient.get("active_manifest")
        on = self._judge.list_of(label, delta)
        found = (recorded.get("failure"), ingredient.get("validation_status"), delta.get("failure"))
        failures = dict.fromkeys(code for codes in found for code in codes_of(codes) if not is_success(code))
        trusted_now = on is not None and on.kind is not ListKind.INTERIM
        if trusted_now:
            failures.pop(UNTRUSTED, None)
        trusted = trusted_now or TRUSTED in codes_of(recorded.get("success"))
        signature = mapping(mapping(self._manifests.get(str(label))).get("signature_info"))
        return Ingredient(
            title=clean(ingredient.get("title")),
            relationship=clean(ingredient.get("relationship")),
            state=_state(isinstance(label, str), set(failures), trusted).value,
            codes=list(failures),
            issuer=clean(signature.get("issuer")) or clean(signature.get("common_name")),
            ingredients=[],
        )


def ingredient_sentences(ingredients: tuple[Ingredient, ...]) -> Iterator[str]:
    """One on each ingredient, at any depth, whose credentials do not hold."""
    for ingredient in ingredients:
        if ingredient["state"] in {CredentialState.INVALID, CredentialState.UNREADABLE}:
            reasons = " ".join(explain(code) for code in ingredient["codes"])
            title = ingredient["title"] or "without a title"
            yield f"The credentials of the ingredient “{title}” do not hold. {reasons}"
        yield from ingredient_sentences(tuple(ingredient["ingredients"]))


def _state(has_manifest: bool, failures: set[str], trusted: bool) -> CredentialState:
    if not has_manifest:
        return CredentialState.UNREADABLE if failures else CredentialState.ABSENT
    if failures - {UNTRUSTED}:
        return CredentialState.INVALID
    return CredentialState.TRUSTED if trusted and not failures else CredentialState.VALID
