"""What Guard states about a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import quote

from guard.errors import CredentialError

__all__ = ["IPTC", "RELEASE_URN", "TRAINED_ALGORITHMIC_MEDIA", "Claim", "Edit", "Use"]

RELEASE_URN = "urn:guard:release:"

Use = Literal["allowed", "notAllowed", "constrained"]
"""What CAWG's training and data mining assertion (1.1) answers to each use of a file."""

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED_ALGORITHMIC_MEDIA = IPTC + "trainedAlgorithmicMedia"
_C2PA_SOURCES = "http://c2pa.org/digitalsourcetype/"
_SOURCE_TYPES = frozenset(
    {TRAINED_ALGORITHMIC_MEDIA, _C2PA_SOURCES + "trainedAlgorithmicData", _C2PA_SOURCES + "empty"}
    | {IPTC + name for name in ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")}
    | {IPTC + name for name in ("algorithmicMedia", "algorithmicallyEnhanced", "composite", "humanEdits")}
    | {IPTC + name for name in ("digitalCapture", "digitalCreation", "screenCapture", "virtualRecording")}
)
_UNSEEN = frozenset(
    f"c2pa.{name}"
    for name in ("converted", "edited.metadata", "enhanced", "published", "repackaged", "transcoded")
) | {"c2pa.resized.proportional"}
"""Actions that change nothing a person sees or hears, as C2PA's conformance programme lists them."""
_SEEN = frozenset(
    f"c2pa.{name}"
    for name in (
        *("addedText", "adjustedColor", "changedSpeed", "cropped", "deleted", "drawing", "dubbed", "edited"),
        *("filtered", "mastered", "mixed", "orientation", "remixed", "removed", "resized", "translated"),
        *("trimmed", "unknown"),
    )
)
_TRAINING_USES = ("ai_generative_training", "ai_training")
_USES = frozenset({*_TRAINING_USES, "ai_inference", "data_mining"})


@dataclass(frozen=True, slots=True)
class Edit:
    """Something done to the media between the model and the release, in C2PA's words: `action` is one of its
    actions (2.4 §18.15), `source` the digital source type of what it added, which every change that can be
    seen or heard must name. Raises `CredentialError` for others."""

    action: str
    source: str = ""

    def __post_init__(self) -> None:
        if self.action not in _SEEN | _UNSEEN:
            raise CredentialError(
                f"{self.action!r} is no edit that C2PA knows.", "Use one such as c2pa.edited."
            )
        if bool(self.source) is not (self.action in _SEEN) or (
            self.source and self.source not in _SOURCE_TYPES
        ):
            raise CredentialError(
                f"{self.action} needs a digital source type if it can be seen or heard, and else has none.",
                f"Use an IPTC one, such as {IPTC}algorithmicMedia.",
            )


@dataclass(frozen=True, slots=True)
class Claim:
    """What the credential says of a release. `created_at` needs a time zone.

    `soft_binding` is the (algorithm, value) of the watermark in the file, which finds the manifest again
    after it was stripped. `human_oversight` is one of C2PA's levels (`prompt_guided`, `human_validated`,
    `fully_autonomous`); leave it out where nobody knows, for a signed guess is worse than silence.
    `training_mining` answers what the file may be used for (CAWG training and data mining): one answer for
    all training of models, or one for each of `ai_generative_training`, `ai_training`, `ai_inference` and
    `data_mining`; `training_constraint` says in words what "constrained" means. `edits` are what was done to
    the media after the model made it. Raises `CredentialError` for a time without zone, a source type that
    neither IPTC nor C2PA lists, and a use or an answer that CAWG does not know.
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
    training_mining: Use | Mapping[str, Use] = "notAllowed"
    training_constraint: str = ""
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise CredentialError("The time of creation has no time zone.", "Use datetime.now(UTC).")
        # The library signs any string here, and a verifier would then not know the file is synthetic.
        if self.digital_source_type not in _SOURCE_TYPES:
            raise CredentialError(
                f"{self.digital_source_type!r} is no digital source type.",
                f"Use an IPTC one, such as {TRAINED_ALGORITHMIC_MEDIA}.",
            )
        answers = self.uses
        if answers.keys() - _USES or set(answers.values()) - set(get_args(Use)):
            raise CredentialError(
                "CAWG's training and data mining assertion has no such use or answer.",
                f"Use {', '.join(sorted(_USES))} with {', '.join(get_args(Use))}.",
            )

    @property
    def uses(self) -> Mapping[str, Use]:
        """The answer to each use of the file that the claim speaks of."""
        if isinstance(self.training_mining, str):
            return dict.fromkeys(_TRAINING_USES, self.training_mining)
        return self.training_mining

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
