"""What the verify path concludes from the evidence of its layers, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from detectors.base import Finding
from guard.ledger import Entry, Receipt, Status
from guard.provenance.credential import Credential, CredentialState, Ingredient
from guard.tokenmarks import Scheme
from guard.watermark import Reading, ReadingState

__all__ = ["Conclusion", "LedgerMatch", "MatchKind", "Source", "Verdict", "VerdictState", "conclude"]


class VerdictState(StrEnum):
    """The six answers. None of them means "authentic" or "human-made": absence of evidence is no evidence."""

    TRUSTED = "trusted"
    VALID = "valid"
    ALTERED = "altered"
    RECOVERED = "recovered"
    SUSPECTED = "suspected"
    NO_EVIDENCE = "no-evidence"


class MatchKind(StrEnum):
    """What led to a registered release."""

    EXACT = "exact"
    WATERMARK = "watermark"
    FINGERPRINT = "fingerprint"
    NONE = "none"


class Source(StrEnum):
    """Where a credential was found. From beside the file or the ledger it is as good: it binds the bytes."""

    EMBEDDED = "embedded"
    SIDECAR = "sidecar"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class LedgerMatch:
    """The registered release that a file led to.

    `same` says whether the content agrees with it, None where there is nothing, or too little, to compare;
    `similarity` how well it does where the two were compared, and `share` which part of the file that was.
    `credential` is what the manifest kept with the release is worth, where the content agrees: by itself,
    since it binds the bytes that were released and no copy of them.
    """

    kind: MatchKind = MatchKind.NONE
    entry: Entry | None = None
    receipt: Receipt | None = None
    similarity: float | None = None
    same: bool | None = None
    share: float | None = None
    credential: Credential | None = None

    def as_json(self) -> dict[str, Any]:
        """The `ledger` object of the verdict JSON."""
        return {
            "match": self.kind.value,
            "release_id": self.entry.id if self.entry else None,
            "similarity": None if self.similarity is None else round(self.similarity, 3),
            "share": None if self.share is None else round(self.share, 3),
            "receipt": self.receipt.as_json() if self.receipt else None,
            "credential": _kept_json(self.credential) if self.credential else None,
        }


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict in one word, one plain sentence, and the sentences that support it."""

    state: VerdictState
    summary: str
    explanation: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file is, with the evidence of every layer."""

    file: str
    modality: str
    mime: str
    sha256: str
    conclusion: Conclusion
    credential: Credential
    reading: Reading
    match: LedgerMatch
    findings: tuple[Finding, ...]
    source: Source | None = None

    @property
    def state(self) -> VerdictState:
        """The verdict in one word."""
        return self.conclusion.state

    def as_json(self) -> dict[str, Any]:
        """The verdict JSON with its stable keys."""
        return {
            "file": self.file,
            "verdict": self.state.value,
            "modality": self.modality,
            "mime": self.mime,
            "sha256": self.sha256,
            "summary": self.conclusion.summary,
            "credential": _credential_json(self.credential, self.source),
            "watermark": reading_json(self.reading),
            "ledger": self.match.as_json(),
            "detectors": [finding_json(finding) for finding in self.findings],
            "warnings": list(self.conclusion.warnings),
            "explanation": list(self.conclusion.explanation),
        }


def conclude(
    credential: Credential,
    reading: Reading,
    match: LedgerMatch,
    findings: Sequence[Finding],
    source: Source | None = None,
    unseen: str = "",
) -> Conclusion:
    """The verdict that the evidence allows. A valid credential binds the exact bytes, so it decides first; a
    mark alone never does, since it can be copied onto other content. `unseen` says why nothing could look
    into the content, where nothing could."""
    state, summary = _verdict(credential, reading, match, findings)
    where = (_SOURCES[source],) if source in _SOURCES else ()
    seen = map(_finding_note, findings)
    mark = "Watermark: not looked for." if unseen else _mark_note(reading)
    explanation = (*credential.explanation, *where, mark, _ledger_note(match), *_kept_note(match), *seen)
    warnings = [f"The content could not be decoded: {unseen}"] if unseen else []
    return Conclusion(state, summary, explanation, (*warnings, *_warnings(credential, state, match)))


_OF_OTHER_CONTENT = (".mismatch", "assertion.missing", "assertion.dataHash.malformed")
"""Ends of the codes that say so; the last is of texts that became longer or shorter."""

_OF_WORDS = frozenset(map(str, Scheme))
"""Engines whose marks carry no id."""

_CONTENT = {"image": "what it shows", "text": "its wording", "audio": "its sound", "video": "what it shows"}
_HOLDS = (CredentialState.TRUSTED, CredentialState.VALID)
_NOBODY = "an unnamed signer"

_SOURCES = {
    Source.SIDECAR: "The credential is not in the file: it came beside it.",
    Source.LEDGER: "The credential is not in the file: the ledger keeps it for exactly these bytes.",
}


def _verdict(
    credential: Credential, reading: Reading, match: LedgerMatch, findings: Sequence[Finding]
) -> tuple[VerdictState, str]:
    by = credential.issuer or "an unnamed signer"
    if credential.state is CredentialState.TRUSTED:
        return VerdictState.TRUSTED, f"Signed by {by}, who is trusted here; unchanged since."
    if credential.state is CredentialState.VALID:
        return VerdictState.VALID, f"Signed by {by}, {_known(credential)}; unchanged since."
    if credential.state is CredentialState.INVALID and tampered(credential):
        return VerdictState.ALTERED, "It carries a credential, and its content changed after signing."
    if match.entry is not None:
        return _registered(match, match.entry)
    if reading.state is ReadingState.FOUND:
        return VerdictState.SUSPECTED, _unregistered(reading)
    suspicions = [finding for finding in findings if finding.flagged and finding.likelihood_ratio]
    if suspicions:
        strongest = max(suspicions, key=lambda finding: finding.likelihood_ratio or 0.0)
        return VerdictState.SUSPECTED, _suspicion(strongest)
    if credential.state in (CredentialState.INVALID, CredentialState.UNREADABLE):
        return (
            VerdictState.NO_EVIDENCE,
            "It carries a credential that does not hold, and nothing else was found.",
        )
    return VerdictState.NO_EVIDENCE, "Nothing was found. That says nothing about where it comes from."


def _suspicion(finding: Finding) -> str:
    if finding.error_rate is None:
        errs = "how often it errs was not measured"
    else:
        errs = f"it says so of {100 * finding.error_rate:.0f} % of real files, as measured"
    return (
        f"No provenance; {finding.detector} takes it for {finding.signal} (score {finding.score:.2f}, "
        f"likelihood ratio {finding.likelihood_ratio:.2g}; {errs})."
    )


def _finding_note(finding: Finding) -> str:
    name = f"Detector: {finding.detector}"
    if finding.score is None:
        return f"{name} {'failed' if finding.error else 'abstains'}: {finding.error or finding.inconclusive}"
    if finding.likelihood_ratio is None:
        return f"{name} scores it {finding.score:.2f}, which is not calibrated and counts for nothing."
    weight = f"score {finding.score:.2f}, likelihood ratio {finding.likelihood_ratio:.2g}"
    return f"{name} {'flags' if finding.flagged else 'does not flag'} it as {finding.signal} ({weight})."


def _known(credential: Credential) -> str:
    if credential.interim:
        return f"who is on an interim trust list only ({credential.trusted_by})"
    if credential.trusted_by is not None:
        return "who is trusted here, though not all that it cites is"
    return "who is not on the trust list"


def _unregistered(reading: Reading) -> str:
    if reading.engine in _OF_WORDS:
        return (
            f"Its words were chosen under a key of this Guard ({reading.engine}, {reading.chance}), "
            "but the ledger has no release like it."
        )
    if reading.payload is None and reading.short_id is None:
        return f"It carries a mark of engine {reading.engine}, but no id can be read from what is left of it."
    return "It carries a mark of this Guard, but the ledger has no release with that id."


def _registered(match: LedgerMatch, entry: Entry) -> tuple[VerdictState, str]:
    if match.same is False:
        return VerdictState.ALTERED, f"It carries the mark of release {entry.id}, but {_other(entry)}."
    content = _CONTENT.get(entry.modality, "its content")
    ways = {MatchKind.EXACT: "its exact content", MatchKind.FINGERPRINT: content}
    way = ways.get(match.kind, match.kind.value)
    kept = match.credential
    by = f", signed by {kept.issuer or _NOBODY}" if kept and kept.state in _HOLDS else ""
    return (
        VerdictState.RECOVERED,
        f"Recovered by {way}: release {entry.id} by {entry.model}, {entry.created_at[:10]}{by}.",
    )


def _other(entry: Entry) -> str:
    return "shows something else" if entry.modality in ("image", "video") else "its content is another"


def tampered(credential: Credential) -> bool:
    """Whether an invalid credential failed over the content, and not over its signer, time or form."""
    excused = ("signingCredential.", "timeStamp.", "ingredient.", "cawg.")
    changed = (code for code in credential.codes if code.endswith(_OF_OTHER_CONTENT))
    return any(not code.startswith(excused) for code in changed)


def _mark_note(reading: Reading) -> str:
    chance = f" ({reading.chance} for reading this by accident)" if reading.chance else ""
    match reading.state:
        case ReadingState.FOUND if reading.payload is not None:
            return f"Watermark: {reading.engine} carries {reading.payload.hex}{chance}."
        case ReadingState.FOUND if reading.short_id is not None:
            return f"Watermark: {reading.engine} carries {reading.short_bits} bits of an id{chance}."
        case ReadingState.FOUND if reading.engine in _OF_WORDS:
            return f"Watermark: {reading.engine} is in the choice of words; it carries no id{chance}."
        case ReadingState.FOUND:
            return f"Watermark: {reading.engine} is there, its id is not legible{chance}."
        case ReadingState.UNSUPPORTED if reading.engine is not None:
            return f"Watermark: this is too little for {reading.engine} to tell."
        case ReadingState.UNSUPPORTED:
            return "Watermark: no engine reads this kind of media."
        case _:
            return "Watermark: none found."


def _ledger_note(match: LedgerMatch) -> str:
    if match.entry is None:
        return "Ledger: no registered release matches."
    note = f"Ledger: {match.kind} match with release {match.entry.id}{_ENDS.get(match.entry.status, '')}"
    if match.similarity is None:
        return f"{note}; nothing was compared, so this rests on the mark alone."
    if match.kind is MatchKind.FINGERPRINT and match.entry.modality == "text":
        return f"{note}; {_wording(match.similarity, match.share or 0.0)}."
    verdict = "agrees" if match.same else "does not agree"
    return f"{note}; the content {verdict} with it (similarity {match.similarity:.2f})."


def _kept_note(match: LedgerMatch) -> Iterator[str]:
    """What the manifest says of a copy: it is not in the file, nor does it bind the file's bytes."""
    kept = match.credential
    if kept is not None and kept.state not in _HOLDS:
        yield "Ledger: the manifest kept with that release does not hold, and counts for nothing."
    elif kept is not None:
        known = "trusted here" if kept.state is CredentialState.TRUSTED else "not on the trust list"
        yield (
            f"Ledger: the manifest kept with that release is intact, signed by {kept.issuer or _NOBODY}, who "
            f"is {known}. It binds the bytes that were released: that this is a copy of them, the comparison "
            "says."
        )


_ENDS = {
    Status.STREAMING: ", whose stream has no end on record",
    Status.CUT: ", whose stream ended early: on record is what had left",
    Status.BLOCKED: ", whose stream a rule stopped: on record is what had left",
}


def _wording(similarity: float, share: float) -> str:
    where = "" if share >= 0.995 else f", which make up {100 * share:.0f} % of this text"
    if similarity >= 0.9995:
        return f"all words agree in the passages that the two share{where}"
    differing = max(1, round(100 * (1 - similarity)))
    return f"the text differs: {differing} % of the words in the passages that the two share{where}"


def _warnings(credential: Credential, state: VerdictState, match: LedgerMatch) -> list[str]:
    warnings = []
    if match.same and match.share is not None and match.share < 0.5:
        warnings.append(f"Only {100 * match.share:.0f} % of it was found in the release.")
    if credential.state is CredentialState.UNREADABLE:
        warnings.append("A credential is there but cannot be read; the verdict rests on the other layers.")
    if credential.state is CredentialState.INVALID and state is not VerdictState.ALTERED:
        warnings.append("A credential is there but does not hold; the verdict rests on the other layers.")
    return warnings + list(_failed(credential.ingredients)) + list(credential.warnings)


def _failed(ingredients: Sequence[Ingredient]) -> Iterator[str]:
    """A sentence on each ingredient, at any depth, whose own credentials do not hold."""
    for each in ingredients:
        if each["state"] in (CredentialState.INVALID, CredentialState.UNREADABLE):
            yield f"The credentials of ingredient {each['title'] or '(untitled)'} fail validation."
        yield from _failed(each["ingredients"])


def _credential_json(credential: Credential, source: Source | None) -> dict[str, Any]:
    return {
        "state": credential.state.value,
        "issuer": credential.issuer,
        "generator": credential.generator,
        "created": credential.created,
        "codes": list(credential.codes),
        "trusted_by": credential.trusted_by,
        "interim": credential.interim,
        "ingredients": [dict(ingredient) for ingredient in credential.ingredients],
        "source": source.value if source else None,
    }


def _kept_json(credential: Credential) -> dict[str, Any]:
    return {
        "state": credential.state.value,
        "issuer": credential.issuer,
        "generator": credential.generator,
        "created": credential.created,
        "codes": list(credential.codes),
    }


def reading_json(reading: Reading) -> dict[str, Any]:
    """The `watermark` object of the verdict JSON."""
    found = reading.state is ReadingState.FOUND
    return {
        "state": reading.state.value,
        "engine": reading.engine if found else None,
        "payload": reading.payload.hex if reading.payload else None,
        "p_value": reading.p_value,
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One object of the verdict's `detectors` list."""
    return {
        "detector": f"{finding.detector}@{finding.version}",
        "signal": finding.signal,
        "score": finding.score,
        "threshold": finding.threshold,
        "flagged": finding.flagged,
        "likelihood_ratio": finding.likelihood_ratio,
        "inconclusive": finding.inconclusive or None,
        "error_rate": finding.error_rate,
    }
