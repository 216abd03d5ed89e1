"""A small ICC profile for CMYK, so that tests need no one's press profile.

ICC.1:2010 §8.4 (output profile) and §10.10 (lut8Type): four inks to Lab on a grid of five, Lab to inks on a
grid of seventeen. The press it describes dims every ink a little, so that going through it differs from the
plain formula.
"""

from __future__ import annotations

import io
import itertools
import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms


@cache
def profile() -> bytes:
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">L", 6) + b"press\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3l", 63_190, 65_536, 54_061),
        b"A2B0": _lut(4, 3, 5, _lab_of(_grid(4, 5))),
        b"B2A0": _lut(3, 4, 17, _inks_of(_grid(3, 17))),
    }
    table, body, at = struct.pack(">L", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sLL", name, at + len(body), len(data))
        body += data
    size = struct.pack(">L", 128 + len(table) + len(body))
    head = size + bytes(4) + b"\x02\x20\0\0prtrCMYKLab " + struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp"
    head += bytes(28) + struct.pack(">3l", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + table + body


def _grid(inputs: int, points: int) -> NDArray[np.uint8]:
    steps = np.rint(np.linspace(0, 255, points)).astype(np.uint8)
    return np.array(list(itertools.product(steps, repeat=inputs)), np.uint8)


def _lut(inputs: int, outputs: int, points: int, table: NDArray[np.uint8]) -> bytes:
    """Identity matrix and curves around a table."""
    head = b"mft1\0\0\0\0" + bytes([inputs, outputs, points, 0])
    matrix = struct.pack(">9l", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    curve = bytes(range(256))
    return head + matrix + curve * inputs + table.tobytes() + curve * outputs


def _lab_of(inks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    white = 255 - 0.9 * inks.astype(np.float64)
    rgb = np.rint(white[:, :3] * white[:, 3:] / 255).astype(np.uint8)
    return _converted(rgb, "RGB", "LAB") ^ np.array([0, 128, 128], np.uint8)


def _inks_of(lab: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without black: cyan, magenta and yellow alone can show every colour of this press but the darkest."""
    rgb = _converted(lab ^ np.array([0, 128, 128], np.uint8), "LAB", "RGB")
    inks = np.clip((255 - rgb.astype(np.float64)) / 0.9, 0, 255)
    return np.rint(np.column_stack([inks, np.zeros(len(inks))])).astype(np.uint8)


def _converted(pixels: NDArray[np.uint8], source: str, target: str) -> NDArray[np.uint8]:
    made = {"RGB": ImageCms.createProfile("sRGB"), "LAB": ImageCms.createProfile("LAB")}
    image = Image.frombytes(source, (len(pixels), 1), pixels.tobytes())
    done = ImageCms.profileToProfile(image, made[source], made[target], outputMode=target)
    assert done is not None
    return np.frombuffer(done.tobytes(), np.uint8).reshape(-1, 3)


def is_readable() -> bool:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile())).profile.xcolor_space == "CMYK"
