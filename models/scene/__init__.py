"""The built-in model: a small grammar of scenes, drawn as pictures or played as sound, without weights."""

from models.scene.captions import caption
from models.scene.generator import SceneGenerator, draw
from models.scene.grammar import PartialPerson, PartialScene, PartialThing, Person, Scene, Thing
from models.scene.reading import parse
from models.scene.sampling import Odds, sample

__all__ = [
    "Odds",
    "PartialPerson",
    "PartialScene",
    "PartialThing",
    "Person",
    "Scene",
    "SceneGenerator",
    "Thing",
    "caption",
    "draw",
    "parse",
    "sample",
]
