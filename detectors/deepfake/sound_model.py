"""The embedded sound detector's weights and arithmetic: small networks over a window's numbers, in NumPy."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layers", "Model", "load"]

Array = NDArray[np.float32]
Layers = tuple[tuple[Array, Array], ...]
_REACH = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Several small networks that saw the same windows from different starts; their log-odds are averaged.

    `mean` and `spread` (D,) standardise the numbers, which count for no more than 4 spreads; `members` has
    for each network its layers' weights (in, out) and biases.
    """

    mean: Array
    spread: Array
    members: tuple[Layers, ...]

    def logits(self, numbers: Array) -> Array:
        """Windows' numbers (N, D) to log-odds (N,), above 0 toward synthetic."""
        x = np.clip((numbers - self.mean) / self.spread, -_REACH, _REACH)
        return np.asarray(np.mean([_through(layers, x) for layers in self.members], axis=0), np.float32)

    def strange(self, numbers: Array) -> Array:
        """How many spreads each window (N, D) lies from those of training, on average over its numbers."""
        return np.asarray(np.abs((numbers - self.mean) / self.spread).mean(axis=1), np.float32)

    def dump(self) -> bytes:
        """The model as an npz file."""
        arrays = {
            f"{member}.{layer}.{name}": array
            for member, layers in enumerate(self.members)
            for layer, pair in enumerate(layers)
            for name, array in zip(("weight", "bias"), pair, strict=True)
        }
        file = io.BytesIO()
        np.savez_compressed(file, mean=self.mean, spread=self.spread, **arrays)  # type: ignore[arg-type]
        return file.getvalue()


def load(data: bytes) -> Model:
    """The model that `Model.dump` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        members = 1 + max(int(name.split(".")[0]) for name in arrays.files if "." in name)
        depth = 1 + max(int(name.split(".")[1]) for name in arrays.files if "." in name)
        return Model(
            arrays["mean"],
            arrays["spread"],
            tuple(
                tuple((arrays[f"{m}.{n}.weight"], arrays[f"{m}.{n}.bias"]) for n in range(depth))
                for m in range(members)
            ),
        )


def _through(layers: Layers, x: Array) -> Array:
    for weight, bias in layers[:-1]:
        x = np.maximum(x @ weight + bias, 0)
    weight, bias = layers[-1]
    return np.asarray((x @ weight + bias)[:, 0])
