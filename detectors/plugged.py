"""Detectors that a file names: networks that somebody else trained, by path or hub id, with a pinned hash.

    detectors:
      - id: ferretnet-s
        kind: ferretnet
        path: weights/ferretnet-s.safetensors
        sha256: c08117f8…
        threshold: 0.9

`kind` says what the file is; paths are relative to the file that names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from detectors.base import Detector
from detectors.calibration import Calibration, from_json
from guard import yamlfile
from guard.errors import ConfigurationError

__all__ = ["KINDS", "Entry", "from_file"]

KINDS: Mapping[str, str] = {
    "aasist": "detectors.deepfake.plugged_audio:AasistSound",
    "aasist-l": "detectors.deepfake.plugged_audio:AasistSound",
    "audio-transformers": "detectors.deepfake.plugged_audio:TransformersSound",
    "binoculars": "detectors.deepfake.plugged_text:Binoculars",
    "clip-linear": "detectors.deepfake.plugged_image:ClipLinear",
    "fast-detectgpt": "detectors.deepfake.plugged_text:FastDetectGpt",
    "ferretnet": "detectors.deepfake.plugged_image:FerretNetImage",
    "image-onnx": "detectors.deepfake.plugged_image:OnnxImage",
    "image-transformers": "detectors.deepfake.plugged_image:TransformersImage",
    "meso4": "detectors.deepfake.plugged_image:MesoNetFace",
    "mesoinception": "detectors.deepfake.plugged_image:MesoNetFace",
    "names-transformers": "detectors.privacy.names:Names",
    "unsafe-transformers": "detectors.unsafe.plugged:UnsafeImageClassifier",
}
"""What an entry's kind is made by: a class that takes the entry, and is imported only then."""

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
_Three = tuple[float, float, float]


class _Platt(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["platt"] = "platt"
    a: float
    b: float
    floor: float = Field(default=0.001, gt=0, lt=0.5)


class _Isotonic(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["isotonic"]
    x: tuple[float, ...] = Field(min_length=1)
    y: tuple[float, ...]
    floor: float = Field(default=0.001, gt=0, lt=0.5)


class Entry(BaseModel):
    """One detector of the file.

    `path` is a file, a folder, or a hub id that is in the hub's cache at `revision`; `sha256` is that of the
    weights, in a folder of its `model.safetensors`. `head` is a linear layer on top of an encoder, and
    `reference` the second of two language models, pinned as `path` is. `label` is the class that the signal
    means, by name or number; `labels` are several whose probabilities add up. `side`, `mean` and `spread` say
    how an ONNX network wants its pictures. Without `calibration` the finding
    carries no likelihood ratio, and says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    id: _Id
    kind: str
    path: str
    sha256: _Sha256 | None = None
    revision: str | None = None
    head_path: str | None = Field(default=None, alias="head")
    head_sha256: _Sha256 | None = None
    reference: str | None = None
    reference_sha256: _Sha256 | None = None
    reference_revision: str | None = None
    signal: str = "synthetic"
    label: str | int | None = None
    labels: tuple[str | int, ...] = ()
    threshold: float = Field(default=0.5, gt=0, le=1)
    calibrated: _Platt | _Isotonic | None = Field(default=None, alias="calibration")
    side: int = Field(default=224, ge=32, le=1024)
    mean: _Three = (0.0, 0.0, 0.0)
    spread: _Three = (1.0, 1.0, 1.0)
    base: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        if (self.sha256 is None) == (self.revision is None):
            raise ValueError("give either sha256, for files, or revision, for a hub id")
        if (self.head_path is None) != (self.head_sha256 is None):
            raise ValueError("head and head_sha256 go together")
        pinned = (self.reference_sha256 is None) != (self.reference_revision is None)
        if pinned != (self.reference is not None):
            raise ValueError("with reference goes either reference_sha256 or reference_revision")
        if self.kind == "binoculars" and self.reference is None:
            raise ValueError("binoculars needs two checkpoints: path and reference")
        if min(self.spread) <= 0:
            raise ValueError("spread is above 0")
        return self

    @property
    def file(self) -> Path:
        """The path as a file, relative ones from where the entry stands."""
        return self.base / self.path

    @property
    def folder(self) -> Path | None:
        """The path as a folder; None for a hub id."""
        return None if self.revision else self.file

    @property
    def head(self) -> Path | None:
        """The linear layer's file."""
        return self.base / self.head_path if self.head_path else None

    @property
    def parts(self) -> tuple[Entry, ...]:
        """The entry, and one for its second checkpoint where it has one."""
        if self.reference is None:
            return (self,)
        pinned = {"sha256": self.reference_sha256, "revision": self.reference_revision}
        return self, self.model_copy(update={"path": self.reference, **pinned})

    @property
    def place(self) -> str:
        """What may be shown of where the weights are: a path would tell of the machine."""
        return f"{self.path}@{self.revision}" if self.revision else self.file.name

    @property
    def version(self) -> str:
        """The start of the revision, or of the weights' SHA-256."""
        return (self.revision or self.sha256 or "")[:12]

    @cached_property
    def calibration(self) -> Calibration | None:
        """From log-odds to probability, where the entry has that."""
        return from_json(self.calibrated.model_dump()) if self.calibrated else None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    detectors: tuple[Entry, ...]


def from_file(path: Path) -> dict[str, Detector]:
    """The detectors that a file names, by id; none of them has loaded anything yet.

    Raises `ConfigurationError` with line and column where the file cannot be used.
    """
    try:
        document = yamlfile.parse(yamlfile.read(path))
        entries = document.validate(_File).detectors
    except yamlfile.YamlFileError as error:
        where = f"{path.name}:{error.place.line}:{error.place.column}"
        raise ConfigurationError(f"{where}: {error.message}", "Mend the file of detectors.") from None
    found: dict[str, Detector] = {}
    for entry in entries:
        if entry.id in found:
            raise ConfigurationError(
                f"{path.name}: '{entry.id}' is there twice.", "Give each detector its own id."
            )
        found[entry.id] = _made(entry.model_copy(update={"base": path.parent}))
    return found


def _made(entry: Entry) -> Detector:
    module, _, name = KINDS[entry.kind].partition(":")
    make: Callable[[Any], Detector] = getattr(import_module(module), name)
    return make(entry)
