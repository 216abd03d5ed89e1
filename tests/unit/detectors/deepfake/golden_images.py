"""Makes `tests/assets/golden_images.json`: what published image detectors answer, worked out a second way.

NumPy alone carries the values forward, in float64, from the published files themselves and from the layers
that the papers and the files name, channels last, convolution by convolution: no code is shared with
`detectors.deepfake` but for the arrays' reading. Run from the repository as

    python -m tests.unit.detectors.deepfake.golden_images DATA

where DATA holds the folders `ferretnet`, `mesonet` and `photos_kodak`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OUT = Path(__file__).parents[3] / "assets" / "golden_images.json"
Array = NDArray[np.float64]
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
_SPREAD = np.array([0.26862954, 0.26130258, 0.27577711])


def crop(path: Path) -> NDArray[np.uint8]:
    """The middle 256 × 256 pixels of a PNG, RGB."""
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    top, left = (pixels.shape[0] - 256) // 2, (pixels.shape[1] - 256) // 2
    return pixels[top : top + 256, left : left + 256]


def _conv(x: Array, kernel: Array, pad: int, stride: int = 1, dilation: int = 1) -> Array:
    """Cross-correlation of (H, W, C) with (h, w, C, D)."""
    side = kernel.shape[0]
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    height = (x.shape[0] - dilation * (side - 1) - 1) // stride + 1
    width = (x.shape[1] - dilation * (side - 1) - 1) // stride + 1
    out = np.zeros((height, width, kernel.shape[3]))
    for i in range(side):
        for j in range(side):
            top, left = i * dilation, j * dilation
            cut = x[top : top + stride * height : stride, left : left + stride * width : stride]
            out += cut @ kernel[i, j]
    return out


def _depthwise(x: Array, kernel: Array, stride: int, dilation: int = 1) -> Array:
    """(H, W, C) with kernels (D, h, w), D a multiple of C, each input channel feeding D/C neighbours."""
    x = np.repeat(x, kernel.shape[0] // x.shape[2], axis=2)
    diagonal = np.zeros((*kernel.shape[1:], x.shape[2], kernel.shape[0]))
    diagonal[..., np.arange(x.shape[2]), np.arange(x.shape[2])] = kernel.transpose(1, 2, 0)
    return _conv(x, diagonal, dilation, stride, dilation)


def ferretnet(pixels: NDArray[np.uint8], w: Mapping[str, Array]) -> float:
    """The logit of a 256 × 256 picture."""

    def norm(x: Array, name: str) -> Array:
        scale = w[f"{name}.weight"] / np.sqrt(w[f"{name}.running_var"] + 1e-5)
        return (x - w[f"{name}.running_mean"]) * scale + w[f"{name}.bias"]

    def dense(name: str) -> Array:
        return w[name].transpose(2, 3, 1, 0)

    def block(x: Array, name: str, stride: int) -> Array:
        near = _depthwise(x, w[f"{name}.layers.0.conv1.weight"][:, 0], stride)
        far = _depthwise(x, w[f"{name}.layers.0.conv2.weight"][:, 0], stride, 2)
        y = _conv(near + far, dense(f"{name}.layers.0.conv3.weight"), 0)
        y = np.maximum(norm(y, f"{name}.layers.1"), 0)
        y = _depthwise(y, w[f"{name}.layers.3.depth_wise.weight"][:, 0], 1)
        y = norm(_conv(y, dense(f"{name}.layers.3.point_wise.weight"), 0), f"{name}.layers.4")
        if stride == 2:
            x = _conv(x, dense(f"{name}.shortcut.0.weight"), 0, 2) + w[f"{name}.shortcut.0.bias"]
            x = norm(x, f"{name}.shortcut.1")
        return np.maximum(x + y, 0)

    x = (pixels / 255 - _MEAN) / _SPREAD
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    near = [padded[i : i + 256, j : j + 256] * (i != 1 or j != 1) for i in range(3) for j in range(3)]
    x = x - np.sort(np.stack(near), axis=0)[4]
    x = np.maximum(norm(_conv(x, dense("cbr1.0.weight"), 1), "cbr1.1"), 0)
    x = np.maximum(norm(_conv(x, dense("cbr2.0.weight"), 1, 2), "cbr2.1"), 0)
    for stage in (0, 1):
        x = block(block(x, f"feature.{stage}.0", 2), f"feature.{stage}.1", 1)
    x = _conv(x, dense("feature.2.weight"), 0).mean(axis=(0, 1))
    return float(w["logit.1.weight"][0] @ x + w["logit.1.bias"][0])


def mesonet(pixels: NDArray[np.uint8], file: Any) -> float:
    """The value before the sigmoid, for a picture of 256 × 256, from a Keras file's own layers."""

    def weights(kind: str, number: int) -> dict[str, Array]:
        names = sorted((n for n in file if n.startswith(f"{kind}_")), key=lambda n: int(n.split("_")[-1]))
        layer = file[names[number]][names[number]]
        return {key.split(":")[0]: np.asarray(layer[key], np.float64) for key in layer}

    def conv(x: Array, number: int, dilation: int = 1) -> Array:
        kernel = weights("conv2d", number)
        side = kernel["kernel"].shape[0]
        y = _conv(x, kernel["kernel"], dilation * (side // 2), 1, dilation) + kernel["bias"]
        return np.maximum(y, 0)

    def settle(x: Array, number: int, pool: int) -> Array:
        n = weights("batch_normalization", number)
        x = (x - n["moving_mean"]) / np.sqrt(n["moving_variance"] + 1e-3) * n["gamma"] + n["beta"]
        side = x.shape[0] // pool
        return np.asarray(x.reshape(side, pool, side, pool, -1).max(axis=(1, 3)), np.float64)

    def inception(x: Array, first: int) -> Array:
        branches = [conv(x, first)]
        for dilation in (1, 2, 3):
            branches.append(conv(conv(x, first + 2 * dilation - 1), first + 2 * dilation, dilation))
        return np.concatenate(branches, axis=2)

    x = pixels / 255
    if len([n for n in file if n.startswith("conv2d_")]) == 4:
        x = settle(conv(x, 0), 0, 2)
        x = settle(conv(x, 1), 1, 2)
        last = 2
    else:
        x = settle(inception(x, 0), 0, 2)
        x = settle(inception(x, 7), 1, 2)
        last = 14
    x = settle(conv(x, last), 2, 2)
    x = settle(conv(x, last + 1), 3, 4)
    hidden, out = weights("dense", 0), weights("dense", 1)
    y = x.ravel() @ hidden["kernel"] + hidden["bias"]
    y = np.where(y > 0, y, 0.1 * y)
    return float((y @ out["kernel"] + out["bias"])[0])


def main(data: Path) -> None:
    import h5py  # type: ignore[import-untyped]
    import torch

    pictures = sorted((data / "photos_kodak").glob("*.png"))[:20]
    state = torch.load(data / "ferretnet/checkpoints/4cls_ckpt/ferretnet-s-median-3.pth", weights_only=True)[
        "model"
    ]
    arrays = {key: value.double().numpy() for key, value in state.items()}
    golden: dict[str, dict[str, float]] = {
        "ferretnet-s": {path.name: ferretnet(crop(path), arrays) for path in pictures}
    }
    for name, weights in (
        ("meso4-df", "Meso4_DF"),
        ("meso4-f2f", "Meso4_F2F"),
        ("mesoinception-df", "MesoInception_DF"),
        ("mesoinception-f2f", "MesoInception_F2F"),
    ):
        with h5py.File(data / "mesonet/weights" / f"{weights}.h5") as file:
            golden[name] = {path.name: mesonet(crop(path), file) for path in pictures}
    how = " ".join((__doc__ or "").split("\n\n")[1].split())
    OUT.write_text(json.dumps({"how": how, "pictures": "photos_kodak", "logits": golden}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
