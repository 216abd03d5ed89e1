"""What the hour, the weather and the season do to light and colour."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from models.scene.grammar import Scene, Season, Time, Weather
from models.scene.paint.palette import RGB, mix

__all__ = ["Light", "light_of"]


@dataclass(frozen=True, slots=True)
class Light:
    """One moment's light.

    `zenith`, `middle` and `horizon` colour the sky from top to bottom; `tint` multiplies every painted
    colour; `sun` is the colour of the sun (the moon at night) and `height` where it stands (0 horizon, 1
    top of the sky); `direct` is the share of light that casts shadows; `haze` how fast distance fades into
    the horizon's colour; `lamps` how brightly windows and lamps shine; `cover` the share of sky under
    cloud.
    """

    zenith: RGB
    middle: RGB
    horizon: RGB
    tint: RGB
    sun: RGB
    height: float
    direct: float
    haze: float
    lamps: float
    cover: float = 0.22
    stars: float = 0.0
    low: bool = False

    def paint(self, colour: RGB, distance: float = 0.0) -> RGB:
        """`colour` as it looks under this light, `distance` (0 here, 1 at the horizon) away."""
        lit = tuple(min(1.0, part * tint) for part, tint in zip(colour, self.tint, strict=True))
        return mix((lit[0], lit[1], lit[2]), self.horizon, self.fade(distance))

    def fade(self, distance: float) -> float:
        """How much of a colour the air between has replaced."""
        return min(0.97, 1.0 - math.exp(-self.haze * distance))


_HOURS = {
    Time.DAWN: Light(
        zenith=(0.40, 0.52, 0.72),
        middle=(0.80, 0.71, 0.76),
        horizon=(1.0, 0.83, 0.69),
        tint=(0.98, 0.86, 0.82),
        sun=(1.0, 0.86, 0.66),
        height=0.16,
        direct=0.55,
        haze=1.25,
        lamps=0.35,
        low=True,
    ),
    Time.MORNING: Light(
        zenith=(0.36, 0.60, 0.84),
        middle=(0.62, 0.79, 0.91),
        horizon=(0.94, 0.93, 0.86),
        tint=(1.03, 0.99, 0.92),
        sun=(1.0, 0.97, 0.84),
        height=0.72,
        direct=0.8,
        haze=0.8,
        lamps=0.0,
    ),
    Time.NOON: Light(
        zenith=(0.25, 0.51, 0.79),
        middle=(0.50, 0.73, 0.89),
        horizon=(0.82, 0.91, 0.94),
        tint=(1.05, 1.03, 0.99),
        sun=(1.0, 1.0, 0.95),
        height=1.4,
        direct=0.85,
        haze=0.65,
        lamps=0.0,
    ),
    Time.AFTERNOON: Light(
        zenith=(0.36, 0.58, 0.78),
        middle=(0.70, 0.79, 0.82),
        horizon=(1.0, 0.90, 0.72),
        tint=(1.08, 0.98, 0.82),
        sun=(1.0, 0.93, 0.72),
        height=0.55,
        direct=0.85,
        haze=0.9,
        lamps=0.0,
    ),
    Time.SUNSET: Light(
        zenith=(0.27, 0.29, 0.52),
        middle=(0.82, 0.50, 0.50),
        horizon=(1.0, 0.70, 0.40),
        tint=(0.98, 0.74, 0.64),
        sun=(1.0, 0.80, 0.48),
        height=0.10,
        direct=0.6,
        haze=1.2,
        lamps=0.6,
        low=True,
    ),
    Time.DUSK: Light(
        zenith=(0.12, 0.16, 0.34),
        middle=(0.38, 0.34, 0.54),
        horizon=(0.78, 0.55, 0.56),
        tint=(0.68, 0.61, 0.74),
        sun=(1.0, 0.93, 0.86),
        height=0.62,
        direct=0.2,
        haze=0.95,
        lamps=0.9,
        stars=0.35,
    ),
    Time.NIGHT: Light(
        zenith=(0.035, 0.06, 0.16),
        middle=(0.08, 0.13, 0.28),
        horizon=(0.20, 0.28, 0.44),
        tint=(0.39, 0.44, 0.61),
        sun=(0.96, 0.95, 0.86),
        height=0.70,
        direct=0.4,
        haze=0.95,
        lamps=1.0,
        stars=1.0,
    ),
}

_GREYS = {  # how grey, how bright, how much direct light and how much haze each weather leaves
    Weather.OVERCAST: (0.72, 0.93, 0.12, 1.35, 1.0),
    Weather.RAIN: (0.78, 0.80, 0.06, 1.9, 1.0),
    Weather.SNOW: (0.68, 1.0, 0.10, 1.8, 1.0),
    Weather.FOG: (0.62, 1.0, 0.10, 2.6, 0.0),
}


def light_of(scene: Scene) -> Light:
    """The light of a scene's hour, dimmed by its weather and coloured by its season."""
    light = _HOURS[scene.time]
    if scene.weather is Weather.CLOUDY:
        light = replace(light, cover=0.52)
    elif scene.weather in _GREYS:
        light = _greyed(light, *_GREYS[scene.weather])
    if scene.season is Season.WINTER:
        light = replace(light, tint=_times(light.tint, (0.97, 0.99, 1.04)))
    return light


def _greyed(light: Light, share: float, bright: float, direct: float, haze: float, cover: float) -> Light:
    bright *= 1.35 if light.stars > 0.5 else 1.0  # low cloud and fog throw back what light a night has

    def grey(colour: RGB) -> RGB:
        level = sum(light.middle) / 3 * 0.55 + sum(colour) / 3 * 0.45
        soft = (level * 0.97 * bright, level * 1.0 * bright, level * 1.04 * bright)
        return mix(colour, soft, share)

    tint = mix(light.tint, (sum(light.tint) / 3,) * 3, 0.6)
    return replace(
        light,
        zenith=grey(light.zenith),
        middle=grey(light.middle),
        horizon=grey(light.horizon),
        tint=_times(tint, (1.05 if light.stars else 0.90 * bright,) * 3),
        direct=light.direct * direct,
        haze=light.haze * haze,
        lamps=max(light.lamps, 0.35),
        cover=cover,
        stars=0.0,
    )


def _times(a: RGB, b: RGB) -> RGB:
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]
