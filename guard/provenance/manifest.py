"""What Guard states about a release, and the C2PA manifest that says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from guard import __version__
from guard.errors import CredentialError

__all__ = [
    "GENERATOR",
    "IPTC",
    "PARENT",
    "RELEASE_URN",
    "SPEC_VERSION",
    "TRAINED_ALGORITHMIC_MEDIA",
    "Claim",
    "manifest_definition",
]

GENERATOR = "Guard"
SPEC_VERSION = "2.4"
RELEASE_URN = "urn:guard:release:"
PARENT = "parent"  # the name by which an action points at the ingredient that was added under it

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED_ALGORITHMIC_MEDIA = IPTC + "trainedAlgorithmicMedia"
_C2PA_SOURCES = "http://c2pa.org/digitalsourcetype/"
_SOURCE_TYPES = frozenset(
    {TRAINED_ALGORITHMIC_MEDIA, _C2PA_SOURCES + "trainedAlgorithmicData", _C2PA_SOURCES + "empty"}
    | {IPTC + name for name in ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")}
    | {IPTC + name for name in ("algorithmicMedia", "algorithmicallyEnhanced", "composite", "humanEdits")}
    | {IPTC + name for name in ("digitalCapture", "digitalCreation", "screenCapture", "virtualRecording")}
)

_METADATA_CONTEXT = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What the credential says of a release. `created_at` needs a time zone.

    `soft_binding` is the (algorithm, value) of the watermark in the file, which finds the manifest again
    after it was stripped. `human_oversight` is one of C2PA's levels (`prompt_guided`, `human_validated`,
    `fully_autonomous`); leave it out where nobody knows, for a signed guess is worse than silence.
    `training_mining` answers whether the file may train generative models (CAWG training and data mining).
    Raises `CredentialError` for a time without zone or a source type that neither IPTC nor C2PA lists.
    """

    model_name: str
    release_id: str
    created_at: datetime
    title: str = ""
    model_version: str = ""
    provider: str = ""
    digital_source_type: str = TRAINED_ALGORITHMIC_MEDIA
    soft_binding: tuple[str, str] | None = None
    human_oversight: str | None = None
    training_mining: Literal["allowed", "notAllowed"] = "notAllowed"

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise CredentialError("The time of creation has no time zone.", "Use datetime.now(UTC).")
        # The library signs any string here, and a verifier would then not know the file is synthetic.
        if self.digital_source_type not in _SOURCE_TYPES:
            raise CredentialError(
                f"{self.digital_source_type!r} is no digital source type.",
                f"Use an IPTC one, such as {TRAINED_ALGORITHMIC_MEDIA}.",
            )

    @property
    def when(self) -> str:
        """`created_at` in UTC, RFC 3339, whole seconds."""
        return self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def instance_id(self) -> str:
        """The release id as the claim's instance identifier, the one place that every carrier offers."""
        return RELEASE_URN + self.release_id

    @property
    def model_identifier(self) -> str:
        """Provider, name and version of the model in one package URL (purl-spec, type generic)."""
        parts = [quote(part, safe="") for part in (self.provider, self.model_name) if part]
        version = f"@{quote(self.model_version, safe='')}" if self.model_version else ""
        return "pkg:generic/" + "/".join(parts) + version


def manifest_definition(claim: Claim, *, opened: bool) -> dict[str, Any]:
    """The manifest (C2PA 2.4) as c2pa-rs takes it; `opened` if an ingredient named `PARENT` goes with it.

    Where California's SB 942 finds what it asks for: the signed `cawg.metadata` assertion holds the provider
    (`dc:publisher`), the system and its version (`Iptc4xmpExt:AISystemUsed`, `AISystemVersionUsed`), the time
    (`xmp:CreateDate`) and the unique id (`dc:identifier`). The id also is the claim's instance id.
    """
    assertions = [
        _created("c2pa.actions.v2", {"allActionsIncluded": True, "actions": _actions(claim, opened)}),
        _created("c2pa.ai-disclosure", _disclosure(claim)),
        _created("cawg.metadata", _metadata(claim)),
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
    return definition | ({"title": claim.title} if claim.title else {})


def _created(label: str, data: dict[str, Any]) -> dict[str, Any]:
    # Without the flag an assertion counts as gathered from elsewhere, which conformance refuses for actions.
    return {"label": label, "created": True, "data": data}


def _actions(claim: Claim, opened: bool) -> list[dict[str, Any]]:
    if opened:
        # What the opened file depicts is for its own manifest to say: a source type here is forbidden.
        guard = {"name": GENERATOR, "version": __version__}
        ingredients = {"ingredientIds": [PARENT]}
        first = {
            "action": "c2pa.opened",
            "when": claim.when,
            "softwareAgent": guard,
            "parameters": ingredients,
        }
    else:
        model = {"name": claim.model_name} | ({"version": claim.model_version} if claim.model_version else {})
        first = {
            "action": "c2pa.created",
            "when": claim.when,
            "softwareAgent": model,
            "digitalSourceType": claim.digital_source_type,
        }
    # A watermark without its soft binding is a validation failure, so the two stand or fall together.
    return [first, {"action": "c2pa.watermarked.bound"}] if claim.soft_binding else [first]


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
    uses = ("cawg.ai_generative_training", "cawg.ai_training")
    return {"entries": {use: {"use": claim.training_mining} for use in uses}}
