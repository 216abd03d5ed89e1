"""What every route works with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, TypeVarTuple, cast

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from guard.app import App
from guard.errors import InputError, UpstreamError
from guard.ledger.api_keys import ApiKeys
from guard.media import Artifact, Limits
from guard.pipeline import Guard, Origin, Release
from models.base import Generator
from models.upstream import Upstream

__all__ = ["Door", "door_of", "upstreams_fault"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True)
class Door:
    """The parts behind the routes; `api_keys` is None where nobody is asked for one."""

    app: App
    upstream: Upstream | None
    generators: Mapping[str, Generator]
    api_keys: ApiKeys | None

    @cached_property
    def guard(self) -> Guard:
        """The release path, made when first used: a server without keys can still verify."""
        return self.app.guard()

    @cached_property
    def limits(self) -> Limits:
        """How large media may be."""
        return self.app.settings.limits.limits()

    async def work(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """`function(*args)` in a worker thread. No more run at once than there are cores; the rest wait."""
        return await to_thread.run_sync(function, *args, limiter=self._workers)

    def admit(self, origin: Origin) -> None:
        """`Guard.admit`; call it in a worker thread, like `release`."""
        self.guard.admit(origin)

    def release(self, artifacts: Sequence[Artifact], origin: Origin) -> list[Release]:
        """`Guard.release` for what an upstream made."""
        with upstreams_fault():
            return self.guard.release(artifacts, origin)

    @cached_property
    def _workers(self) -> CapacityLimiter:
        return CapacityLimiter(max(2, os.cpu_count() or 1))


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
