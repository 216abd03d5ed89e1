"""The upstream API as the settings name it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guard.settings import Settings
    from models.upstream import Upstream

__all__ = ["connector"]


def connector(settings: Settings) -> Callable[[], Upstream] | None:
    """What opens a client of the upstream; None where no upstream is set."""
    from models.upstream import Upstream

    if settings.upstream is None:
        return None
    return partial(
        Upstream, settings.upstream, settings.upstream_api_key, max_bytes=settings.limits.max_bytes
    )
