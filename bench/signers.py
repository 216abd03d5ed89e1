"""What a signer costs: for each algorithm the C2PA library's own PEM signer, Guard with the key at hand, and
Guard with the key elsewhere (a callback, and a SoftHSM token where one is installed).

    python -m bench.signers [ROUNDS]

Signs a JPEG of one megapixel; medians of processor time in milliseconds, taking turns. Prints the ratio
to the library, what checking a signature against its certificate adds, and the size of the credential.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import c2pa
import numpy as np
from PIL import Image

from guard.media import Artifact
from guard.provenance.certificates import to_pem
from guard.provenance.claim import Claim
from guard.provenance.manifest import manifest_definition
from guard.provenance.sdk import context
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.signers.address import KeyAddress, open_signer
from guard.provenance.signers.pem import PemKey
from tests.unit.provenance.certifying import Authority, key_of, key_pem

KINDS = ("ed25519", "p256", "p384", "p521", "rsa")
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


def main() -> None:
    """Measure every algorithm and print one JSON object for each."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    picture = _picture()
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(KINDS):
            key = key_of(kind)
            signer = Signer.from_pem(to_pem(Authority().issue(key)), key_pem(key))
            ways = _ways(signer, picture, Path(folder), kind, number)
            sizes = {name: way() - len(picture.data) for name, way in ways.items()}
            times = _measured(ways, rounds)
            print(json.dumps(_line(signer.alg, times, sizes) | {"check_ms": _check(signer, rounds)}))


def _ways(
    signer: Signer, picture: Artifact, folder: Path, kind: str, number: int
) -> dict[str, Callable[[], int]]:
    inside = signer.key
    signers = {"pem": signer, "callback": Signer.of(signer.certificates, lambda data: inside(data))}
    if MODULE.exists() and (token := _token(signer, folder, kind, number)):
        signers["softhsm"] = token
    ways = {name: _guarded(each, picture) for name, each in signers.items()}
    return {"library": _bare(signer, picture)} | ways


def _guarded(signer: Signer, picture: Artifact) -> Callable[[], int]:
    return lambda: len(sign(picture, _claim(), signer).artifact.data)


def _bare(signer: Signer, picture: Artifact) -> Callable[[], int]:
    assert isinstance(signer.key, PemKey)
    algorithm = c2pa.C2paSigningAlg[signer.alg.upper()]
    key = signer.key.private_key.encode()
    info = c2pa.C2paSignerInfo(algorithm, signer.certificates.encode(), key, None)
    definition = manifest_definition(_claim())

    def once() -> int:
        out = io.BytesIO()
        with (
            context() as settings,
            c2pa.Builder(definition, settings) as builder,
            c2pa.Signer.from_info(info) as native,
        ):
            builder.sign(native, picture.mime, io.BytesIO(picture.data), out)
        return len(out.getvalue())

    return once


def _token(signer: Signer, folder: Path, kind: str, number: int) -> Signer | None:
    """The same key in a token, if SoftHSM takes its kind."""
    assert isinstance(signer.key, PemKey)
    tool = ["softhsm2-util", "--module", str(MODULE)]
    if "SOFTHSM2_CONF" not in os.environ:
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
        start = ["--init-token", "--free", "--label", "bench", "--so-pin", "1234", "--pin", "4321"]
        subprocess.run([*tool, *start], check=True, capture_output=True)
    (folder / "key.pem").write_text(signer.key.private_key)
    bring = ["--import", str(folder / "key.pem"), "--token", "bench", "--pin", "4321", "--label", kind]
    taken = subprocess.run([*tool, *bring, "--id", f"{number:02x}"], check=False, capture_output=True)
    if taken.returncode:
        return None
    address = KeyAddress(f"pkcs11:token=bench;object={kind}?module-path={MODULE}", "4321")
    return open_signer(signer.certificates, address)


def _measured(ways: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            with _timed(taken[name]):
                way()
    return {name: statistics.median(each) for name, each in taken.items()}


def _check(signer: Signer, rounds: int) -> float:
    """Milliseconds more that a checked signature takes, against one that is believed."""
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for spent, way in zip(times, (signer.key, signer.sign), strict=True):
            with _timed(spent):
                way(b"x" * 1500)
    return round(statistics.median(times[1]) - statistics.median(times[0]), 3)


def _line(alg: str, times: Mapping[str, float], sizes: Mapping[str, int]) -> dict[str, object]:
    return {
        "alg": alg,
        "p50_ms": {name: round(value, 2) for name, value in times.items()},
        "ratio": {name: round(value / times["library"], 2) for name, value in times.items()},
        "bytes": dict(sizes),
    }


@contextmanager
def _timed(into: list[float]) -> Iterator[None]:
    start = time.process_time()
    yield
    into.append((time.process_time() - start) * 1000)


def _claim() -> Claim:
    return Claim(title="bench", release_id="0" * 16, created_at=datetime.now(UTC), model_name="scene")


def _picture() -> Artifact:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((1024, 1024), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return Artifact.from_bytes(buffer.getvalue())


if __name__ == "__main__":
    main()
