"""The image mark against what the web does to pictures, side by side with its open peers.

python -m bench.watermark_image                     the whole suite, with chart and difference sheet
python -m bench.watermark_image --quick             a few pictures and attacks
python -m bench.watermark_image --set drawn         another set of pictures
python -m bench.watermark_image --false-reads 1000  reads of unmarked pictures instead
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from skimage.metrics import structural_similarity

from bench.image_attacks import GROUPS, Attack, Pixels
from bench.image_false_reads import CROPS, false_reads
from bench.image_methods import Method, Tile, Timed, peers
from bench.image_sets import drawn, mosaics, photographs
from guard.errors import MarkError

matplotlib.use("Agg")
from matplotlib import pyplot

_FIGURES = Path(__file__).resolve().parents[1] / "docs" / "guide" / "img"
_QUICK = ("untouched", "JPEG 50", "WebP 80", "noise σ10", "crop 25 %", "rotate 5°", "scale 0.5", "re-upload")
_PEER_PICTURES = {"dwtDct": 8, "dwtDctSvd": 8, "rivaGan": 1, "blind_watermark": 2}
_TITLES = ("before", "after", "difference ×8")
Named = tuple[str, Pixels]
Score = dict[str, list[bool]]


def _small() -> Iterator[Named]:
    for name, picture in photographs("photos_kodak/*.png"):
        top, left = ((n - 256) // 2 for n in picture.shape[:2])
        yield name, np.ascontiguousarray(picture[top : top + 256, left : left + 256])


def _unseen() -> Iterator[Named]:
    """What no constant was chosen on: half of the Kodak pictures, BSDS four at a time, a model's pictures."""
    kodak = islice(photographs("photos_kodak/*.png"), 1, None, 2)
    return chain(kodak, mosaics("photos_bsds/*.jpg"), photographs("ai_gpt4o/**/*.png"))


_SETS: dict[str, Callable[[], Iterator[Named]]] = {
    "unseen": _unseen,
    "tuned": lambda: islice(photographs("photos_kodak/*.png"), 0, None, 2),
    "kodak": lambda: photographs("photos_kodak/*.png"),
    "megapixel": lambda: photographs("ai_gpt4o/**/*.png"),
    "small": _small,
    "drawn": lambda: drawn(range(10, 16)),
}


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    if options.false_reads:
        false_reads(options.false_reads, options.seed, options.crops)
        return
    attacks = {
        n: a for group in GROUPS.values() for n, a in group.items() if not options.quick or n in _QUICK
    }
    pictures = list(islice(_SETS[options.set](), 4 if options.quick else options.pictures))
    methods: list[Method] = [Tile()]
    if not options.alone:
        methods += peers()
    table = {method.name: _run(Timed(method), pictures, attacks) for method in methods}
    _print(table, attacks)
    if options.figures:
        options.figures.mkdir(parents=True, exist_ok=True)
        _chart(table, list(attacks), options.figures / "image-robustness.png")
        _sheet(options.figures / "image-difference.png")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="four pictures, eight attacks")
    parser.add_argument("--alone", action="store_true", help="leave the peers out")
    parser.add_argument("--set", choices=_SETS, default="unseen", help="which pictures")
    parser.add_argument("--pictures", type=int, help="at most so many pictures")
    parser.add_argument("--figures", type=Path, nargs="?", const=_FIGURES, help="write the PNG figures")
    parser.add_argument("--false-reads", type=int, metavar="N", help="read unmarked pictures N times instead")
    parser.add_argument("--crops", choices=CROPS, default="small", help="which false reads")
    parser.add_argument("--seed", type=int, default=1, help="of the false reads")
    return parser.parse_args()


def _run(method: Timed, pictures: list[Named], attacks: dict[str, Attack]) -> Score:
    """Whether the message came back, per attack and picture; prints the method's quality and speed."""
    score: Score = {name: [] for name in attacks}
    psnr, ssim, refused = [], [], 0
    for name, picture in pictures[: _PEER_PICTURES.get(method.name)]:
        try:
            marked = method.mark(picture)
        except MarkError:
            refused += 1
            continue
        psnr.append(cv2.PSNR(picture, marked))
        ssim.append(_similarity(picture, marked))
        for attack, change in attacks.items():
            rng = np.random.default_rng(zlib.crc32(f"{name} {attack}".encode()))
            score[attack].append(method.reads(np.ascontiguousarray(change(marked, rng))))
    print(
        f"{method.name}: {method.bits} bits, {len(psnr)} pictures marked, {refused} refused;\n"
        f"  PSNR {np.mean(psnr):.2f} dB (least {min(psnr):.2f})\n"
        f"  SSIM {np.mean(ssim):.4f} (least {min(ssim):.4f})\n"
        f"  {np.median(method.marking):.0f} ms/MP to mark, {np.median(method.reading):.0f} to read (medians)",
        flush=True,
    )
    return score


def _similarity(one: Pixels, two: Pixels) -> float:
    """SSIM with its authors' Gaussian window, over the three channels."""
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(one, two, channel_axis=2, data_range=255, **options))


def _print(table: dict[str, Score], attacks: dict[str, Attack]) -> None:
    """A Markdown table of exact readings."""
    print(f"\n| attack | {' | '.join(table)} |\n|---|{'---|' * len(table)}")
    for attack in attacks:
        cells = [f"{sum(score[attack])}/{len(score[attack])}" for score in table.values()]
        print(f"| {attack} | {' | '.join(cells)} |")
    totals = {name: [ok for row in score.values() for ok in row] for name, score in table.items()}
    shares = {name: float(np.mean(row)) for name, row in totals.items()}
    print(
        f"| all | {' | '.join(f'{sum(row)}/{len(row)} = {np.mean(row):.1%}' for row in totals.values())} |\n"
    )
    for name, share in shares.items():
        if name != "tile" and share:
            print(f"tile reads {shares['tile'] / share:.1f} times as often as {name}.")


def _chart(table: dict[str, Score], attacks: list[str], path: Path) -> None:
    """A heat map: attacks by methods, per cent read exactly."""
    shares = np.array([[100 * np.mean(score[attack]) for score in table.values()] for attack in attacks])
    figure, axes = pyplot.subplots(figsize=(2.2 + 1.5 * len(table), 0.26 * len(attacks) + 1))
    axes.imshow(shares, cmap="RdYlGn", vmin=0, vmax=100, aspect="auto")
    counts = [len(next(iter(score.values()))) for score in table.values()]
    labels = [f"{name}\n{count} pictures" for name, count in zip(table, counts, strict=True)]
    axes.set_xticks(range(len(table)), labels, fontsize=8)
    axes.set_yticks(range(len(attacks)), attacks, fontsize=7)
    axes.xaxis.tick_top()
    for row, column in np.ndindex(shares.shape):
        axes.text(column, row, f"{shares[row, column]:.0f}", ha="center", va="center", fontsize=7)
    axes.set_title("Exact readings, per cent of pictures", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _sheet(path: Path) -> None:
    """Before, after and eight times the difference, for parts of three photographs and two drawings."""
    photos = dict(photographs("photos_kodak/*.png"))
    places = (("20", 150, 200), ("03", 60, 200), ("23", 40, 250))
    wholes = [(photos[name], top, left) for name, top, left in places]
    wholes += [(picture, 100, 150) for name, picture in drawn(range(10, 11)) if name[:3] in ("scr", "art")]
    figure, axes = pyplot.subplots(len(wholes), 3, figsize=(9, 2.05 * len(wholes)))
    for row, (before, top, left) in zip(axes, wholes, strict=True):
        after = Tile().mark(before)
        difference = np.clip(128 + 8 * (after.astype(int) - before), 0, 255).astype(np.uint8)
        for cell, shown, title in zip(row, (before, after, difference), _TITLES, strict=True):
            cell.imshow(shown[top : top + 256, left : left + 384])
            cell.set_title(title, fontsize=7)
            cell.axis("off")
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
