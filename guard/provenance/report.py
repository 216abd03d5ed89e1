"""From the C2PA library's report on a manifest store to a `Credential`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import c2pa

from guard.provenance.binding import Binding, Hole
from guard.provenance.codes import explain
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.judging import MISUSED, Judge
from guard.provenance.manifest import RELEASE_URN
from guard.provenance.sdk import clean, context
from guard.provenance.shapes import codes_of, mapping, sequence
from guard.provenance.standing import Standing, ingredient_sentences
from guard.provenance.trust import ListKind, Trust

__all__ = ["Report", "absent", "unreadable"]

_HEADLINES = {
    CredentialState.TRUSTED: "The credentials are intact and their signer ({issuer}) is trusted: {listed}.",
    CredentialState.VALID: "The credentials are intact, but their signer ({issuer}) is unknown.",
    CredentialState.INVALID: "The file carries credentials (signed as {issuer}) that do not hold for it.",
}
_MORE_HOLES = "assertion.dataHash.additionalExclusionsPresent"
_DOUBTFUL = "The credentials are intact and their signer ({issuer}) is trusted, but not all they cite."
_INTERIM = "The credentials are intact, and their signer ({issuer}) is on an interim list only: {listed}."


def absent(sentence: str = "The file carries no Content Credentials.") -> Credential:
    """Nothing to validate."""
    return Credential(CredentialState.ABSENT, explanation=(sentence,))


def unreadable(why: str, code: str = "general.error") -> Credential:
    """No answer: credentials are there, or may be, and no manifest came out of the file."""
    sentence = f"No credentials could be read from the file: {why}."
    return Credential(CredentialState.UNREADABLE, (code,), (sentence,))


class Report:
    """A validated manifest store. Its strings and shapes are its signer's, so each is checked before use.

    `holes` are the parts of the file that its signer left out of the hash, where those are more than C2PA
    needs; none where they are not.
    """

    def __init__(self, store: dict[str, Any], judge: Judge, holes: tuple[Hole, ...] = ()) -> None:
        self.holes = holes
        self._judge = judge
        self._manifests = mapping(store.get("manifests"))
        self._results = mapping(store.get("validation_results"))
        self._state = store.get("validation_state")
        self._label = store.get("active_manifest")
        self._active = self._manifest(self._label)
        self._statuses = mapping(self._results.get("activeManifest"))
        self._listed = judge.list_of(self._label, self._statuses)

    @classmethod
    def of(cls, mime: str, data: bytes, trust: Trust, manifest: bytes | None = None) -> Report:
        """The report on `data`'s embedded manifest store, or on `manifest` as one kept beside it.

        Raises `c2pa.C2paError` without a store, or `ValueError` or `RecursionError` for one too odd to list.
        """
        with context(trust) as settings:
            reader = c2pa.Reader(mime, io.BytesIO(data), manifest_data=manifest, context=settings)
            with reader:
                said = reader.json()
                store = mapping(json.loads(said))
                judge = Judge.of(trust, reader, said, store.get("active_manifest"))
                return cls(store, judge, _holes(reader) if _MORE_HOLES in said else ())

    @property
    def state(self) -> CredentialState:
        """The library's verdict, trust in the signer judged anew; a store without one counts as invalid."""
        known = {"Trusted": CredentialState.TRUSTED, "Valid": CredentialState.VALID}
        state = known.get(str(self._state), CredentialState.INVALID)
        if state is not CredentialState.TRUSTED or self.trusted:
            return state
        return CredentialState.INVALID if MISUSED in self.codes("failure") else CredentialState.VALID

    @property
    def trusted(self) -> bool:
        """Whether the signer is on a list that is in force."""
        return self._listed is not None and self._listed.kind is not ListKind.INTERIM

    def codes(self, kind: str) -> tuple[str, ...]:
        """Codes of the active manifest; `kind` is success, failure or informational."""
        return codes_of(self._statuses.get(kind))

    def credential(self, state: CredentialState, codes: tuple[str, ...]) -> Credential:
        """Everything the manifest states, under the verdict that the caller reached."""
        ingredients = tuple(Standing(self._manifests, self._results, self._judge).of(self._label))
        issuer = self._issuer()
        return Credential(
            state=state,
            codes=codes,
            explanation=(
                self._headline(state).format(issuer=issuer or "no name", listed=self._listed),
                *map(explain, codes),
                *ingredient_sentences(ingredients),
            ),
            issuer=issuer,
            generator=self._generator(),
            created=self._created(),
            release_id=self._release_id(),
            soft_bindings=tuple(self._soft_bindings()),
            digital_source_types=tuple(dict.fromkeys(self._source_types(self._label, set()))),
            ingredients=ingredients,
            manifest_label=clean(self._label),
            trusted_by=str(self._listed) if self._listed else None,
            interim=self._listed is not None and not self.trusted,
        )

    def _headline(self, state: CredentialState) -> str:
        if state is not CredentialState.VALID or self._listed is None:
            return _HEADLINES[state]
        return _DOUBTFUL if self.trusted else _INTERIM

    def _manifest(self, label: object) -> dict[str, Any]:
        return mapping(self._manifests.get(label)) if isinstance(label, str) else {}

    def _issuer(self) -> str | None:
        signature = mapping(self._active.get("signature_info"))
        return clean(signature.get("issuer")) or clean(signature.get("common_name"))

    def _generator(self) -> str | None:
        infos = [mapping(info) for info in sequence(self._active.get("claim_generator_info"))]
        parts = [clean(infos[0].get("name")), clean(infos[0].get("version"))] if infos else []
        return " ".join(part for part in parts if part) or clean(self._active.get("claim_generator"))

    def _created(self) -> str | None:
        actions = list(_actions(self._active))
        claimed = clean(actions[0].get("when")) if actions else None
        return claimed or clean(mapping(self._active.get("signature_info")).get("time"))

    def _release_id(self) -> str | None:
        instance = clean(self._active.get("instance_id")) or ""
        return instance.removeprefix(RELEASE_URN) if instance.startswith(RELEASE_URN) else None

    def _soft_bindings(self) -> Iterator[tuple[str, str]]:
        for data in _assertions(self._active, "c2pa.soft-binding"):
            algorithm = clean(data.get("alg"))
            for block in sequence(data.get("blocks")):
                value = clean(mapping(block).get("value"))
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
            for ingredient in map(mapping, sequence(manifest.get("ingredients"))):
                if ingredient.get("relationship") == "parentOf":
                    label = ingredient.get("active_manifest")


def _holes(reader: c2pa.Reader) -> tuple[Hole, ...]:
    manifests = [mapping(each) for each in sequence(mapping(json.loads(reader.crjson())).get("manifests"))]
    binding = Binding.stated(manifests[0]) if manifests else None
    return binding.holes if binding else ()


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for data in _assertions(manifest, "c2pa.actions"):
        yield from map(mapping, sequence(data.get("actions")))


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    """Data of the assertions called `label`, with or without version and number (`c2pa.actions.v2__1`)."""
    for assertion in map(mapping, sequence(manifest.get("assertions"))):
        if str(assertion.get("label")).split("__")[0].split(".v")[0] == label:
            yield mapping(assertion.get("data"))
