"""A person's measures, which every painter of a part of them goes by."""

from __future__ import annotations

from dataclasses import dataclass

from models.scene.grammar import Aid, Headwear, Person
from models.scene.paint.noise import Random
from models.scene.paint.palette import RGB
from models.scene.paint.sprite import Point, Sprite

__all__ = ["Figure", "at"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One person's measures, in shares of their standing height.

    `drop` is how much sitting lowers the trunk.
    """

    sheet: Sprite
    rng: Random
    person: Person
    skin: RGB
    hair: RGB
    cloth: RGB
    trousers: RGB
    shoes: RGB
    gown: bool
    sleeves: bool
    beard: bool
    child: bool
    drop: float
    shoulder: float
    hip: float
    half: float
    head: float
    rx: float
    ry: float

    @property
    def seated(self) -> bool:
        return self.person.aid is Aid.WHEELCHAIR

    @property
    def covered(self) -> bool:
        """Whether the headwear hides the hair."""
        return self.person.headwear in (Headwear.HIJAB, Headwear.TURBAN)


def at(one: Figure, y: float, shape: list[Point]) -> list[Point]:
    """Points given in half-widths and half-heights of the head."""
    return [(px * one.rx, y + py * one.ry) for px, py in shape]
