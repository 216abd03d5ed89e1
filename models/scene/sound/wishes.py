"""Sounds that a prompt names itself: words that mean nothing in a picture."""

from __future__ import annotations

from dataclasses import replace

from models.scene.grammar import PartialScene, Place
from models.scene.sound.score import Sound

__all__ = ["wishes"]

_WORDS = {
    Sound.BARKS: "bark barking barks",
    Sound.BEES: "bee bees insect insects buzzing",
    Sound.BURNER: "burner",
    Sound.CHURCH_BELL: "bell bells chime chimes",
    Sound.CLOCK: "clock ticking",
    Sound.COWBELLS: "cow cows cowbell cowbells",
    Sound.CRICKETS: "cricket crickets cicada cicadas",
    Sound.ENGINE: "engine engines motor",
    Sound.FIRE: "fire campfire bonfire fireplace fireside crackling flames",
    Sound.FOGHORN: "foghorn horn",
    Sound.GUITAR: "guitar music",
    Sound.GULLS: "seagulls gulls",
    Sound.LAPPING: "lapping",
    Sound.LEAVES: "leaves rustling",
    Sound.MEOWS: "meow meowing",
    Sound.MURMUR: "voice voices crowd murmur talking chatter",
    Sound.OWL: "owl owls",
    Sound.SONGBIRDS: "birdsong songbird songbirds chirping",
    Sound.STEPS: "footstep footsteps steps",
    Sound.THUNDER: "thunder thunderstorm lightning",
    Sound.TRAFFIC: "traffic",
    Sound.WAVES: "wave waves surf breakers",
    Sound.WIND: "wind winds windy gale breeze breezy gust gusts",
}
_SOUNDS = {word: sound for sound, words in _WORDS.items() for word in words.split()}
_HOMES = {
    Sound.WAVES: Place.BEACH,
    Sound.GULLS: Place.HARBOUR,
    Sound.FOGHORN: Place.HARBOUR,
    Sound.LAPPING: Place.LAKE,
    Sound.TRAFFIC: Place.STREET,
    Sound.COWBELLS: Place.VALLEY,
    Sound.OWL: Place.CLEARING,
    Sound.CLOCK: Place.ROOM,
}


def wishes(prompt: PartialScene) -> tuple[PartialScene, tuple[Sound, ...]]:
    """The sounds among the words that the grammar had no meaning for, and the scene that goes with them.

    A prompt that names sounds has said what is to be heard: chance adds no things and nobody to it, and a
    place that it left open is one where the sound belongs.
    """
    found = tuple(dict.fromkeys(_SOUNDS[word] for word in prompt.unused if word in _SOUNDS))
    if not found:
        return prompt, ()
    home = next((_HOMES[sound] for sound in found if sound in _HOMES), None)
    kept = replace(prompt, place=prompt.place or home, things=prompt.things or (), people=prompt.people or ())
    return kept, found
