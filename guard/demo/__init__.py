"""The whole story of one picture or sound: generated, released, and verified after what may happen to it."""

from __future__ import annotations

from pathlib import Path

from guard.demo.story import Step, Story, play
from guard.media import Modality

__all__ = ["Step", "Story", "tell"]


def tell(folder: Path, modality: Modality = Modality.IMAGE) -> Story:
    """Play the story of a picture or of a sound in `folder`; see `guard.demo.story.play`."""
    if modality is Modality.AUDIO:
        from guard.demo import sound

        return play(sound, folder)
    from guard.demo import picture

    return play(picture, folder)
