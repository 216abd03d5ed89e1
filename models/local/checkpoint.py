"""A checkpoint on disk: found by path or hub id, told by what it holds, described by a card."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from guard.errors import InputError, MissingExtraError, ModelNotFoundError
from guard.media import Modality
from models.base import ModelCard

__all__ = ["Checkpoint", "card_of", "locate", "model_type"]

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
# What loading needs. Pickled weights are not on the list, so they do not even arrive.
# NumPy's arrays are voices, read without pickles.
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.npy", "README.md"]
_SOUND = frozenset({"bark", "musicgen", "speecht5", "vits"})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder in the hub's format, and what kind of model it holds.

    `name` is the hub id, or the folder's own name alone: cards are published, and a path tells of a machine.
    `revision` is the hub's commit, None for a folder that the hub did not place.
    """

    name: str
    folder: Path
    modality: Modality
    revision: str | None = None


def locate(name: str, *, revision: str | None = None, allow_download: bool = False) -> Checkpoint:
    """The checkpoint at the path `name`, else the one with that hub id in the hub's cache on this machine.

    `revision` is a branch, tag or commit of the hub. Only with `allow_download` is the network asked.
    Raises `ModelNotFoundError`, `MissingExtraError`, or `InputError` for the revision of a plain folder.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise InputError(f"{name} is a folder and has no revisions.", "Leave the revision out.")
        return Checkpoint(folder.resolve().name, folder, _modality(folder))
    if not _HUB_ID.fullmatch(name):
        raise ModelNotFoundError(f"No model lies at {name}.", "Give a folder, or a hub id such as org/model.")
    folder = _from_hub(name, revision, allow_download)
    return Checkpoint(name, folder, _modality(folder), folder.name)


def card_of(checkpoint: Checkpoint) -> ModelCard:
    """The card: licence from the README's front matter, revision, and a sha256 over the weights.

    That sha256 is the one of the lines that `sha256sum` prints for the `*.safetensors` files, sorted by path:
    `find * -name '*.safetensors' | LC_ALL=C sort | xargs sha256sum | sha256sum` gives it again.
    """
    digest = _digest(checkpoint.folder)
    return ModelCard(
        name=checkpoint.name,
        version=(checkpoint.revision or digest)[:12],
        modality=checkpoint.modality,
        provider="local",
        licence=_licence(checkpoint.folder / "README.md"),
        revision=checkpoint.revision,
        sha256=digest,
    )


def model_type(folder: Path) -> str:
    """The family that a checkpoint's `config.json` names, empty where it names none."""
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # whoever loads the model says what is wrong with it
        return ""
    return str(config.get("model_type", "")) if isinstance(config, dict) else ""


def _modality(folder: Path) -> Modality:
    if (folder / "model_index.json").is_file():
        return Modality.IMAGE
    if (folder / "config.json").is_file():
        return Modality.AUDIO if model_type(folder) in _SOUND else Modality.TEXT
    raise ModelNotFoundError(
        f"{folder} holds no model: neither config.json nor model_index.json is there.",
        "Give the folder that save_pretrained wrote.",
    )


def _from_hub(name: str, revision: str | None, allow_download: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError("A model from the hub", "local") from None
    try:
        return Path(
            snapshot_download(
                name, revision=revision, local_files_only=not allow_download, allow_patterns=_WANTED
            )
        )
    except Exception as error:  # the hub's own, the network's, the disk's: each means that it is not here
        wanted = f"{name} at {revision}" if revision else name
        if allow_download:
            raise ModelNotFoundError(f"The hub did not give {wanted}: {_first_line(error)}") from error
        raise ModelNotFoundError(
            f"{wanted} is not on this machine.", "Fetch it first, or allow downloads, or give a folder."
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _digest(folder: Path) -> str:
    listing = hashlib.sha256()
    for path in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors")):
        with (folder / path).open("rb") as file:
            listing.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path}\n".encode())
    return listing.hexdigest()


def _licence(readme: Path) -> str:
    """The licence that a model card's front matter names, `unknown` where it names none."""
    if not readme.is_file():
        return "unknown"
    text = readme.read_text(encoding="utf-8", errors="replace")
    front = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    try:
        fields: Any = yaml.safe_load(front[1]) if front else None
    except yaml.YAMLError:
        return "unknown"
    found = fields.get("license") if isinstance(fields, dict) else None
    if found == "other":
        found = fields.get("license_name") or found
    names = found if isinstance(found, list) else [found] if found else []
    return ", ".join(str(name) for name in names) or "unknown"
