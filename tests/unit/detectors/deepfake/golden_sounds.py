"""Makes `tests/assets/golden_sounds.json`: what published sound detectors answer, worked out a second way.

NumPy alone carries the values forward, in float64, from the published files' arrays and the layers that the
paper and the files name: convolutions tap by tap, attention pair by pair of node kinds, pooling by sorting.
No code is shared with `detectors.deepfake`. Samples are taken as they are in the files, as if at 16 kHz,
repeated or cut to 64,600.

Run from the repository as

    python -m tests.unit.detectors.deepfake.golden_sounds DATA

where DATA holds the folders `aasist`, `fsdd` and `tts_tortoise`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

OUT = Path(__file__).parents[3] / "assets" / "golden_sounds.json"
LENGTH = 64_600
Array = NDArray[np.float64]
Weights = Mapping[str, Array]


def samples(path: Path) -> NDArray[np.float32]:
    """64,600 samples of a file's first channel, as float32."""
    import soundfile

    sound, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return np.resize(sound[:, 0], LENGTH)


def golden_files(data: Path) -> list[Path]:
    """Ten spoken digits, ten pieces of longer speech."""
    digits = sorted((data / "fsdd").rglob("*.wav"))
    longer = sorted((data / "tts_tortoise").rglob("*.wav"))
    return [*digits[:: len(digits) // 10][:10], *longer[:: len(longer) // 10][:10]]


def _selu(x: Array) -> Array:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


def _norm(w: Weights, name: str, x: Array, axis: int) -> Array:
    shape = [1] * x.ndim
    shape[axis] = -1
    mean, var, gain, bias = (
        w[f"{name}.{part}"].reshape(shape) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * gain + bias


def _conv(w: Weights, name: str, x: Array, pad: tuple[int, int]) -> Array:
    """(C, H, W) with a kernel (D, C, h, w)."""
    kernel, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    x = np.pad(x, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1])))
    height, width = x.shape[1] - kernel.shape[2] + 1, x.shape[2] - kernel.shape[3] + 1
    out = np.zeros((kernel.shape[0], height, width)) + bias[:, None, None]
    for i in range(kernel.shape[2]):
        for j in range(kernel.shape[3]):
            out += np.einsum("dc,chw->dhw", kernel[:, :, i, j], x[:, i : i + height, j : j + width])
    return out


def _max_pool(x: Array, rows: int, columns: int) -> Array:
    height, width = x.shape[-2] // rows, x.shape[-1] // columns
    cut = x[..., : height * rows, : width * columns]
    return cut.reshape(*x.shape[:-2], height, rows, width, columns).max(axis=(-3, -1))


def _front(sound: Array) -> Array:
    """|band passes| (70, n): windowed differences of sinc low passes, at edges equally far apart in mel."""
    top = 2595 * np.log10(1 + 8000 / 700)
    edges = [700 * (10 ** (top * k / 70 / 2595) - 1) for k in range(71)]
    at = np.arange(-64, 65)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(129) / 128)
    lows = [2 * edge / 16000 * np.sinc(2 * edge * at / 16000) for edge in edges]
    # The kernels are symmetric, so a convolution is a correlation.
    return np.stack([np.abs(np.convolve(sound, window * (b - a), "valid")) for a, b in pairwise(lows)])


def _linear(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _graph(w: Weights, name: str, x: Array) -> Array:
    scores = np.tanh(_linear(w, f"{name}.att_proj", np.einsum("if,jf->ijf", x, x))) @ w[f"{name}.att_weight"]
    mixed = _softmax(scores[:, :, 0] / 2.0, 0) @ x
    out = _linear(w, f"{name}.proj_with_att", mixed) + _linear(w, f"{name}.proj_without_att", x)
    return _selu(_norm(w, f"{name}.bn", out, 1))


def _stack(w: Weights, name: str, t: Array, s: Array, master: Array) -> tuple[Array, Array, Array]:
    x = np.concatenate([_linear(w, f"{name}.proj_type1", t), _linear(w, f"{name}.proj_type2", s)])
    n = len(t)
    pairs = np.tanh(_linear(w, f"{name}.att_proj", np.einsum("if,jf->ijf", x, x)))
    board = np.empty((len(x), len(x)))
    board[:n, :n] = (pairs[:n, :n] @ w[f"{name}.att_weight11"])[..., 0]
    board[n:, n:] = (pairs[n:, n:] @ w[f"{name}.att_weight22"])[..., 0]
    board[:n, n:] = (pairs[:n, n:] @ w[f"{name}.att_weight12"])[..., 0]
    board[n:, :n] = (pairs[n:, :n] @ w[f"{name}.att_weight12"])[..., 0]
    heard = np.tanh(_linear(w, f"{name}.att_projM", x * master)) @ w[f"{name}.att_weightM"]
    told = (_softmax(heard / 100.0, 0) * x).sum(axis=0, keepdims=True)
    master = _linear(w, f"{name}.proj_with_attM", told) + _linear(w, f"{name}.proj_without_attM", master)
    mixed = _softmax(board / 100.0, 0) @ x
    out = _linear(w, f"{name}.proj_with_att", mixed) + _linear(w, f"{name}.proj_without_att", x)
    out = _selu(_norm(w, f"{name}.bn", out, 1))
    return out[:n], out[n:], master


def _pool(w: Weights, name: str, x: Array, share: float) -> Array:
    scores = 1 / (1 + np.exp(-_linear(w, f"{name}.proj", x)[:, 0]))
    best = np.argsort(-scores, kind="stable")[: max(1, int(len(x) * share))]
    return x[best] * scores[best, None]


def aasist(sound: NDArray[np.float32], w: Weights) -> list[float]:
    """The logits of spoofed and bona fide."""
    x = _max_pool(_front(sound.astype(np.float64)), 3, 3)
    x = _selu(_norm(w, "first_bn", x[None], 0))
    for number in range(6):
        name = f"encoder.{number}.0"
        deep = _selu(_norm(w, f"{name}.bn2", _conv(w, f"{name}.conv1", x, (1, 1)), 0))
        deep = _conv(w, f"{name}.conv2", deep, (0, 1))
        if f"{name}.conv_downsample.weight" in w:
            x = _conv(w, f"{name}.conv_downsample", x, (0, 1))
        x = _max_pool(deep + x, 1, 3)
    spectral, temporal, joint = {64: (0.5, 0.7, 0.5), 24: (0.4, 0.5, 0.7)}[x.shape[0]]
    s = _pool(w, "pool_S", _graph(w, "GAT_layer_S", np.abs(x).max(axis=2).T + w["pos_S"][0]), spectral)
    t = _pool(w, "pool_T", _graph(w, "GAT_layer_T", np.abs(x).max(axis=1).T), temporal)
    ends = []
    for k in "12":
        t1, s1, m1 = _stack(w, f"HtrgGAT_layer_ST{k}1", t, s, w[f"master{k}"][0])
        s1, t1 = _pool(w, f"pool_hS{k}", s1, joint), _pool(w, f"pool_hT{k}", t1, joint)
        more = _stack(w, f"HtrgGAT_layer_ST{k}2", t1, s1, m1)
        ends.append((t1 + more[0], s1 + more[1], m1 + more[2]))
    t, s, m = (np.maximum(a, b) for a, b in zip(*ends, strict=True))
    last = np.concatenate(
        [np.abs(t).max(axis=0), t.mean(axis=0), np.abs(s).max(axis=0), s.mean(axis=0), m[0]]
    )
    return [float(logit) for logit in _linear(w, "out_layer", last)]


def main(data: Path) -> None:
    import torch

    golden: dict[str, dict[str, list[float]]] = {}
    for name in ("AASIST", "AASIST-L"):
        state = torch.load(
            data / "aasist/models/weights" / f"{name}.pth", weights_only=True, map_location="cpu"
        )
        arrays = {key: value.double().numpy() for key, value in state.items()}
        golden[name.lower()] = {
            str(path.relative_to(data)): aasist(samples(path), arrays) for path in golden_files(data)
        }
    how = " ".join((__doc__ or "").split("\n\n")[1].split())
    OUT.write_text(json.dumps({"how": how, "logits": golden}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
