"""What each step of a release and of a verification costs, beside bare c2pa-python on the same bytes.

    python -m bench.release_verify [--runs N]

Prints medians in milliseconds over N runs (default 20) on a 1-megapixel picture, and ratios.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import c2pa
from PIL import Image
from rich.console import Console
from rich.table import Table

from guard.app import App, open_app
from guard.media import Artifact, Modality
from guard.pipeline import Origin
from guard.provenance.manifest import TRAINED_ALGORITHMIC_MEDIA
from guard.provenance.sdk import context
from guard.provenance.signers.pem import PemKey
from guard.provenance.trust import Trust
from guard.settings import Settings
from guard.trace import StepTimes
from models.base import GenerationRequest
from models.scene import SceneGenerator

Rows = dict[str, float]
C2PA_GOALS = {"sign": 4.0, "credential": 3.0}
OVERHEAD_GOAL = 5.0
CREATED = {"action": "c2pa.created", "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA}


def measured(action: Callable[[StepTimes], object], runs: int) -> Rows:
    """Median milliseconds of each step, of the whole, and of what lies outside the steps."""
    rows: dict[str, list[float]] = {}
    for run in range(runs + 2):
        times = StepTimes()
        start = perf_counter()
        action(times)
        whole = perf_counter() - start
        if run < 2:
            continue  # the first runs load libraries and plan transforms
        parts = times.seconds | {"outside the steps": whole - sum(times.seconds.values()), "whole": whole}
        for name, seconds in parts.items():
            rows.setdefault(name, []).append(1000 * seconds)
    return {name: median(values) for name, values in rows.items()}


def bare_sign(app: App, artifact: Artifact) -> Callable[[], object]:
    """Signing with c2pa-python alone: the smallest manifest that is accepted."""
    signer, actions = app.keys.signer(), {"actions": [CREATED]}
    manifest = {"assertions": [{"label": "c2pa.actions.v2", "created": True, "data": actions}]}
    assert isinstance(signer.key, PemKey)
    info = c2pa.C2paSignerInfo(
        alg=signer.alg.encode(),
        sign_cert=signer.certificates.encode(),
        private_key=signer.key.private_key.encode(),
        ta_url=None,
    )

    def sign() -> object:
        with c2pa.Signer.from_info(info) as sealed, context() as own, c2pa.Builder(manifest, own) as builder:
            return builder.sign(sealed, artifact.mime, io.BytesIO(artifact.data), io.BytesIO())

    return sign


def bare_read(app: App, artifact: Artifact) -> Callable[[], object]:
    """Validating with c2pa-python alone."""
    trust = Trust.of(app.keys.anchors())

    def read() -> object:
        data = io.BytesIO(artifact.data)
        with context(trust) as own, c2pa.Reader(artifact.mime, data, context=own) as reader:
            return reader.json()

    return read


def timed(action: Callable[[], object], runs: int) -> float:
    """Median milliseconds of a call."""
    values = []
    for _ in range(runs):
        start = perf_counter()
        action()
        values.append(1000 * (perf_counter() - start))
    return median(values)


def show(title: str, rows: Rows, peers: Rows) -> None:
    """One table: the step, Guard's time, bare c2pa-python's where it does the same, the ratio, the goal."""
    table = Table("step", "Guard ms", "c2pa-python ms", "ratio", "goal ms", title=title)
    goals = C2PA_GOALS | {"outside the steps": OVERHEAD_GOAL}
    for name, value in rows.items():
        peer, goal = peers.get(name), goals.get(name)
        table.add_row(
            name,
            f"{value:.1f}",
            f"{peer:.1f}" if peer else "",
            f"{value / peer:.2f}" if peer else "",
            f"≤ {goal:.0f}" if goal else "",
        )
    Console(width=90).print(table)


def jpeg(artifact: Artifact) -> Artifact:
    """The picture as a JPEG of quality 90."""
    buffer = io.BytesIO()
    Image.fromarray(artifact.picture.rgb()).save(buffer, "JPEG", quality=90)
    return Artifact.from_bytes(buffer.getvalue())


def main(runs: int) -> None:
    request = GenerationRequest("a lighthouse by the sea at dusk", Modality.IMAGE, seed=1)
    picture = SceneGenerator().generate(request)[0].data
    origin = Origin("scene", "1")
    with tempfile.TemporaryDirectory() as folder, open_app(Settings(home=Path(folder))) as app:
        app.keys.init_development()
        release = measured(lambda t: app.guard(t).release([Artifact.from_bytes(picture)], origin), runs)
        plain = Artifact.from_bytes(picture)
        show("Release of a 1-megapixel PNG", release, {"sign": timed(bare_sign(app, plain), runs)})
        upload = app.guard().release([jpeg(plain)], origin)[0].artifact
        verify = measured(lambda t: app.verifier(trace=t).verify(Artifact.from_bytes(upload.data)), runs)
        show("Verify of a 1-megapixel JPEG", verify, {"credential": timed(bare_read(app, upload), runs)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    main(parser.parse_args().runs)
