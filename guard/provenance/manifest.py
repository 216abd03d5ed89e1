"""The C2PA manifest that says what Guard states about a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from guard import __version__
from guard.provenance.claim import IPTC, RELEASE_URN, TRAINED_ALGORITHMIC_MEDIA, Claim, Edit, Use

__all__ = [
    "GENERATOR",
    "IPTC",
    "PARENT",
    "RELEASE_URN",
    "SPEC_VERSION",
    "TRAINED_ALGORITHMIC_MEDIA",
    "Claim",
    "Edit",
    "History",
    "Use",
    "manifest_definition",
    "new_label",
]

GENERATOR = "Guard"
SPEC_VERSION = "2.4"
PARENT = "parent"  # the name by which an action points at the ingredient that was added under it

_METADATA_CONTEXT = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_EDITED_BY_MODEL = IPTC + "compositeWithTrainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class History:
    """What went into a release, told to the manifest: whether an ingredient named `PARENT` goes with it, the
    names of the ingredients that the model was given beside it, whether the model `edited` the parent, and
    the JUMBF addresses of the assertions that were taken out of the ingredients' credentials."""

    parent: bool = False
    inputs: tuple[str, ...] = ()
    edited: bool = False
    redacted: tuple[str, ...] = ()


def manifest_definition(claim: Claim, history: History = History()) -> dict[str, Any]:
    """The manifest (C2PA 2.4) as c2pa-rs takes it.

    Where California's SB 942 finds what it asks for: the signed `cawg.metadata` assertion holds the provider
    (`dc:publisher`), the system and its version (`Iptc4xmpExt:AISystemUsed`, `AISystemVersionUsed`), the time
    (`xmp:CreateDate`) and the unique id (`dc:identifier`). The id also is the claim's instance id.
    """
    assertions = [
        _created("c2pa.actions.v2", {"allActionsIncluded": True, "actions": _actions(claim, history)}),
        _created("c2pa.ai-disclosure", _disclosure(claim)),
        _created("cawg.metadata", _metadata(claim)) | {"kind": "Json"},  # CAWG metadata 1.1: JSON-LD
        _created("cawg.training-mining", _training(claim)),
    ]
    if claim.soft_binding:
        algorithm, value = claim.soft_binding
        blocks = [{"scope": {}, "value": value}]
        assertions.append(_created("c2pa.soft-binding", {"alg": algorithm, "blocks": blocks}))
    definition: dict[str, Any] = {
        "claim_generator_info": [{"name": GENERATOR, "version": __version__, "specVersion": SPEC_VERSION}],
        "instance_id": claim.instance_id,
        "assertions": assertions,
    }
    optional = {"title": claim.title, "redactions": list(history.redacted)}
    return definition | {name: value for name, value in optional.items() if value}


def new_label() -> str:
    """A name for a manifest that no other has (C2PA 2.4 §8.1)."""
    return f"urn:c2pa:{uuid4()}"


def _created(label: str, data: dict[str, Any]) -> dict[str, Any]:
    # Without the flag an assertion counts as gathered from elsewhere, which conformance refuses for actions.
    return {"label": label, "created": True, "data": data}


def _actions(claim: Claim, history: History) -> list[dict[str, Any]]:
    guard = {"when": claim.when, "softwareAgent": {"name": GENERATOR, "version": __version__}}
    edits = [
        {"action": edit.action, **guard} | ({"digitalSourceType": edit.source} if edit.source else {})
        for edit in claim.edits
    ]
    redactions = [
        {
            "action": "c2pa.redacted",
            **guard,
            "reason": "c2pa.PII.present",
            "parameters": {"redacted": address},
        }
        for address in history.redacted
    ]
    # A watermark without its soft binding is a validation failure, so the two stand or fall together.
    marks = [{"action": "c2pa.watermarked.bound"}] if claim.soft_binding else []
    return [*_origin(claim, history, guard), *redactions, *edits, *marks]


def _origin(claim: Claim, history: History, guard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How it began: opened, and then maybe edited by the model, or created by it."""
    model = {"name": claim.model_name} | ({"version": claim.model_version} if claim.model_version else {})
    by_model: dict[str, Any] = {"when": claim.when, "softwareAgent": model}
    if history.inputs:
        by_model["parameters"] = {"ingredientIds": list(history.inputs)}
    if not history.parent:
        return [{"action": "c2pa.created", **by_model, "digitalSourceType": claim.digital_source_type}]
    # What the opened file depicts is for its own manifest to say: a source type here is forbidden.
    opened = {"action": "c2pa.opened", **guard, "parameters": {"ingredientIds": [PARENT]}}
    edited = {"action": "c2pa.edited", **by_model, "digitalSourceType": _EDITED_BY_MODEL}
    return [opened, edited] if history.edited or history.inputs else [opened]


def _disclosure(claim: Claim) -> dict[str, Any]:
    data: dict[str, Any] = {
        "modelType": "c2pa.types.model",
        "modelName": claim.model_name,
        "modelIdentifier": claim.model_identifier,
    }
    if claim.human_oversight:
        data["contentProfile"] = {"humanOversightLevel": claim.human_oversight}
    return data


def _metadata(claim: Claim) -> dict[str, Any]:
    fields = {
        "dc:identifier": claim.release_id,
        "dc:publisher": [claim.provider] if claim.provider else None,
        "xmp:CreateDate": claim.when,
        "Iptc4xmpExt:AISystemUsed": claim.model_name,
        "Iptc4xmpExt:AISystemVersionUsed": claim.model_version or None,
    }
    return {"@context": _METADATA_CONTEXT} | {key: value for key, value in fields.items() if value}


def _training(claim: Claim) -> dict[str, Any]:
    entries: dict[str, dict[str, str]] = {
        f"cawg.{use}": {"use": answer} for use, answer in claim.uses.items()
    }
    if claim.training_constraint:
        for entry in entries.values():
            if entry["use"] == "constrained":
                entry["constraint_info"] = claim.training_constraint
    return {"entries": entries}
