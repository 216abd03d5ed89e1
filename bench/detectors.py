"""What detectors cost on one core, beside models of the size that hubs offer.

    python -m bench.detectors [NAME…]

Processor time of every installed detector, or of those named: milliseconds per megapixel, per second of
sound or video, and per kilobyte of text, also where that comes in pieces of 5 characters to a detector that
follows it. Beside them, with random weights of the true shape, since weights do not change the time:
detoxify's "original" (BERT base, 110 M parameters) on text, and ViT-B/16 at 224 × 224 pixels (86 M), which is
what a hub's image classifier mostly is, on pictures and on a frame a second of video. A ratio below 1 is
cheaper than the peer. A detector that abstains is marked: it did no work worth timing.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from detectors import Context, Detector, Streaming, inspect_each, load_all
from guard.media import Artifact, Modality
from guard.media.picture import Picture, Pixels
from guard.media.stream import Samples

UPLOAD = Context("upload")
UNITS = {
    Modality.IMAGE: "ms/MP",
    Modality.AUDIO: "ms/s",
    Modality.VIDEO: "ms/s",
    Modality.TEXT: "ms/kB",
}
PEERS = {Modality.IMAGE: "ViT-B/16", Modality.VIDEO: "ViT-B/16", Modality.TEXT: "detoxify"}
RATE, SECONDS = 16_000, 10
FPS = 24
PIECE = 5


class Load(NamedTuple):
    """Artifacts to inspect at once, and how many units (megapixels, seconds, kilobytes) they hold."""

    name: str
    artifacts: list[Artifact]
    units: float


def photo(side: int, seed: int = 0) -> Artifact:
    """A square JPEG with detail at every scale."""
    rng = np.random.default_rng(seed)
    frequency = np.maximum(np.hypot(*np.meshgrid(*[np.fft.fftfreq(side)] * 2)), 1 / side)
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=(3, side, side))) / frequency**1.3).real
    pixels = np.clip(128 + 48 * field / field.std(), 0, 255).astype(np.uint8)
    picture = Picture.from_array(np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))
    return Artifact.from_picture(picture, "image/jpeg", quality=90)


def page() -> Artifact:
    """A page of print, as a scanner gives it at 150 dots an inch."""
    pixels = np.full((1_754, 1_240, 3), 255, np.uint8)
    words = prose(10).text
    for row in range(48):
        line = words[row * 80 : row * 80 + 80]
        cv2.putText(
            pixels, line, (70, 80 + row * 34), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 1, cv2.LINE_AA
        )
    return Artifact.from_picture(Picture.from_array(pixels), "image/png")


def film(seconds: int) -> Artifact:
    """A camera that moves over a photograph: H.264 without sound, 640 × 360."""
    still = photo(1_024).picture.rgb()
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(seconds * FPS):
            window = np.ascontiguousarray(still[number : number + 360, number : number + 640])
            out.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        out.mux(stream.encode())
    return Artifact.from_bytes(file.getvalue())


def voice(seconds: int) -> Artifact:
    """A hum and hiss that come and go as syllables do."""
    clock = np.arange(seconds * RATE) / RATE
    hiss = np.random.default_rng(0).normal(size=len(clock)) * 0.05
    hum = sum(np.sin(2 * np.pi * 120 * n * clock) / n for n in range(1, 20)) * 0.1
    sound = (hum + hiss) * np.abs(np.sin(2 * np.pi * 2.5 * clock))
    return Artifact.from_samples(Samples(RATE, sound.astype(np.float32)[:, None]), "audio/wav")


def prose(kilobytes: float, seed: int = 0) -> Artifact:
    words = np.array(["the", "people", "of", "this", "town", "think", "about", "bad", "weather", "often"])
    text = " ".join(np.random.default_rng(seed).choice(words, round(kilobytes * 300)))
    return Artifact.from_text(text[: round(kilobytes * 1_000)])


def loads(modality: Modality) -> Iterator[Load]:
    """What a detector of the modality is timed on."""
    if modality is Modality.IMAGE:
        for side in (512, 1_024, 2_048):
            yield Load(f"{side} × {side}", [photo(side)], side * side / 1e6)
        yield Load("16 of 512 × 512", [photo(512, seed) for seed in range(16)], 16 * 512 * 512 / 1e6)
        yield Load("page of print", [page()], 1_240 * 1_754 / 1e6)
    elif modality is Modality.VIDEO:
        yield Load(f"{SECONDS} s", [film(SECONDS)], SECONDS)
    elif modality is Modality.AUDIO:
        yield Load(f"{SECONDS} s", [voice(SECONDS)], SECONDS)
    elif modality is Modality.TEXT:
        for kilobytes in (0.1, 1, 10):
            yield Load(f"{kilobytes:g} kB", [prose(kilobytes)], kilobytes)
        yield Load("16 of 0.1 kB", [prose(0.1, seed) for seed in range(16)], 1.6)


def cost(action: Callable[[], object], runs: int = 3) -> float:
    """Least processor time of a call, in milliseconds; the first, which loads weights, is not counted."""
    action()
    times = []
    for _ in range(runs):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return 1_000 * min(times)


def fresh(load: Load) -> list[Artifact]:
    """The artifacts with nothing decoded yet, as they come in."""
    return [Artifact(each.modality, each.mime, each.data) for each in load.artifacts]


def detector_cost(detector: Detector, load: Load) -> tuple[float, str]:
    """Milliseconds, and a remark where it did not answer."""
    states = {finding.state for (*found,) in inspect_each(detector, fresh(load), UPLOAD) for finding in found}
    remark = "" if "scored" in states else ", ".join(sorted(states))
    return cost(lambda: inspect_each(detector, fresh(load), UPLOAD)), remark


def streamed(detector: Streaming, load: Load) -> float:
    """Milliseconds for the texts in pieces, the findings asked for after each."""

    def run() -> None:
        for artifact in load.artifacts:
            watch, text = detector.watch(UPLOAD), artifact.text
            for start in range(0, len(text), PIECE):
                watch.feed(text[start : start + PIECE])
                watch.findings()
            watch.finish()

    return cost(run)


def vit() -> Callable[[Load], object]:
    """ViT-B/16 with random weights, from the file to the classes of its picture, or of a frame a second."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    model = ViTForImageClassification(ViTConfig()).eval()

    def run(load: Load) -> object:
        small = [cv2.resize(pixels, (224, 224)) for each in fresh(load) for pixels in shown(each)]
        batch = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            return model(batch).logits

    return run


def shown(artifact: Artifact) -> list[Pixels]:
    """The picture, or a frame a second."""
    if artifact.modality is Modality.IMAGE:
        return [artifact.picture.rgb()]
    return [frame.pixels for number, frame in enumerate(artifact.frames()) if number % FPS == 0]


def detoxify() -> Callable[[Load], object]:
    """BERT base with six labels and random weights, on windows of 512 tokens of about four letters."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(BertConfig(num_labels=6)).eval()

    def run(load: Load) -> object:
        tokens = max(8, len(load.artifacts[0].text) // 4)
        rows = len(load.artifacts)
        with torch.inference_mode():
            sizes = [min(512, tokens - start) for start in range(0, tokens, 512)]
            return [model(torch.randint(1_000, 30_000, (rows, size))).logits for size in sizes]

    return run


def peer_costs(modality: Modality) -> dict[str, float]:
    """Milliseconds of the peer for each load; empty where there is none, or no torch."""
    try:
        make = {Modality.IMAGE: vit, Modality.VIDEO: vit, Modality.TEXT: detoxify}[modality]
        import torch

        torch.set_num_threads(1)
        run = make()
    except (KeyError, ImportError):
        return {}
    return {load.name: cost(partial(run, load), 2) for load in loads(modality)}


def table(modality: Modality, chosen: dict[str, Detector]) -> Table:
    peers, peer = peer_costs(modality), PEERS.get(modality, "")
    rows = Table(
        "detector", "on", "ms", UNITS[modality], f"{peer} ms", "ratio", "", title=f"Detectors of {modality}"
    )
    for name, detector in chosen.items():
        for load in loads(modality):
            ours, remark = detector_cost(detector, load)
            theirs = peers.get(load.name)
            ratio = ("", "") if theirs is None else (f"{theirs:.1f}", f"{ours / theirs:.4f}")
            rows.add_row(name, load.name, f"{ours:.2f}", f"{ours / load.units:.3f}", *ratio, remark)
            if isinstance(detector, Streaming):
                ours = streamed(detector, load)
                rows.add_row(
                    name, f"{load.name} in pieces", f"{ours:.2f}", f"{ours / load.units:.3f}", "", "", ""
                )
    return rows


def main(wanted: list[str]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    installed = load_all().detectors
    chosen = {name: each for name, each in installed.items() if not wanted or name in wanted}
    for modality in UNITS:
        looking = {name: each for name, each in chosen.items() if modality in each.card.modalities}
        if looking:
            Console().print(table(modality, looking))


if __name__ == "__main__":
    main(sys.argv[1:])
