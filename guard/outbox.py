"""What may leave but could not be signed: kept on disk until the signer is back."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from guard.drafts import Draft, Origin, jsonable
from guard.errors import InputError, LedgerError
from guard.ledger.entry import utc_now
from guard.media import Artifact, Limits, Modality
from guard.provenance.ingredients import Input
from guard.watermark import Mark, Payload
from policies.base import Action, Decision, Fired, Mode, Requirements

__all__ = ["Kept", "Outbox", "Waiting"]

_ID = re.compile(r"[0-9a-f]{16}")
_INDEX = "draft.json"
_PLAIN = ("model", "model_version", "provider", "prompt", "caller", "route")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of what is in the outbox; `size` in bytes, `since` as the ledger writes times."""

    release_id: str
    mime: str
    size: int
    since: str
    reason: str
    signed: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it is kept, with all that signing it takes. `findings` are as the ledger writes them."""

    draft: Draft
    original: Artifact
    origin: Origin
    findings: Sequence[Mapping[str, Any]]
    since: str = field(default_factory=utc_now)


class Outbox:
    """A folder with one file for each draft, readable by its owner alone. A file holds the media, and the
    prompt where there was one, until its release was delivered."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self._limits = limits or Limits()

    def keep(self, draft: Draft, original: Artifact, origin: Origin) -> None:
        """Keep a draft: when this returns, it survives a crash. Raises `LedgerError` where it cannot."""
        self._write(Kept(draft, original, origin, [jsonable(finding) for finding in draft.findings]))

    def update(self, kept: Kept, draft: Draft) -> None:
        """Put the signed draft in the place of the unsigned one."""
        self._write(replace(kept, draft=draft))

    def waiting(self) -> list[Waiting]:
        """What is kept, oldest first."""
        found = [self._line(path) for path in self.folder.glob("*.zip")] if self.folder.is_dir() else []
        return sorted(found, key=lambda each: each.since)

    def load(self, release_id: str) -> Kept:
        """The draft with this id. Raises `InputError` where none is kept."""
        with self._open(release_id) as file:
            index = _index(file)
            return self._kept(release_id, index, {name: file.read(name) for name in file.namelist()})

    def remove(self, release_id: str) -> None:
        """Forget a draft that was delivered."""
        self._path(release_id).unlink(missing_ok=True)

    def _write(self, kept: Kept) -> None:
        path = self._path(kept.draft.payload.hex)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_packed(kept))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync(self.folder)
        except OSError as error:
            raise LedgerError(
                f"The release could not be kept for later: {error.strerror}.", "Nothing was released."
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _path(self, release_id: str) -> Path:
        if not _ID.fullmatch(release_id):
            raise InputError(f"{release_id!r} is no release id.", "Give one that guard outbox list shows.")
        return self.folder / f"{release_id}.zip"

    def _open(self, release_id: str) -> zipfile.ZipFile:
        path = self._path(release_id)
        try:
            return zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise InputError(
                f"Nothing is kept under {release_id}.", "See what waits with: guard outbox list"
            ) from error
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read.", "Restore it from a backup, or remove it.") from error

    def _line(self, path: Path) -> Waiting:
        with self._open(path.stem) as file:
            index, size = _index(file), file.getinfo("artifact").file_size
        signed = index["signed"] is not None
        return Waiting(path.stem, index["mime"], size, index["since"], index["waits"], signed)

    def _kept(self, release_id: str, index: Mapping[str, Any], blobs: Mapping[str, bytes]) -> Kept:
        signed = index["signed"] or {}
        draft = Draft(
            payload=Payload.from_hex(release_id),
            artifact=self._artifact(index, blobs["artifact"]),
            decision=_decision(index["decision"]),
            findings=(),
            mark=_mark(index["mark"]),
            manifest=blobs.get("manifest"),
            manifest_label=signed.get("label"),
            sidecar=blobs.get("manifest") if signed.get("beside") else None,
            waits=index["waits"],
        )
        inputs = tuple(
            Input(self._artifact(each, blobs[f"input-{number}"]), each["edited"])
            for number, each in enumerate(index["inputs"])
        )
        origin = Origin(**index["origin"], inputs=inputs)
        original = self._artifact(index["original"], blobs["original"])
        return Kept(draft, original, origin, index["findings"], index["since"])

    def _artifact(self, kind: Mapping[str, Any], data: bytes) -> Artifact:
        return Artifact(Modality(kind["modality"]), kind["mime"], data, self._limits)


def _packed(kept: Kept) -> bytes:
    draft, buffer = kept.draft, io.BytesIO()
    blobs = {"artifact": draft.artifact.data, "original": kept.original.data}
    blobs |= {f"input-{n}": each.artifact.data for n, each in enumerate(kept.origin.inputs)}
    if draft.manifest is not None:
        blobs["manifest"] = draft.manifest
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(_INDEX, json.dumps(_described(kept)))
        for name, data in blobs.items():
            file.writestr(name, data)
    return buffer.getvalue()


def _described(kept: Kept) -> dict[str, Any]:
    draft, mark = kept.draft, kept.draft.mark
    signed = {"label": draft.manifest_label, "beside": draft.sidecar is not None}
    return _kind(draft.artifact) | {
        "since": kept.since,
        "waits": draft.waits,
        "decision": jsonable(draft.decision),
        "findings": list(kept.findings),
        "mark": mark and [mark.engine, mark.alg, mark.payload.hex if mark.payload else None],
        "origin": {name: getattr(kept.origin, name) for name in _PLAIN},
        "original": _kind(kept.original),
        "inputs": [_kind(each.artifact) | {"edited": each.edited} for each in kept.origin.inputs],
        "signed": None if draft.manifest is None else signed,
    }


def _kind(artifact: Artifact) -> dict[str, Any]:
    return {"modality": artifact.modality.value, "mime": artifact.mime}


def _index(file: zipfile.ZipFile) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(file.read(_INDEX))
    return index


def _mark(kept: Sequence[str] | None) -> Mark | None:
    if kept is None:
        return None
    engine, alg, payload = kept
    return Mark(engine, alg, Payload.from_hex(payload) if payload else None)


def _decision(kept: Mapping[str, Any]) -> Decision:
    fired = tuple(
        Fired(**hit | {"action": Action(hit["action"]), "mode": Mode(hit["mode"])}) for hit in kept["fired"]
    )
    requirements = Requirements(**kept["requirements"])
    return Decision(
        **dict(kept) | {"action": Action(kept["action"]), "fired": fired, "requirements": requirements}
    )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
