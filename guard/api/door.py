"""What every route works with."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeVar, TypeVarTuple, cast

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from detectors.base import Streaming
from guard.app import App
from guard.errors import InputError, UpstreamError
from guard.ledger.api_keys import ApiKeys
from guard.media import Artifact, Limits, Modality
from guard.pipeline import Guard, Origin, Release
from models.base import Generator, Transcriber
from models.upstream import Upstream

__all__ = ["Door", "door_of", "upstreams_fault"]

_WRITERS = 64
_SHORT = 4096

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True)
class Door:
    """The parts behind the routes. A hosted model goes by its name and what it makes: one name may stand for
    two. `api_keys` is None where nobody is asked for one."""

    app: App
    upstream: Upstream | None
    generators: Mapping[tuple[str, Modality], Generator]
    api_keys: ApiKeys | None
    transcribers: Mapping[str, Transcriber] = field(default_factory=dict)

    @property
    def guard(self) -> Guard:
        """The release path, made when first used: a server without keys can still verify. Made anew when the
        keys were replaced, so that a new signer takes over without a restart; who began keeps the old one."""
        return self._guard_with(self.app.keys.stamp())

    @cached_property
    def _guard_with(self) -> Callable[[object], Guard]:
        return lru_cache(maxsize=1)(lambda _stamp: self.app.guard())

    @cached_property
    def limits(self) -> Limits:
        """How large media may be."""
        return self.app.settings.limits.limits()

    def hosted(self, name: str | None, modality: Modality) -> Generator | None:
        """The model of that name that makes this here; without a name and without an upstream, the first."""
        if name is not None:
            return self.generators.get((name, modality))
        if self.upstream is not None:
            return None
        return next((g for (_, makes), g in self.generators.items() if makes is modality), None)

    async def work(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """`function(*args)` in a worker thread. No more run at once than there are cores; the rest wait."""
        return await to_thread.run_sync(function, *args, limiter=self._workers)

    async def record(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """`work` that computes little and then waits for the disk: many run at once, since the ledger writes
        all that wait at a moment together."""
        return await to_thread.run_sync(function, *args, limiter=self._writers)

    async def admitted(self, origin: Origin) -> None:
        """`Guard.admit`; in a worker thread where that may take long, or has a refusal to write."""
        quick = self._quick and len(origin.prompt or "") <= _SHORT
        if not (quick and self.guard.admits(origin)):
            await self.work(self.admit, origin)

    def admit(self, origin: Origin) -> None:
        """`Guard.admit`; call it in a worker thread, like `release`."""
        self.guard.admit(origin)

    def release(
        self, artifacts: Sequence[Artifact], origin: Origin, *, signing: Collection[int] = ()
    ) -> list[Release]:
        """`Guard.release` for what an upstream made."""
        with upstreams_fault():
            return self.guard.release(artifacts, origin, signing=signing)

    @cached_property
    def _workers(self) -> CapacityLimiter:
        return CapacityLimiter(max(2, os.cpu_count() or 1))

    @cached_property
    def _quick(self) -> bool:
        """Whether all that look at prompts can do so while a text is written, so at any moment."""
        looking = self.guard.screening(Modality.TEXT, "prompt")
        return all(isinstance(detector, Streaming) for detector in looking)

    @cached_property
    def _writers(self) -> CapacityLimiter:
        return CapacityLimiter(_WRITERS)


@contextmanager
def upstreams_fault() -> Iterator[None]:
    """Input that cannot be used is the upstream's fault in here, and not the caller's."""
    try:
        yield
    except InputError as error:
        raise UpstreamError(f"The upstream's answer cannot be released: {error.message}") from error


def door_of(request: Request) -> Door:
    """The door that `request` came through."""
    return cast(Door, request.app.state.door)
