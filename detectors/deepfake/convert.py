"""Published weights, converted once to safetensors: files that hold numbers and can run nothing.

Each source is known by its SHA-256; another file is refused before it is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import torch

__all__ = ["PUBLISHED", "Published", "convert"]

Tensors = dict[str, "torch.Tensor"]


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that somebody published: where they are from, their licence, and the SHA-256 of their file."""

    name: str
    source: str
    licence: str
    sha256: str
    read: Callable[[Path], Tensors]


def convert(name: str, source: Path, target: Path) -> str:
    """Write the published weights `name`, read from `source`, to `target`; returns its SHA-256.

    Raises `InputError` for a name that is not known and for a file that is not the published one, and
    `MissingExtraError` without torch, safetensors or h5py.
    """
    published = PUBLISHED.get(name)
    if published is None:
        raise InputError(f"No published weights go by '{name}'.", f"Known: {', '.join(sorted(PUBLISHED))}.")
    try:
        found = hashlib.sha256(source.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror}.", "Name the published file.") from None
    if found != published.sha256:
        raise InputError(
            f"{source} has the SHA-256 {found}, not {published.sha256}.",
            f"Get the file again from {published.source}.",
        )
    try:
        from safetensors.torch import save

        tensors = published.read(source)
    except ImportError as error:
        raise MissingExtraError(f"Converting weights ({error.name})", "local") from error
    about = {"name": name, "source": published.source, "licence": published.licence, "sha256": found}
    # One entry, since the format keeps several in no order, and the file's hash is to be the same each time.
    data = save(
        {key: tensors[key].contiguous() for key in sorted(tensors)},
        metadata={"published": json.dumps(about, sort_keys=True)},
    )
    target.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _torch_file(path: Path, *inside: str) -> Tensors:
    """Tensors of a PyTorch file, read without running what a pickle may ask for."""
    import torch

    found: Any = torch.load(path, map_location="cpu", weights_only=True)
    for key in inside:
        found = found[key]
    return {key: value for key, value in found.items() if not key.endswith("num_batches_tracked")}


def _meso4(path: Path) -> Tensors:
    return _keras(path, tuple(f"stages.{stage}.layer" for stage in range(4)))


def _inception(path: Path) -> Tensors:
    """Keras numbers an inception layer's convolutions by branch: a point, then a point and a wide one
    three times."""
    layers = [
        f"stages.{stage}.layer.{part}"
        for stage in (0, 1)
        for part in ("points.0", "points.1", "wide.0", "points.2", "wide.1", "points.3", "wide.2")
    ]
    return _keras(path, (*layers, "stages.2.layer", "stages.3.layer"))


def _keras(path: Path, convolutions: tuple[str, ...]) -> Tensors:
    """Tensors of a Keras file, whose layers of a kind are numbered in the order in which they were made."""
    import h5py  # type: ignore[import-untyped]

    tensors: Tensors = {}
    norms = tuple(f"stages.{stage}.norm" for stage in range(4))
    with h5py.File(path) as file:
        for kind, names in (
            ("conv2d", convolutions), ("batch_normalization", norms), ("dense", ("hidden", "out")),
        ):  # fmt: skip
            for name, layer in zip(names, _layers(file, kind), strict=True):
                tensors |= {f"{name}.{key}": value for key, value in _weights(layer)}
    return tensors


def _layers(file: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    found = [name for name in file if re.fullmatch(rf"{kind}_\d+", name)]
    return [file[name][name] for name in sorted(found, key=lambda name: int(name.rpartition("_")[2]))]


_KERAS_NAMES = {
    "kernel:0": "weight",
    "gamma:0": "weight",
    "bias:0": "bias",
    "beta:0": "bias",
    "moving_mean:0": "running_mean",
    "moving_variance:0": "running_var",
}


def _weights(layer: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """A layer's tensors; Keras keeps kernels as (height, width, in, out) or (in, out)."""
    import torch

    for name, values in layer.items():
        tensor = torch.from_numpy(values[()])
        turned = {4: (3, 2, 0, 1), 2: (1, 0)}.get(tensor.ndim)
        yield _KERAS_NAMES[name], tensor.permute(turned).contiguous() if turned else tensor


_AASIST = "https://github.com/clovaai/aasist, models/weights"
_FERRETNET = "https://github.com/xigua7105/FerretNet, checkpoints/4cls_ckpt/ferretnet-s-median-3.pth"
_MESONET = "https://github.com/DariusAf/MesoNet, weights"
_UNIVERSAL = "https://github.com/WisconsinAIVision/UniversalFakeDetect, pretrained_weights/fc_weights.pth"
PUBLISHED: Mapping[str, Published] = {
    entry.name: entry
    for entry in (
        Published(
            "aasist", _AASIST, "MIT; trained on ASVspoof 2019 (ODC-BY)",
            "51d2d9cf0738172f61e2a384ec50a54a55363240f67c971ed55a92435bc1a1c0", _torch_file,
        ),
        Published(
            "aasist-l", _AASIST, "MIT; trained on ASVspoof 2019 (ODC-BY)",
            "814331d088032bb4c3fa61cc014789eadeed464209dd094ab3a2dd6ffbdce27a", _torch_file,
        ),
        Published(
            "ferretnet-s", _FERRETNET, "Apache-2.0",
            "5604ab1ade78dc615181b7d014242bf26f7bc5e2bc82351e6e8d42ce5f28f485",
            lambda path: _torch_file(path, "model"),
        ),
        Published(
            "meso4-df", _MESONET, "Apache-2.0",
            "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5", _meso4,
        ),
        Published(
            "meso4-f2f", _MESONET, "Apache-2.0",
            "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7", _meso4,
        ),
        Published(
            "mesoinception-df", _MESONET, "Apache-2.0",
            "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa", _inception,
        ),
        Published(
            "mesoinception-f2f", _MESONET, "Apache-2.0",
            "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f", _inception,
        ),
        Published(
            "universalfakedetect", _UNIVERSAL, "MIT",
            "477100745713bcc957beb2b40859536859b6483fd6301b3b9293151b194c7847", _torch_file,
        ),
    )
}  # fmt: skip
