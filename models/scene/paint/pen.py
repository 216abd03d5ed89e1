"""What every drawer of things shares: the canvas, a random stream, the asked colour, and the output scale."""

from __future__ import annotations

from dataclasses import dataclass

from models.scene.grammar import Colour, Season
from models.scene.paint.canvas import Canvas
from models.scene.paint.land import snowy
from models.scene.paint.noise import Random
from models.scene.paint.palette import PAINT, RGB
from models.scene.paint.sprite import Sprite

__all__ = ["Pen"]

_LIT = (1.0, 0.83, 0.47)
_GLASS = (0.42, 0.53, 0.62)


@dataclass(frozen=True, slots=True)
class Pen:
    """Drawers work in the thing's own units, 1 tall on (0, 0); `scale` is pixels per unit."""

    canvas: Canvas
    rng: Random
    name: Colour
    scale: float

    @property
    def colour(self) -> RGB:
        return PAINT[self.name]

    @property
    def sun(self) -> float:
        """-1 with the sun on the left, 1 on the right."""
        return -1.0 if self.canvas.sun[0] < 0.5 else 1.0

    @property
    def dark(self) -> bool:
        """Whether it is dark enough for lamps to be lit."""
        return self.canvas.light.lamps > 0.3

    @property
    def snow(self) -> bool:
        return snowy(self.canvas)

    @property
    def bare(self) -> bool:
        """Whether trees have lost their leaves."""
        return self.canvas.scene.season is Season.WINTER

    @property
    def pane(self) -> RGB:
        """Window glass: warm with a lit room behind, else the sky in it."""
        return _LIT if self.dark else _GLASS

    def sheet(
        self, left: float, right: float, top: float = 1.05, bottom: float = -0.06, flip: bool = False
    ) -> Sprite:
        """An empty sprite of these bounds, mirrored if asked."""
        return Sprite(self.scale, left, right, top, bottom, flip)

    def window(self, sheet: Sprite, x: float, y: float, width: float, height: float, frame: RGB) -> None:
        """A framed window with a cross bar; (x, y) is its lower left corner."""
        edge = 0.14 * min(width, height)
        sheet.rect(x - edge, y - edge, x + width + edge, y + height + edge, frame)
        sheet.rect(x, y, x + width, y + height, self.pane, glow=float(self.dark))
        sheet.line([(x + width / 2, y), (x + width / 2, y + height)], edge * 0.6, frame)
        sheet.line([(x, y + height * 0.55), (x + width, y + height * 0.55)], edge * 0.6, frame)
