"""Models by name. Nothing heavy is imported before a name asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from guard.errors import ConfigurationError, ModelNotFoundError
from guard.media import Modality
from models.base import Generator, Transcriber

if TYPE_CHECKING:
    from models.local.checkpoint import Checkpoint
    from models.upstream import Upstream

__all__ = ["NAMES", "load", "load_transcriber"]

NAMES = {
    "scene": "the built-in renderer of small scenes, as pictures or sound",
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

    `upstream` opens a client of the API behind `upstream:…` names. `modality` says what such a model makes,
    and asks the scene model for sound instead of pictures; the others know by themselves. `revision` and
    `allow_download` concern `local:` with a hub id.
    Raises `ModelNotFoundError`, `MissingExtraError`, or `ConfigurationError` where no upstream is set.
    """
    kind, _, rest = name.partition(":")
    if name == "scene":
        from models.scene import SceneGenerator

        return SceneGenerator(Modality.AUDIO if modality is Modality.AUDIO else Modality.IMAGE)
    if kind == "local" and rest:
        return _local(rest, revision, allow_download)
    if kind == "upstream" and rest:
        return _upstream(rest, modality, upstream)
    raise ModelNotFoundError(f"No model goes by the name {name!r}.", f"There is {', '.join(NAMES)}.")


def load_transcriber(name: str, *, revision: str | None = None, allow_download: bool = False) -> Transcriber:
    """The speech recogniser `local:PATH_OR_ID`, ready to listen.

    Raises `ModelNotFoundError` or `MissingExtraError`.
    """
    kind, _, rest = name.partition(":")
    if kind != "local" or not rest:
        raise ModelNotFoundError(
            f"No transcriber goes by the name {name!r}.", "Give local: and a folder or hub id of Whisper."
        )
    from models.local.checkpoint import locate
    from models.local.transcribe import LocalTranscriber

    return LocalTranscriber(locate(rest, revision=revision, allow_download=allow_download))


def _local(name: str, revision: str | None, allow_download: bool) -> Generator:
    from models.local.checkpoint import locate

    checkpoint = locate(name, revision=revision, allow_download=allow_download)
    if checkpoint.modality is Modality.IMAGE:
        from models.local.image import LocalImage

        return LocalImage(checkpoint)
    if checkpoint.modality is Modality.AUDIO:
        from models.local.sound import LocalSound

        return LocalSound(checkpoint, _vocoder(checkpoint, allow_download))
    from models.local.text import LocalText

    return LocalText(checkpoint)


def _vocoder(checkpoint: Checkpoint, allow_download: bool) -> Checkpoint | None:
    """What a SpeechT5 model needs besides itself: the folder `vocoder` within its own, or Microsoft's."""
    from models.local.checkpoint import locate, model_type

    if model_type(checkpoint.folder) != "speecht5":
        return None
    own = checkpoint.folder / "vocoder"
    if own.is_dir():
        return locate(str(own))
    return locate("microsoft/speecht5_hifigan", allow_download=allow_download)


def _upstream(model: str, modality: Modality, connect: Callable[[], Upstream] | None) -> Generator:
    if connect is None:
        raise ConfigurationError(
            f"upstream:{model} needs an upstream, and none is set.", "Set the upstream's base URL."
        )
    from models.upstream import UpstreamGenerator

    return UpstreamGenerator(model, modality, connect)
