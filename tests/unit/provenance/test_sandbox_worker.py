"""The other side of the sandbox, run in this process: requests in, answers out, limits around each."""

from __future__ import annotations

import json
import resource
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from threading import Thread
from typing import Any

import pytest

from guard.provenance import sandbox_worker as worker
from guard.provenance.sandbox_worker import FRAME, WORD
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from tests.unit.provenance.media import image, make
from tests.unit.provenance.test_read import Maker

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits that were set, none of which this process has to keep to."""
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, bounds: limits.append((what, bounds[0])))
    return limits


@pytest.fixture
def ask(limited: list[tuple[int, int]]) -> Iterator[Ask]:
    ours, theirs = socket.socketpair()
    thread = Thread(target=worker._serve, args=(theirs,))
    thread.start()

    def send(request: dict[str, Any], data: bytes, manifest: bytes | None = None) -> dict[str, Any]:
        head = json.dumps({"memory": 1 << 20, "seconds": 5, "trust": None} | request, default=str).encode()
        with tempfile.TemporaryFile() as file:
            file.write(head + data + (manifest or b""))
            file.flush()
            sizes = FRAME.pack(len(head), len(data), -1 if manifest is None else len(manifest))
            socket.send_fds(ours, [sizes], [file.fileno()])
        (size,) = WORD.unpack(ours.recv(WORD.size, socket.MSG_WAITALL))
        return dict(json.loads(ours.recv(size, socket.MSG_WAITALL)))

    yield send
    ours.close()
    thread.join()
    theirs.close()


PICTURE = {"task": "read", "modality": "image", "mime": "image/jpeg"}


def test_trust_is_told_once_and_kept(ask: Ask, claim: Maker, signer: Signer, trust: Trust) -> None:
    data = sign(image(), claim(), signer).artifact.data
    assert ask(PICTURE, data)["state"] == "valid"
    assert ask(PICTURE | {"trust": asdict(trust)}, data)["state"] == "trusted"
    assert ask(PICTURE, data)["state"] == "trusted"


def test_a_manifest_beside_the_file(ask: Ask, claim: Maker, signer: Signer, trust: Trust) -> None:
    made = sign(make("audio/ogg"), claim(), signer)
    request = {"task": "read", "modality": "audio", "mime": "audio/ogg", "trust": asdict(trust)}
    assert ask(request, made.artifact.data, made.manifest)["state"] == "trusted"
    assert ask(request, made.artifact.data)["state"] == "absent"


def test_crjson_is_the_other_task(ask: Ask, claim: Maker, signer: Signer) -> None:
    data = sign(image(), claim(), signer).artifact.data
    assert ask(PICTURE | {"task": "crjson"}, data)["crjson"]["jsonGenerator"]
    told, remedy = ask(PICTURE | {"task": "crjson"}, data[:-2000], b"junk")["failed"]
    assert "No crJSON comes of these credentials" in told
    assert remedy


def test_want_of_memory_is_an_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def swell(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(worker, "_answer", swell)
    assert ask(PICTURE, image().data) == {"memory": True}


def test_each_file_has_limits_of_its_own(ask: Ask, limited: list[tuple[int, int]]) -> None:
    data = image().data
    ask(PICTURE, data)
    (first, memory), (second, seconds) = limited
    assert (first, second) == (resource.RLIMIT_AS, resource.RLIMIT_CPU)
    assert memory > (1 << 20) + 4 * len(data)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    assert abs(seconds - (spent.ru_utime + spent.ru_stime + 6)) < 3


def test_systems_that_do_not_tell_get_a_wide_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < worker._in_use() < 1 << 46

    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr("builtins.open", refuse)
    assert worker._in_use() == 1 << 34


@pytest.mark.parametrize("able", [True, False])
def test_the_network_is_left_where_the_system_can(able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []

    class Library:
        def __init__(self, _: None) -> None:
            if able:
                self.unshare = left.append

    monkeypatch.setattr("ctypes.CDLL", Library)
    worker._leave_the_network()
    assert left == ([0x50000000] if able else [])
