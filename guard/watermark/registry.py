"""Watermark engines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.errors import InputError
from guard.media import Modality
from guard.watermark.base import Watermarker

if TYPE_CHECKING:
    from guard.watermark.audioseal import Checkpoint

__all__ = ["engine", "engines"]

_CLASSIC = ("dwtDct", "dwtDctSvd", "rivaGan")
_ENGINES = {
    Modality.IMAGE: ("tile", *_CLASSIC),
    Modality.AUDIO: ("dipole", "audioseal", "perth"),
}


def engines(modality: Modality | None = None) -> tuple[str, ...]:
    """The names of the engines that mark this kind of media, the default first; of all engines for None."""
    if modality is None:
        return tuple(name for names in _ENGINES.values() for name in names)
    return _ENGINES.get(modality, ())


def engine(
    name: str, *, generator: Checkpoint | None = None, detector: Checkpoint | None = None
) -> Watermarker:
    """The engine of that name. Raises `InputError` where there is none.

    `generator` and `detector` are AudioSeal's; it says what is missing when it needs it. No other engine has
    checkpoints.
    """
    if name == "tile":
        from guard.watermark import tile
        from guard.watermark.pictures import PictureWatermarker

        return PictureWatermarker("tile", "guard.tile.1", tile.embed, tile.read)
    if name in _ENGINES[Modality.AUDIO]:
        return _of_sound(name, generator, detector)
    if name in _CLASSIC:
        from guard.watermark.classic import classic

        return classic(name)
    raise InputError(f"There is no watermark engine {name!r}.", f"Use one of {', '.join(engines())}.")


def _of_sound(name: str, generator: Checkpoint | None, detector: Checkpoint | None) -> Watermarker:
    from guard.watermark import audioseal, dipole, perth
    from guard.watermark.sounds import SoundWatermarker

    if name == audioseal.NAME:
        seal = audioseal.AudioSeal(generator, detector)
        return SoundWatermarker(name, audioseal.ALG, seal.embed, seal.read, stream=seal.stream)
    if name == perth.NAME:
        return SoundWatermarker(name, perth.ALG, perth.embed, perth.read)
    return SoundWatermarker(
        name, "guard.dipole.1", dipole.embed, dipole.read, dipole.detect, stream=dipole.Stream
    )
