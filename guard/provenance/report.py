"""From the C2PA library's report on a manifest store to a `Credential`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import c2pa

from guard.provenance.codes import UNTRUSTED, explain, is_success
from guard.provenance.credential import Credential, CredentialState, Ingredient
from guard.provenance.manifest import RELEASE_URN
from guard.provenance.sdk import clean, context

__all__ = ["Report", "absent", "unreadable"]

_TRUSTED = "signingCredential.trusted"
_HEADLINES = {
    CredentialState.TRUSTED: "The credentials are intact and their signer ({issuer}) is trusted.",
    CredentialState.VALID: "The credentials are intact, but their signer ({issuer}) is unknown.",
    CredentialState.INVALID: "The file carries credentials (signed as {issuer}) that do not hold for it.",
}


def absent(sentence: str = "The file carries no Content Credentials.") -> Credential:
    """Nothing to validate."""
    return Credential(CredentialState.ABSENT, explanation=(sentence,))


def unreadable(why: str, code: str = "general.error") -> Credential:
    """No answer: credentials are there, or may be, and no manifest came out of the file."""
    sentence = f"No credentials could be read from the file: {why}."
    return Credential(CredentialState.UNREADABLE, (code,), (sentence,))


class Report:
    """A validated manifest store. Its strings and shapes are its signer's, so each is checked before use."""

    def __init__(self, store: dict[str, Any]) -> None:
        self._manifests = _mapping(store.get("manifests"))
        self._results = _mapping(store.get("validation_results"))
        self._state = store.get("validation_state")
        self._label = store.get("active_manifest")
        self._active = self._manifest(self._label)

    @classmethod
    def of(cls, mime: str, data: bytes, anchors: str, manifest: bytes | None = None) -> Report:
        """The report on `data`'s embedded manifest store, or on `manifest` as one kept beside it.

        Raises `c2pa.C2paError` without a store, or `ValueError` or `RecursionError` for one too odd to list.
        """
        with context(anchors) as settings:
            reader = c2pa.Reader(mime, io.BytesIO(data), manifest_data=manifest, context=settings)
            with reader:
                return cls(_mapping(json.loads(reader.json())))

    @property
    def state(self) -> CredentialState:
        """The library's verdict; a store without one counts as invalid."""
        known = {"Trusted": CredentialState.TRUSTED, "Valid": CredentialState.VALID}
        return known.get(str(self._state), CredentialState.INVALID)

    def codes(self, kind: str) -> tuple[str, ...]:
        """Codes of the active manifest; `kind` is success, failure or informational."""
        return _codes(_mapping(self._results.get("activeManifest")).get(kind))

    def credential(self, state: CredentialState, codes: tuple[str, ...]) -> Credential:
        """Everything the manifest states, under the verdict that the caller reached."""
        ingredients = tuple(self._ingredients())
        issuer = self._issuer()
        headline = _HEADLINES[state].format(issuer=issuer or "no name")
        if state is CredentialState.VALID and UNTRUSTED not in codes:
            headline = (
                f"The credentials are intact and their signer ({issuer}) is trusted, but not all they cite."
            )
        return Credential(
            state=state,
            codes=codes,
            explanation=(headline, *map(explain, codes), *_ingredient_sentences(ingredients)),
            issuer=issuer,
            generator=self._generator(),
            created=self._created(),
            release_id=self._release_id(),
            soft_bindings=tuple(self._soft_bindings()),
            digital_source_types=tuple(dict.fromkeys(self._source_types(self._label, set()))),
            ingredients=ingredients,
            manifest_label=clean(self._label),
        )

    def _manifest(self, label: object) -> dict[str, Any]:
        return _mapping(self._manifests.get(label)) if isinstance(label, str) else {}

    def _issuer(self) -> str | None:
        signature = _mapping(self._active.get("signature_info"))
        return clean(signature.get("issuer")) or clean(signature.get("common_name"))

    def _generator(self) -> str | None:
        infos = [_mapping(info) for info in _sequence(self._active.get("claim_generator_info"))]
        parts = [clean(infos[0].get("name")), clean(infos[0].get("version"))] if infos else []
        return " ".join(part for part in parts if part) or clean(self._active.get("claim_generator"))

    def _created(self) -> str | None:
        actions = list(_actions(self._active))
        claimed = clean(actions[0].get("when")) if actions else None
        return claimed or clean(_mapping(self._active.get("signature_info")).get("time"))

    def _release_id(self) -> str | None:
        instance = clean(self._active.get("instance_id")) or ""
        return instance.removeprefix(RELEASE_URN) if instance.startswith(RELEASE_URN) else None

    def _soft_bindings(self) -> Iterator[tuple[str, str]]:
        for data in _assertions(self._active, "c2pa.soft-binding"):
            algorithm = clean(data.get("alg"))
            for block in _sequence(data.get("blocks")):
                value = clean(_mapping(block).get("value"))
                if algorithm and value:
                    yield algorithm, value

    def _source_types(self, label: object, seen: set[object]) -> Iterator[str]:
        """Of the manifest `label` and the parents it was made from, once each: a hostile store may loop."""
        while isinstance(label, str) and label not in seen:
            seen.add(label)
            manifest, label = self._manifest(label), None
            for action in _actions(manifest):
                if source := clean(action.get("digitalSourceType")):
                    yield source
            for ingredient in map(_mapping, _sequence(manifest.get("ingredients"))):
                if ingredient.get("relationship") == "parentOf":
                    label = ingredient.get("active_manifest")

    def _ingredients(self) -> Iterator[Ingredient]:
        deltas = {}
        for entry in map(_mapping, _sequence(self._results.get("ingredientDeltas"))):
            deltas[str(entry.get("ingredientAssertionURI"))] = _mapping(entry.get("validationDeltas"))
        for ingredient in map(_mapping, _sequence(self._active.get("ingredients"))):
            address = f"self#jumbf=/c2pa/{self._label}/c2pa.assertions/{ingredient.get('label')}"
            yield _ingredient(ingredient, deltas.get(address, {}))


def _ingredient(ingredient: dict[str, Any], delta: dict[str, Any]) -> Ingredient:
    """One ingredient's standing: what its user recorded, corrected by what was found (the delta) today."""
    recorded = _mapping(_mapping(ingredient.get("validation_results")).get("activeManifest"))
    found = (recorded.get("failure"), ingredient.get("validation_status"), delta.get("failure"))
    failures = dict.fromkeys(code for codes in found for code in _codes(codes) if not is_success(code))
    trusted_now = _TRUSTED in _codes(delta.get("success"))
    if trusted_now:
        failures.pop(UNTRUSTED, None)
    trusted = trusted_now or _TRUSTED in _codes(recorded.get("success"))
    has_manifest = isinstance(ingredient.get("active_manifest"), str)
    return Ingredient(
        title=clean(ingredient.get("title")),
        relationship=clean(ingredient.get("relationship")),
        state=_ingredient_state(has_manifest, set(failures), trusted).value,
        codes=list(failures),
    )


def _ingredient_state(has_manifest: bool, failures: set[str], trusted: bool) -> CredentialState:
    if not has_manifest:
        return CredentialState.UNREADABLE if failures else CredentialState.ABSENT
    if failures - {UNTRUSTED}:
        return CredentialState.INVALID
    return CredentialState.TRUSTED if trusted and not failures else CredentialState.VALID


def _ingredient_sentences(ingredients: tuple[Ingredient, ...]) -> Iterator[str]:
    for ingredient in ingredients:
        if ingredient["state"] in {CredentialState.INVALID, CredentialState.UNREADABLE}:
            reasons = " ".join(explain(code) for code in ingredient["codes"])
            title = ingredient["title"] or "without a title"
            yield f"The credentials of the ingredient “{title}” do not hold. {reasons}"


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for data in _assertions(manifest, "c2pa.actions"):
        yield from map(_mapping, _sequence(data.get("actions")))


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    """Data of the assertions called `label`, with or without version and number (`c2pa.actions.v2__1`)."""
    for assertion in map(_mapping, _sequence(manifest.get("assertions"))):
        if str(assertion.get("label")).split("__")[0].split(".v")[0] == label:
            yield _mapping(assertion.get("data"))


def _codes(entries: object) -> tuple[str, ...]:
    codes = (clean(_mapping(entry).get("code")) for entry in _sequence(entries))
    return tuple(dict.fromkeys(code for code in codes if code))


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
