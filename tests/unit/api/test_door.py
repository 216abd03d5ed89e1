"""Where the work is done: what may take long, in a worker thread; what cannot, at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio
import pytest

from detectors.base import Context, Finding
from guard.api.door import Door
from guard.app import App
from guard.errors import BlockedError
from guard.media import Artifact, Modality
from guard.pipeline import Origin
from tests.unit.api.parts import BANNED
from tests.unit.api.seers import Seer, records


@dataclass
class Slow(Seer):
    """Reads whole texts, for as long as it likes; remembers in which threads it was asked to."""

    threads: list[threading.Thread] = field(default_factory=list)

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        self.threads.append(threading.current_thread())
        return super().inspect(artifact, context)


def admit(app: App, prompt: str) -> None:
    anyio.run(Door(app, None, {}, None).admitted, Origin("tiny", prompt=prompt, route="chat"))


def asked_in(app: App, monkeypatch: pytest.MonkeyPatch, prompt: str) -> list[threading.Thread]:
    """The threads in which the block list reads a prompt."""
    threads: list[threading.Thread] = []
    (blocklist,) = (each for each in app.detectors if each.card.id == "blocklist")
    inspect = type(blocklist).inspect

    def watched(self: object, artifact: Artifact, context: Context) -> Sequence[Finding]:
        threads.append(threading.current_thread())
        return inspect(blocklist, artifact, context)

    monkeypatch.setattr(type(blocklist), "inspect", watched)
    admit(app, prompt)
    return threads


def test_a_short_prompt_is_screened_at_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_in(app, monkeypatch, "Hello") == [threading.current_thread()]


def test_a_long_prompt_keeps_nobody_else_waiting(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    (thread,) = asked_in(app, monkeypatch, "Hello " * 1000)
    assert thread is not threading.current_thread()


def test_nor_does_a_detector_that_may_be_slow(app: App) -> None:
    slow = Slow("slow", {"blocklist": 0.1}, Modality.TEXT)
    admit(replace(app, detectors=(*app.detectors, slow)), "Hello")
    (thread,) = slow.threads
    assert thread is not threading.current_thread()


def test_a_refusal_of_a_short_prompt_is_on_record_once(app: App) -> None:
    with pytest.raises(BlockedError):
        admit(app, f"Say {BANNED}")
    assert records(app) == ["blocked"]


def test_many_may_wait_for_the_disk_at_once(app: App) -> None:
    door, together = Door(app, None, {}, None), threading.Barrier(16, timeout=10.0)

    async def write_all() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(together.parties):
                tasks.start_soon(door.record, together.wait)

    anyio.run(write_all)
    assert not together.broken
