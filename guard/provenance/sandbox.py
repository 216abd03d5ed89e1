"""Reads the credentials of files from strangers in other processes, which may crash, swell or hang in our
stead.

A few workers live on between files, so that a file costs a message and not a start. The bytes travel through
an unnamed file in memory whose descriptor is handed over. A worker that crashes, or takes more time or memory
than a file may, is ended and replaced, and the file is reported as unreadable. Against code that takes over a
worker this is no wall: it runs as the same user.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import IO, Any

from guard.errors import CredentialError
from guard.media import Artifact
from guard.provenance.credential import Credential
from guard.provenance.report import unreadable
from guard.provenance.sandbox_worker import FRAME, WORD
from guard.provenance.trust import Trust

__all__ = ["Sandbox", "SandboxLimits", "sandbox"]

_MODULE = "guard.provenance.sandbox_worker"
_MOST_ANSWER = 64 << 20
_SLOWEST = 50e6
"""Bytes a second, below which no large file need be read: hashing alone runs at ten times that."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """`workers` at once; `seconds` a file may take, and one more for each 50 MB of it; `memory_mb` that
    reading it may need in MiB, beyond four times its size. Without `network` the workers are cut off from it,
    where the system lets them be."""

    workers: int = 2
    seconds: float = 10.0
    memory_mb: int = 512
    network: bool = False


@cache
def sandbox(limits: SandboxLimits) -> Sandbox:
    """The workers under these limits, shared by all of this process."""
    return Sandbox(limits)


class Sandbox:
    """Workers, started when first needed and ended with this process. Any thread may use it; after a fork,
    the child starts workers of its own."""

    def __init__(self, limits: SandboxLimits = SandboxLimits()) -> None:
        self.limits = limits
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def _begin(self) -> None:
        self._free = threading.Semaphore(self.limits.workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []

    def warm(self) -> None:
        """Start a worker, without waiting for it, so that the first file need not wait so long."""
        with self._lock:
            if not self._idle:
                self._idle.append(_Worker(self.limits.network))

    def close(self) -> None:
        """End all idle workers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def read(self, artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> Credential:
        """As `guard.provenance.read.read`; a file that breaks a worker or its limits is unreadable."""
        try:
            answer = self._ask("read", artifact, trust, manifest)
        except _Broken as broken:
            return unreadable(str(broken))
        return Credential.from_record(answer)

    def crjson(self, artifact: Artifact, *, trust: Trust, manifest: bytes | None = None) -> dict[str, Any]:
        """As `guard.provenance.crjson.crjson`. Raises `CredentialError` also for a file that breaks a worker
        or its limits."""
        try:
            answer = self._ask("crjson", artifact, trust, manifest)
        except _Broken as broken:
            raise CredentialError(f"No crJSON comes of these credentials: {broken}.") from broken
        if "failed" in answer:
            raise CredentialError(*answer["failed"])
        return dict(answer["crjson"])

    def _ask(self, task: str, artifact: Artifact, trust: Trust, manifest: bytes | None) -> Mapping[str, Any]:
        trust.for_library()  # raises here, where its maker is, for unusable lists
        with self._free:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is not None and not worker.alive:
                worker.end()
                worker = None
            if worker is None:
                worker = _Worker(self.limits.network)
            try:
                answer = worker.ask(task, artifact, trust, manifest, self.limits)
            except BaseException:
                worker.end()
                raise
            with self._lock:
                self._idle.append(worker)
            return answer


class _Broken(Exception):  # noqa: N818 - it says what a file did, and never leaves this module
    """A file was too much for a worker; the text says in what way."""


@dataclass
class _Worker:
    """One process and the socket to it; `trust` is the one it was last told of."""

    network: bool
    process: subprocess.Popen[bytes] = field(init=False)
    socket: socket.socket = field(init=False)
    trust: Trust | None = None

    def __post_init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        command = [
            sys.executable,
            "-m",
            _MODULE,
            str(theirs.fileno()),
            *(["network"] if self.network else []),
        ]
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """Kill it and wait for it: no process stays behind, not even as a zombie."""
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def ask(
        self, task: str, artifact: Artifact, trust: Trust, manifest: bytes | None, limits: SandboxLimits
    ) -> Mapping[str, Any]:
        size = len(artifact.data) + len(manifest or b"")
        seconds = limits.seconds + size / _SLOWEST
        head = {
            "task": task,
            "modality": artifact.modality.value,
            "mime": artifact.mime,
            "trust": None if trust == self.trust else asdict(trust),
            "memory": limits.memory_mb << 20,
            "seconds": seconds,
        }
        try:
            self.socket.settimeout(seconds)
            self._send(json.dumps(head, default=str).encode(), artifact.data, manifest)
            answer = json.loads(self._receive())
        except TimeoutError as error:
            raise _Broken(f"reading it took longer than the {seconds:.0f} seconds allowed") from error
        except (OSError, EOFError) as error:
            raise _Broken(self._cause()) from error
        self.trust = trust
        if not isinstance(answer, dict) or "memory" in answer:
            raise _Broken(f"reading it needs more than the {limits.memory_mb} MB of memory allowed")
        return answer

    def _send(self, head: bytes, data: bytes, manifest: bytes | None) -> None:
        with _unnamed() as file:
            for part in (head, data, manifest or b""):
                file.write(part)
            file.flush()
            sizes = FRAME.pack(len(head), len(data), -1 if manifest is None else len(manifest))
            socket.send_fds(self.socket, [sizes], [file.fileno()])

    def _receive(self) -> bytes:
        (size,) = WORD.unpack(self._exactly(WORD.size))
        if size > _MOST_ANSWER:
            raise EOFError
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        read = bytearray()
        while len(read) < size:
            if not (chunk := self.socket.recv(min(size - len(read), 1 << 20))):
                raise EOFError
            read += chunk
        return bytes(read)

    def _cause(self) -> str:
        """What ended the worker, in words."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(timeout=1)
            if code == -signal.SIGXCPU:
                return "reading it took more processor time than allowed"
            if code == -signal.SIGABRT:
                return "reading it needs more memory than allowed, or is more than the reader can take"
        return "its reader broke down over it"


def _unnamed() -> IO[bytes]:
    """A file without a name: in memory where the system can, as on Linux."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("guard"), "wb")
    return tempfile.TemporaryFile()
