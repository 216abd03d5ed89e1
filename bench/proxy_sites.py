"""The proxies under test, each in processes of its own, and what the system says they cost.

Reads `/proc`, so it is for Linux.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.proxy_load import Target

__all__ = ["Site", "guard", "litellm", "synced_write", "upstream"]

_PATIENCE = 300.0


class Site(NamedTuple):
    """A target and the process that serves it."""

    target: Target
    pid: int

    @property
    def seconds(self) -> float:
        """Processor time that it has used so far."""
        return time.clock_gettime(~self.pid << 3 | 2)  # clock_getcpuclockid(3), the scheduler's own clock

    @property
    def megabytes(self) -> float:
        """Memory that is its own: what it shares with others or can read again from disk is left out."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        return (kilobytes["Private_Dirty"] + kilobytes["Private_Clean"]) / 1024


@contextmanager
def upstream() -> Iterator[Site]:
    """The upstream itself, asked directly."""
    port = _free_port()
    with _running([sys.executable, "-m", "bench.proxy_upstream", str(port)], port) as pid:
        yield Site(Target("direct", port, "none"), pid)


@contextmanager
def guard(behind: Site) -> Iterator[Site]:
    """`guard serve` as it comes: default policy, keys asked for, a ledger in SQLite."""
    with tempfile.TemporaryDirectory() as home:
        settings = {"GUARD_HOME": home, "GUARD_UPSTREAM_API_KEY": "sk-upstream"}
        _guard(["keys", "init"], settings)
        made = _guard(["keys", "create", "bench", "--scope", "generate", "--json"], settings)
        key = json.loads(made)["secret"]
        port = _free_port()
        command = ["serve", "--port", str(port), "--upstream", f"http://127.0.0.1:{behind.target.port}/v1"]
        with _running([sys.executable, "-m", "guard", *command], port, settings, "/healthz") as pid:
            yield Site(Target("Guard", port, key), pid)


@contextmanager
def litellm(python: Path, behind: Site) -> Iterator[Site]:
    """LiteLLM's proxy with one model and a master key: no guardrail, no database."""
    key = f"sk-{secrets.token_hex(16)}"
    model = {
        "model": "openai/tiny",
        "api_base": f"http://127.0.0.1:{behind.target.port}/v1",
        "api_key": "sk-upstream",
    }
    config = {
        "model_list": [{"model_name": "tiny", "litellm_params": model}],
        "general_settings": {"master_key": key},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        port = _free_port()
        command = [str(python.absolute().with_name("litellm")), "--config", str(path), "--host", "127.0.0.1"]
        settings = {"LITELLM_LOG": "ERROR"}
        with _running([*command, "--port", str(port)], port, settings, "/health/liveliness") as pid:
            yield Site(Target("LiteLLM", port, key), pid)


def synced_write() -> float:
    """Seconds until a page is on the disk that holds Guard's ledger: nothing durable takes less."""
    took: list[float] = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(50):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return median(took)


def _guard(arguments: Sequence[str], settings: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "guard", *arguments]
    return subprocess.run(
        command, env={**os.environ, **settings}, check=True, capture_output=True
    ).stdout.decode()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


@contextmanager
def _running(
    command: Sequence[str], port: int, settings: Mapping[str, str] | None = None, health: str = ""
) -> Iterator[int]:
    with tempfile.TemporaryFile() as log:
        env = {**os.environ, **(settings or {})}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + _PATIENCE
            while not _up(port, health):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode()[-2000:]}")
                time.sleep(0.2)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _up(port: int, health: str) -> bool:
    try:
        if not health:
            socket.create_connection(("127.0.0.1", port), 2.0).close()
            return True
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{health}", timeout=5.0) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
