"""Puts the routes together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from guard import __version__
from guard.api import embeddings, errors, files, health, log, models, records
from guard.api.auth import needs
from guard.api.bindings import manifests, queries, service
from guard.api.checks import check, litellm, moderations, provenance_checks, verify
from guard.api.circles import refuse_circles
from guard.api.door import Door
from guard.api.outermost import Outermost
from guard.api.sound import speech, transcriptions
from guard.api.visual import images, videos
from guard.api.visual.shelf import Shelf
from guard.api.words import chat, completions, responses
from guard.app import App
from guard.ledger.api_keys import ApiKeys, Scope
from models.base import Generator, Transcriber
from models.upstream import Upstream

__all__ = ["create_app"]

_VERSION_2 = "/v1"
"""Where the Soft Binding Resolution API 2.4 is, as its discovery document says; 1.0, which only reads, is
at the root."""


def create_app(
    app: App,
    *,
    upstream: Upstream | None = None,
    generators: Iterable[Generator] = (),
    transcribers: Mapping[str, Transcriber] | None = None,
    require_keys: bool = True,
) -> FastAPI:
    """The HTTP API over `app`, which must stay open while it serves.

    `upstream` answers for all models but those in `generators` and `transcribers`, which go by their names;
    it is closed at shutdown. Turn `require_keys` off only where the server listens on loopback.
    """
    api_keys = ApiKeys(app.ledger.engine) if require_keys else None
    hosted = {(generator.card.name, generator.card.modality): generator for generator in generators}
    door = Door(app, upstream, hosted, api_keys, transcribers or {})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if upstream is not None:
            await upstream.close()

    # No generated docs: the handlers read requests themselves, so there is no schema to show.
    api = FastAPI(
        title="Guard",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_circles)],
    )
    api.state.door = door
    api.state.shelf = Shelf(app.settings.home / "shelf", app.ledger)
    api.add_middleware(Outermost)
    errors.install(api)
    api.include_router(health.router)
    api.include_router(models.router, dependencies=[Depends(needs(None))])
    for guarded in (
        chat,
        completions,
        embeddings,
        files,
        images,
        responses,
        speech,
        transcriptions,
        videos,
    ):
        api.include_router(guarded.router, dependencies=[Depends(needs(Scope.GENERATE))])
    for looking in (verify, moderations, provenance_checks, check, litellm, log):
        api.include_router(looking.router, dependencies=[Depends(needs(Scope.VERIFY))])
    api.include_router(records.router, dependencies=[Depends(needs(Scope.ERASE))])
    for prefix in ("", _VERSION_2):
        for finding in (queries.router, manifests.reading):
            api.include_router(finding, prefix=prefix, dependencies=[Depends(needs(Scope.VERIFY))])
        for open_to_all in (service.router, service.discovery):
            api.include_router(open_to_all, prefix=prefix)
    for writing in (manifests.writing_manifests, manifests.writing_bindings):
        api.include_router(writing, prefix=_VERSION_2)
    return api
