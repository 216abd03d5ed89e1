"""Times as multiples of real time on one core, and the memory that an hour takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from bench.sound_ffmpeg import decoded, resampled
from bench.sound_methods import AudioSealNet, Method, made
from guard.media.stream import Samples

__all__ = ["hour", "speeds"]

_RATE = 44100
_LENGTHS = (10, 60)
_CHANNELS = {1: "mono", 2: "stereo"}
_TRIES = 3

# Each runs in a process of its own, whose peak it prints: getrusage would count in what the parent had held.
_PEAK = """
import re
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) >> 10, "MiB")
"""
_MARK = """
import sys, soundfile
from guard.watermark.base import Payload, Strength
from guard.watermark.dipole import Stream
info = soundfile.info(sys.argv[1])
stream = Stream(info.samplerate, info.channels, Payload(5), key=b"hour", strength=Strength.DEFAULT)
with soundfile.SoundFile(sys.argv[2], "w", info.samplerate, info.channels) as file:
    for block in soundfile.blocks(sys.argv[1], info.samplerate, dtype="float32", always_2d=True):
        file.write(stream.push(block))
    file.write(stream.finish())
"""
_READ = """
import sys
from pathlib import Path
from guard.media import Artifact, Limits
from guard.watermark.registry import engine
limits = Limits(max_bytes=1 << 30, max_duration=4000)
artifact = Artifact.from_path(Path(sys.argv[2]), limits=limits)
print(engine("dipole").read(artifact, keys=[b"hour"]).payload, end=", ")
"""


def speeds(paths: list[Path]) -> None:
    """Prints a Markdown table: the least processor time of three tries on music and speech in turn."""
    print(f"\n| times real time at {_RATE} Hz | sound | mark | read | find nothing |\n|---|---|---|---|---|")
    for method in (*made(("dipole", "perth", "audiowmark")), AudioSealNet()):
        for seconds, channels in product(_LENGTHS, _CHANNELS):
            cells = _cells(method, _medley(paths, seconds, channels))
            print(f"| {method.name} | {seconds} s, {_CHANNELS[channels]} | {cells} |", flush=True)


def _cells(method: Method, sound: Samples) -> str:
    marked = method.mark(sound)
    steps = (lambda: method.mark(sound), lambda: method.reads(marked), lambda: method.reads(sound))
    return " | ".join(f"{sound.duration / _least(step):.0f}" for step in steps)


def _least(step: Callable[[], object]) -> float:
    times = []
    for _ in range(_TRIES):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return min(times)


def _medley(paths: list[Path], seconds: int, channels: int) -> Samples:
    """Clips one after another until they last so long."""
    parts: list[Samples] = []
    for path in paths[:: max(1, len(paths) // 24)]:
        parts.append(resampled(decoded(path), _RATE))
        if sum(part.duration for part in parts) >= seconds:
            break
    data = np.concatenate([np.repeat(part.data.mean(1, keepdims=True), channels, axis=1) for part in parts])
    return Samples(_RATE, data[: seconds * _RATE])


def hour(paths: list[Path]) -> None:
    """Prints the peak memory of marking an hour of stereo as it streams, and of reading the file."""
    minute = _medley(paths, 60, 2).data
    with tempfile.TemporaryDirectory() as folder:
        plain, marked = Path(folder) / "plain.flac", Path(folder) / "marked.flac"
        with soundfile.SoundFile(plain, "w", _RATE, 2) as file:
            for _ in range(60):
                file.write(minute)
        for label, code in (("marked as a stream", _MARK), ("read as a file", _READ)):
            start = time.perf_counter()
            ran = subprocess.run(
                [sys.executable, "-c", code + _PEAK, plain, marked],
                capture_output=True,
                text=True,
                check=False,
            )
            told = ran.stdout.strip() if ran.returncode == 0 else ran.stderr.strip()[-300:]
            print(f"An hour of stereo, {label}: {told}, {time.perf_counter() - start:.0f} s.")
