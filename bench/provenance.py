"""What credentials cost: Guard against the bare C2PA library, type by type, in one process; memory on large
files; and what becomes of random changes.

Times are of the processor, so that other work on the machine does not count.

    python -m bench.provenance                 time and ratio for each type, then a picture of one megapixel
    python -m bench.provenance --flips 10000   random changes of bits, spread over all types
    python -m bench.provenance --large 1024    peak memory on a WAV and an MP4 of so many MB, in processes
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
from PIL import Image

from guard.media import Artifact, Modality
from guard.provenance.apart import binding_in
from guard.provenance.certificates import issue_development
from guard.provenance.claim import Claim
from guard.provenance.large import read_large, sign_large
from guard.provenance.manifest import manifest_definition
from guard.provenance.read import read
from guard.provenance.sdk import context
from guard.provenance.sdk_signer import sdk_signer
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.media import SIGNABLE, TEXTS, make

ROUNDS = 40


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flips", type=int, default=0, metavar="N")
    parser.add_argument("--large", type=int, default=0, metavar="MB")
    parser.add_argument("--one", nargs=2, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        _one_large(*asked.one)
    elif asked.large:
        _large(asked.large)
    elif asked.flips:
        _flips(asked.flips)
    else:
        _speeds()


def _keys() -> tuple[Signer, Trust]:
    key, leaf, authority = issue_development()
    return Signer.from_pem(leaf, key), Trust.of(authority)


def _claim() -> Claim:
    return Claim(
        model_name="scene",
        model_version="1",
        provider="Acme",
        release_id="00ff00ff00ff00ff",
        created_at=datetime.now(UTC),
        soft_binding=("org.guard.tile", "00ff00ff00ff00ff"),
    )


def _speeds() -> None:
    signer, trust = _keys()
    print(
        f"{'type':<18}{'sign':>8}{'bare':>8}{'ratio':>7}{'verify':>9}{'bare':>8}{'ratio':>7}   (ms, median)"
    )
    for mime in SIGNABLE:
        _row(mime, make(mime), signer, trust)
    for mime in TEXTS:
        original = make(mime)
        signed = sign(original, _claim(), signer).artifact
        ours = _milliseconds(lambda: sign(original, _claim(), signer), lambda: read(signed, trust=trust))  # noqa: B023
        print(f"{mime:<18}{ours[0]:>8.2f}{'':>15}{ours[1]:>9.2f}   (the library knows no text)")
    pixels = np.random.default_rng(0).integers(0, 255, (250, 250, 3), np.uint8)
    output = io.BytesIO()
    Image.fromarray(pixels).resize((1000, 1000)).save(output, "JPEG", quality=90)
    _row("1 MP JPEG", Artifact(Modality.IMAGE, "image/jpeg", output.getvalue()), signer, trust)


def _row(name: str, original: Artifact, signer: Signer, trust: Trust) -> None:
    signed = sign(original, _claim(), signer).artifact

    def bare_sign() -> object:
        definition = manifest_definition(_claim())
        with context() as settings, c2pa.Builder(definition, settings) as builder, sdk_signer(signer) as key:
            return builder.sign(key, original.mime, io.BytesIO(original.data), io.BytesIO())

    def bare_read() -> object:
        with (
            context(trust) as settings,
            c2pa.Reader(signed.mime, io.BytesIO(signed.data), context=settings) as reader,
        ):
            return json.loads(reader.json())

    ours_sign, bare, ours_read, bare_r = _milliseconds(
        lambda: sign(original, _claim(), signer), bare_sign, lambda: read(signed, trust=trust), bare_read
    )
    print(
        f"{name:<18}{ours_sign:>8.2f}{bare:>8.2f}{ours_sign / bare:>7.2f}"
        f"{ours_read:>9.2f}{bare_r:>8.2f}{ours_read / bare_r:>7.2f}"
    )


def _milliseconds(*works: Callable[[], object]) -> list[float]:
    """The median processor time of each, taken in changing order: who comes second finds the caches warm."""
    times: list[list[float]] = [[] for _ in works]
    order, draw = list(zip(works, times, strict=True)), random.Random(1)
    for _ in range(ROUNDS):
        draw.shuffle(order)
        for work, taken in order:
            start = time.process_time()
            work()
            taken.append((time.process_time() - start) * 1_000)
    return [statistics.median(taken[2:]) for taken in times]


def _flips(count: int) -> None:
    """Flip one random bit at a time; what goes unnoticed has to be outside the content, or unsigned."""
    signer, trust = _keys()
    draw = random.Random(2026)
    kinds = [*SIGNABLE, *TEXTS]
    signed = {mime: sign(make(mime), _claim(), signer) for mime in kinds}
    told: dict[str, Counter[str]] = {mime: Counter() for mime in kinds}
    for number in range(count):
        mime = kinds[number % len(kinds)]
        released = signed[mime]
        data = bytearray(released.artifact.data)
        place = draw.randrange(len(data))
        data[place] ^= 1 << draw.randrange(8)
        bent = Artifact(released.artifact.modality, mime, bytes(data))
        state = read(bent, trust=trust).state.value
        if state == "trusted":
            state = _missed(released.manifest, released.artifact.data, place)
        told[mime][state] += 1
    for mime, counter in told.items():
        print(f"{mime:<18}{dict(counter)}")
    print("all", dict(sum(told.values(), Counter())))


def _missed(store: bytes, whole: bytes, place: int) -> str:
    """Where a change was that nobody noticed."""
    binding = binding_in(store)
    if binding and any(hole.start <= place < hole.start + hole.length for hole in binding.holes):
        return "unnoticed beside the manifest or in its padding"
    if binding is None and whole[4:8] == b"ftyp":
        inside = whole.find(store) <= place < whole.find(store) + len(store)
        return (
            "unnoticed beside the manifest or in its padding"
            if inside
            else f"unhashed {_box_at(whole, place)}"
        )
    return "UNNOTICED IN THE CONTENT"


def _box_at(data: bytes, place: int) -> str:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big") or len(data)
        if place < at + size:
            return data[at + 4 : at + 8].decode("latin-1")
        at += size
    return "?"


def _large(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("wav", "mp4"):
            source = Path(folder, f"large.{kind}")
            _write_large(source, megabytes << 20)
            for who in ("guard", "bare"):
                subprocess.run(
                    [sys.executable, "-m", "bench.provenance", "--one", who, str(source)], check=True
                )
            for path in Path(folder).iterdir():
                path.unlink()


def _write_large(path: Path, size: int) -> None:
    with path.open("wb") as file:
        if path.suffix == ".wav":
            head = b"WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0data"
            file.write(b"RIFF" + (size + 36).to_bytes(4, "little") + head + size.to_bytes(4, "little"))
        else:
            file.write(make("video/mp4").data + (size + 8).to_bytes(4, "big") + b"mdat")
        block = random.Random(1).randbytes(1 << 20)
        for _ in range(size >> 20):
            file.write(block)


def _one_large(who: str, name: str) -> None:
    source = Path(name)
    target, mime = source.with_suffix(f".{who}{source.suffix}"), {".wav": "audio/wav", ".mp4": "video/mp4"}
    signer, trust = _keys()
    before, results = _peak(), []
    start = time.perf_counter()
    if who == "guard":
        large = sign_large(source, target, _claim(), signer)
    else:
        _bare_large(source, target, mime[source.suffix], signer)
    results.append(f"sign {time.perf_counter() - start:6.1f} s, +{_peak() - before:5} MB")
    start = time.perf_counter()
    if who == "guard":
        state = read_large(target, trust, None if large.embedded else large.manifest).state.value
    else:
        with context(trust) as settings, target.open("rb") as file:
            reader = c2pa.Reader(mime[source.suffix], file, context=settings)
            state = json.loads(reader.json())["validation_state"]
    results.append(f"verify {time.perf_counter() - start:6.1f} s, +{_peak() - before:5} MB in all, {state}")
    print(f"{who:<6}{source.suffix}  {source.stat().st_size >> 20} MB: {'; '.join(results)}", flush=True)


def _bare_large(source: Path, target: Path, mime: str, signer: Signer) -> None:
    definition: dict[str, Any] = manifest_definition(_claim())
    with (
        context() as settings,
        c2pa.Builder(definition, settings) as builder,
        sdk_signer(signer) as key,
        source.open("rb") as file,
        target.open("w+b") as out,
    ):
        builder.sign(key, mime, file, out)


def _peak() -> int:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
