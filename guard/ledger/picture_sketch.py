"""A compact sketch of a released picture, to tell a copy of it from another picture with its mark.

A watermark can be lifted off one picture and laid on another. So a mark only leads to a release; whether
the picture in hand *is* that release is decided by its content. The sketch is a grey thumbnail, and the
comparison is normalised cross-correlation under masks over every shift (D. Padfield, "Masked object
registration in the Fourier domain", IEEE TIP 2012), so that crops, captions and borders are compared only
where both have pixels.
"""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from guard.errors import LedgerError
from guard.ledger.likeness import Likeness
from guard.ledger.picture_codes import SIDE, Gray, thumbnail

__all__ = [
    "Geometry",
    "agrees_all_over",
    "laid_over",
    "make_sketch",
    "similarity",
    "sketched_size",
    "sketched_thumbnail",
]

Floats = NDArray[np.float32]
Geometry = tuple[tuple[float, float], tuple[float, float]]

MIN_OVERLAP = 0.5

FINE, BROAD = 1.0, 3.0
_EDGE = 3
_FLAT = 0.5  # grey levels
_BLOCK = 10  # pixels of the thumbnail
_DETAILED, _BLOCK_AGREES = 2.0, 0.5  # grey levels; correlation
_BOTH_WAYS = 0.1  # how steep a block is along its edges, compared with across them
_LEAST_BLOCKS, _LEAST_MEAN = 12, 0.7
_HEADER = struct.Struct(">BIIHH")
_VERSION = 1


def make_sketch(gray: Gray) -> bytes:
    """The sketch of a grey picture (H, W): its size and a thumbnail of up to 128 pixels a side."""
    height, width = gray.shape
    thumb = thumbnail(gray)
    return _HEADER.pack(_VERSION, width, height, *thumb.shape[::-1]) + zlib.compress(thumb.tobytes(), 6)


def similarity(sketch: bytes, gray: Gray, geometry: Geometry = ((1.0, 0.0), (0.0, 1.0))) -> Likeness:
    """How alike a grey picture (H, W) is to the sketched one, wherever the one lies on the other.

    `geometry` takes a displacement (x, y) in this picture to one in the sketched picture. Colour inversion
    does not matter. Raises `LedgerError` for a damaged sketch.
    """
    (width, _), thumb = _open(sketch)
    (a, b), (c, d) = (np.asarray(geometry, np.float64) * (thumb.shape[1] / width)).tolist()
    return laid_over(thumb, gray, ((a, b), (c, d)))


def laid_over(known: Gray, gray: Gray, geometry: Geometry) -> Likeness:
    """How alike a grey picture is to a thumbnail, wherever it lies on it; `geometry` takes a displacement
    (x, y) in the picture to one in the thumbnail."""
    ours, inner, theirs, mask = _compared(known, gray, geometry)
    if max(ours.std(), theirs.std()) < _FLAT:
        return Likeness(
            1.0, 1.0, 1.0, same=True
        )  # two blank pictures: there is nothing by which they could differ
    found, _ = _masked_ncc(ours, inner, theirs, mask)
    return found._replace(share=min(1.0, found.share * inner.size / float(inner.sum())))


def agrees_all_over(known: Gray, gray: Gray, geometry: Geometry) -> bool:
    """Whether a grey picture, laid over a thumbnail as `laid_over` lays it, agrees with it wherever either
    has detail: on average over blocks of ten pixels, and in a dozen of them that show more than an edge.

    The likeness of the whole is that of its strongest edges, and two nearly plain pictures with one edge each
    can be laid so that these coincide. Copies agree in their faint parts too, and in corners and texture,
    which tell where they lie in both directions (C. Harris and M. Stephens, "A combined corner and edge
    detector", 1988).
    """
    ours, inner, theirs, mask = _compared(known, gray, geometry)
    _, (down, across) = _masked_ncc(ours, inner, theirs, mask)
    rows, their_rows = _common(ours.shape[0], theirs.shape[0], down)
    columns, their_columns = _common(ours.shape[1], theirs.shape[1], across)
    both = inner[rows, columns] * mask[their_rows, their_columns]
    scores, steep = _blocks(ours[rows, columns], theirs[their_rows, their_columns], both)
    if np.count_nonzero((scores > _BLOCK_AGREES) & (steep > _BOTH_WAYS)) < _LEAST_BLOCKS:
        return False
    return bool(scores.mean() >= _LEAST_MEAN)


def sketched_size(sketch: bytes) -> tuple[int, int]:
    """Width and height of the picture that was sketched."""
    return _open(sketch)[0]


def sketched_thumbnail(sketch: bytes) -> Gray:
    """The thumbnail (h, w) of the picture that was sketched."""
    return _open(sketch)[1]


def _compared(known: Gray, gray: Gray, geometry: Geometry) -> tuple[Floats, Floats, Floats, Floats]:
    """The detail of a thumbnail and of the picture brought to its size, each with its mask."""
    thumb = known.astype(np.float32)
    query, mask = _warp(gray, np.asarray(geometry, np.float64))
    inner = np.zeros_like(thumb)
    # A border added around a copy bleeds into its outermost pixels.
    edge = min(_EDGE, (min(thumb.shape) - 1) // 2)
    inner[edge : thumb.shape[0] - edge, edge : thumb.shape[1] - edge] = 1
    return _detail(thumb, np.ones_like(thumb)) * inner, inner, _detail(query, mask), mask


def _open(sketch: bytes) -> tuple[tuple[int, int], Gray]:
    try:
        version, width, height, w, h = _HEADER.unpack_from(sketch)
        pixels = zlib.decompressobj().decompress(sketch[_HEADER.size :], SIDE * SIDE)
        if version != _VERSION or len(pixels) != w * h:
            raise ValueError
    except (struct.error, zlib.error, ValueError) as error:
        raise LedgerError(
            "A sketch in the ledger is damaged.", "Restore the ledger from a backup."
        ) from error
    return (width, height), np.frombuffer(pixels, np.uint8).reshape(h, w)


def _warp(gray: Gray, matrix: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """The picture and its mask after the linear map, shifted so that all of it is in view."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    shrink = min(1.0, 2 * scale)  # area-averaged first: the warp alone would alias
    if shrink < 1:
        size = (max(1, round(gray.shape[1] * shrink)), max(1, round(gray.shape[0] * shrink)))
        matrix = matrix @ np.diag([gray.shape[1] / size[0], gray.shape[0] / size[1]])
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    h, w = gray.shape
    corners = matrix @ np.array([[0, w, 0, w], [0, 0, h, h]], np.float64)
    low = corners.min(axis=1)
    view = np.clip(np.ceil(corners.max(axis=1) - low), 1, 4 * SIDE).astype(int)
    # Pixel centres lie at half-integers: without the half-pixel terms the copy would sit between the pixels.
    affine = np.hstack([matrix, (matrix @ [0.5, 0.5] - low - 0.5)[:, None]])
    target = (int(view[0]), int(view[1]))
    warped = cv2.warpAffine(gray.astype(np.float32), affine, target, flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(np.ones((h, w), np.float32), affine, target, flags=cv2.INTER_LINEAR)
    return warped.astype(np.float32), (mask > 0.99).astype(np.float32)


def _detail(picture: Floats, mask: Floats) -> Floats:
    """The picture between two blurs: the broad shading, in which many unlike pictures agree, and the finest
    detail, which half a pixel of misplacement spoils, both left out. Zero outside the mask."""
    fine, broad = (_blur(picture * mask, s) / (_blur(mask, s) + 1e-6) for s in (FINE, BROAD))
    return ((fine - broad) * mask).astype(np.float32)


def _blur(x: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(x, (0, 0), sigma), np.float32)


def _masked_ncc(a: Floats, mask_a: Floats, b: Floats, mask_b: Floats) -> tuple[Likeness, tuple[int, int]]:
    """The largest |correlation| over all shifts where the two masks overlap enough, and that shift of b: down
    and across."""
    shape = (a.shape[0] + b.shape[0] - 1, a.shape[1] + b.shape[1] - 1)
    padded = tuple(fft.next_fast_len(n, real=True) for n in shape)

    def spectrum(x: Floats, *, flip: bool = False) -> NDArray[np.complex64]:
        result: NDArray[np.complex64] = fft.rfft2(x[::-1, ::-1] if flip else x, padded)
        return result

    fa, fma, faa = spectrum(a), spectrum(mask_a), spectrum(a * a)
    fb, fmb, fbb = (spectrum(x, flip=True) for x in (b, mask_b, b * b))

    def correlate(x: NDArray[np.complex64], y: NDArray[np.complex64]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = fft.irfft2(x * y, padded)
        return result

    count = np.maximum(correlate(fma, fmb), 1e-3)
    mean_a, mean_b = correlate(fa, fmb) / count, correlate(fma, fb) / count
    covariance = correlate(fa, fb) - count * mean_a * mean_b
    var_a = np.maximum(correlate(faa, fmb) - count * mean_a**2, 0)
    var_b = np.maximum(correlate(fma, fbb) - count * mean_b**2, 0)
    # A flat patch correlates with everything or nothing: it needs some contrast (1 grey level) to count.
    usable = (count > MIN_OVERLAP * min(mask_a.sum(), mask_b.sum())) & (np.minimum(var_a, var_b) > count)
    scores = np.where(usable, np.abs(covariance) / np.sqrt(np.maximum(var_a * var_b, 1e-6)), 0)
    best = int(scores.argmax())
    score, overlap = float(min(1.0, scores.flat[best])), float(count.flat[best])
    coverage, share = overlap / float(mask_a.sum()), overlap / float(max(mask_b.sum(), 1))
    down, across = divmod(best, scores.shape[1])
    likeness = Likeness(score, coverage, share, same=score >= _least_score(coverage))
    return likeness, (down - b.shape[0] + 1, across - b.shape[1] + 1)


def _least_score(coverage: float) -> float:
    """Copies after cropping, rotating, recompressing and the like score above 0.6, other photographs below;
    small pieces of unlike pictures agree more easily, so a crop must score higher. Measured by
    `bench/sketch.py`."""
    return 0.6 + max(0.0, 0.6 * (0.4 - coverage))


def _common(ours: int, theirs: int, shift: int) -> tuple[slice, slice]:
    """The part of our pixels on which theirs lie once they are shifted, and the part of theirs."""
    start, stop = max(0, shift), min(ours, shift + theirs)
    return slice(start, stop), slice(start - shift, stop - shift)


def _blocks(a: Floats, b: Floats, mask: Floats) -> tuple[Floats, Floats]:
    """Of the blocks in which one of two pictures has detail: their correlations, positive where they agree as
    the pictures do over all; and how steep the first is along its edges there, 0 to 1 of that across."""
    count = _totals(mask)
    detailed = count >= _BLOCK**2 / 2
    count = np.maximum(count, 1)
    mean_a, mean_b = _totals(a * mask) / count, _totals(b * mask) / count
    covariance = _totals(a * b * mask) / count - mean_a * mean_b
    var_a = np.maximum(_totals(a * a * mask) / count - mean_a**2, 0)
    var_b = np.maximum(_totals(b * b * mask) / count - mean_b**2, 0)
    detailed &= np.maximum(var_a, var_b) > _DETAILED**2
    scores = np.sign(covariance.sum()) * covariance / np.sqrt(np.maximum(var_a * var_b, 1e-6))
    return scores[detailed], _steepness(a, mask)[detailed]


def _steepness(picture: Floats, mask: Floats) -> Floats:
    """The ratio, in each block, of the eigenvalues of the structure tensor."""
    down, across = (cv2.Sobel(picture, cv2.CV_32F, *axis) for axis in ((0, 1), (1, 0)))
    yy, xx, xy = (
        _totals(one * other * mask) for one, other in ((down, down), (across, across), (down, across))
    )
    trace, root = xx + yy, np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    ratio: Floats = (trace - root) / np.maximum(trace + root, 1e-6)
    return ratio


def _totals(values: Floats) -> Floats:
    """The sums over whole blocks."""
    rows, columns = (side // _BLOCK for side in values.shape)
    blocks = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    total: Floats = blocks.sum(axis=(1, 3))
    return total
