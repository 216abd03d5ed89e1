"""The other side of `guard.provenance.sandbox`: reads one file after another, each under its own limits.

Run as a module with the number of a socket. A request is three sizes (`FRAME`) and the descriptor of a file
that holds what they measure: a JSON object, the media, and the manifest that came beside them, −1 for none.
The answer is a size (`WORD`) and a JSON object.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["FRAME", "WORD"]

FRAME = struct.Struct("!qqq")
WORD = struct.Struct("!q")
_UNLIMITED = resource.RLIM_INFINITY
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PAGE = resource.getpagesize()


def _serve(channel: socket.socket) -> None:
    from guard.provenance.trust import NOBODY, Trust

    trust = NOBODY
    while True:
        sizes, descriptors, _, _ = socket.recv_fds(channel, FRAME.size, 1)
        if not descriptors:
            return
        with open(descriptors[0], "rb") as file:
            file.seek(0)
            head, data, beside = FRAME.unpack(sizes)
            request = json.loads(file.read(head))
            _limit(request, data + max(beside, 0))
            try:
                media = file.read(data)
                manifest = None if beside < 0 else file.read(beside)
                trust = Trust.from_record(request["trust"]) if request["trust"] else trust
                answer = _answer(request, media, manifest, trust)
            except MemoryError:
                answer = {"memory": True}
        body = json.dumps(answer).encode()
        channel.sendall(WORD.pack(len(body)) + body)


def _answer(request: Mapping[str, Any], data: bytes, manifest: bytes | None, trust: Any) -> Mapping[str, Any]:
    from guard.errors import CredentialError
    from guard.media import Artifact, Modality
    from guard.provenance.crjson import crjson
    from guard.provenance.read import read

    artifact = Artifact(Modality(request["modality"]), request["mime"], data)
    if request["task"] == "crjson":
        try:
            return {"crjson": crjson(artifact, trust=trust, manifest=manifest)}
        except CredentialError as error:
            return {"failed": [error.message, error.remedy]}
    return read(artifact, trust=trust, manifest=manifest).as_record()


def _limit(request: Mapping[str, Any], size: int) -> None:
    """Let the memory grow by so much, and so much time pass on the processor, and no more."""
    ceiling = _in_use() + request["memory"] + 4 * size
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, _UNLIMITED))
    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(spent.ru_utime + spent.ru_stime + request["seconds"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, _UNLIMITED))


def _in_use() -> int:
    """Bytes of address space that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * _PAGE
    except OSError:
        return 1 << 34


def _leave_the_network() -> None:
    """Move to namespaces of our own, where there is no network; some systems do not let us (Linux alone
    can)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "unshare"):
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    if "network" not in sys.argv[2:]:
        _leave_the_network()
    with socket.socket(fileno=int(sys.argv[1])) as connected:
        _serve(connected)
