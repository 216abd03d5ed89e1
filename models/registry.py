"""Models by name. Nothing heavy is imported before a name asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from guard.errors import ConfigurationError, ModelNotFoundError
from guard.media import Modality
from models.base import Generator

if TYPE_CHECKING:
    from models.upstream import Upstream

__all__ = ["NAMES", "load"]

NAMES = {
    "scene": "the built-in renderer of small scenes",
    "local:PATH_OR_ID": "a checkpoint of transformers or diffusers, by folder or hub id",
    "upstream:MODEL": "a model behind the OpenAI-compatible API that is set as upstream",
}
"""The forms that a model's name takes, and what each means."""


def load(
    name: str,
    *,
    modality: Modality = Modality.TEXT,
    upstream: Callable[[], Upstream] | None = None,
    revision: str | None = None,
    allow_download: bool = False,
) -> Generator:
    """The model that goes by `name`, ready to generate.

    `upstream` opens a client of the API behind `upstream:…` names, and `modality` says what such a model
    makes; the others know by themselves. `revision` and `allow_download` concern `local:` with a hub id.
    Raises `ModelNotFoundError`, `MissingExtraError`, or `ConfigurationError` where no upstream is set.
    """
    kind, _, rest = name.partition(":")
    if name == "scene":
        from models.scene import SceneGenerator

        return SceneGenerator()
    if kind == "local" and rest:
        return _local(rest, revision, allow_download)
    if kind == "upstream" and rest:
        return _upstream(rest, modality, upstream)
    raise ModelNotFoundError(f"No model goes by the name {name!r}.", f"There is {', '.join(NAMES)}.")


def _local(name: str, revision: str | None, allow_download: bool) -> Generator:
    from models.local.checkpoint import locate

    checkpoint = locate(name, revision=revision, allow_download=allow_download)
    if checkpoint.modality is Modality.IMAGE:
        from models.local.image import LocalImage

        return LocalImage(checkpoint)
    from models.local.text import LocalText

    return LocalText(checkpoint)


def _upstream(model: str, modality: Modality, connect: Callable[[], Upstream] | None) -> Generator:
    if connect is None:
        raise ConfigurationError(
            f"upstream:{model} needs an upstream, and none is set.", "Set the upstream's base URL."
        )
    from models.upstream import UpstreamGenerator

    return UpstreamGenerator(model, modality, connect)
