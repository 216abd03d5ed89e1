"""Trunk, arms and legs."""

from __future__ import annotations

from models.scene.grammar import Headwear, Role
from models.scene.paint.figure import Figure
from models.scene.paint.palette import RGB, darker, lighter
from models.scene.paint.props import HOLDS, guitar
from models.scene.paint.roles import COAT, ROLES, outline
from models.scene.paint.sprite import Point, smooth

__all__ = ["arms", "legs", "trunk"]


def legs(one: Figure) -> None:
    """Standing legs, or a lap with the feet on a footrest."""
    s, hip = one.sheet, one.hip - one.drop
    knee = 0.245 if one.seated else hip * 0.53
    stride = 0.012 if one.seated else float(one.rng.uniform(0.0, 0.02))
    bare = one.gown and one.person.headwear is not Headwear.HIJAB
    leg = one.skin if bare else one.trousers
    for side in (-1, 1):
        tone = leg if side < 0 else darker(leg, 0.10)
        ankle = (side * (0.055 + stride), 0.035 + 0.045 * one.seated)
        bend = (side * (0.066 if one.seated else 0.056), knee)
        s.line([(side * 0.050, hip), bend], [0.105, 0.078], tone)
        s.line([bend, ankle], [0.078, 0.050], tone)
        x, y = ankle
        shoe = [
            (x - 0.036, y - 0.034),
            (x - 0.034, y + 0.012),
            (x + 0.030, y + 0.014),
            (x + 0.040, y - 0.034),
        ]
        s.poly(smooth([(px + side * 0.012, py) for px, py in shoe], 1), one.shoes)
    if one.gown:
        _skirt(one, hip)


def _skirt(one: Figure, hip: float) -> None:
    hem = (0.13 if one.person.headwear is Headwear.HIJAB else 0.24) if not one.seated else 0.17
    wide = 0.115 if one.seated else 0.145
    waist = 0.080
    shape = [
        (-waist, hip + 0.09),
        (-0.108, hip),
        (-wide, hem),
        (wide, hem),
        (0.108, hip),
        (waist, hip + 0.09),
    ]
    one.sheet.poly(smooth(shape, 1), one.cloth)
    for x in (-0.06, 0.0, 0.065):
        one.sheet.line([(x * 0.7, hip), (x * 1.25, hem + 0.008)], [0.004, 0.009], darker(one.cloth, 0.16))


def trunk(one: Figure) -> None:
    """Neck, upper garment, and what the role puts over it."""
    s, top, hip = one.sheet, one.shoulder - one.drop, one.hip - one.drop
    chin = one.head - one.drop - one.ry
    s.line([(0, top - 0.01), (0, chin + 0.03)], 0.052, darker(one.skin, 0.14))
    s.poly(smooth(outline(one, hip - 0.035, 0.0), 2), one.cloth)
    s.poly(
        [
            (-0.036, top + 0.034),
            (0.036, top + 0.034),
            (0.033, top + 0.010),
            (0.0, top - 0.044),
            (-0.033, top + 0.010),
        ],
        darker(one.skin, 0.10),
    )
    side = [(0.045, top - 0.05), (one.half - 0.01, top - 0.04), (0.098, hip - 0.01), (0.05, hip - 0.01)]
    s.poly(smooth(side, 1), darker(one.cloth, 0.09))
    s.line([(-0.036, top + 0.014), (0.0, top - 0.044), (0.036, top + 0.014)], 0.011, lighter(one.cloth, 0.30))
    if one.gown:
        s.line([(-0.082, hip + 0.085), (0.082, hip + 0.085)], 0.020, darker(one.cloth, 0.35))
    if one.person.role in ROLES:
        ROLES[one.person.role](one, top, hip)


def arms(one: Figure) -> None:
    """Arms at rest, on a lap, waving, or busy with what the role holds."""
    role = one.person.role
    top = one.shoulder - one.drop - 0.028
    wave = role is Role.NONE and not one.seated and bool(one.rng.random() < 0.35)
    if role is Role.MUSICIAN:
        guitar(one)
    for side in (-1, 1):
        shoulder = (side * (one.half - 0.016), top)
        if side > 0 and wave:
            elbow, hand = (one.half + 0.075, top - 0.07), (one.half + 0.125, top + 0.095)
        elif role is Role.MUSICIAN:
            elbow, hand = (
                (side * (one.half + 0.045), top - 0.13),
                (0.12, top - 0.075) if side > 0 else (-0.035, top - 0.185),
            )
        elif one.seated:
            elbow, hand = (side * (one.half + 0.035), top - 0.14), (side * 0.085, 0.315)
        elif side > 0 and role in HOLDS:
            elbow, hand = (one.half + 0.045, top - 0.145), (one.half - 0.005, top - 0.225)
        else:
            elbow, hand = (side * (one.half + 0.032), top - 0.15), (side * (one.half + 0.034), top - 0.30)
        _arm(one, shoulder, elbow, hand, side)
        if side > 0 and role in HOLDS:
            HOLDS[role](one, hand)


def _arm(one: Figure, shoulder: Point, elbow: Point, hand: Point, side: int) -> None:
    s, cloth = one.sheet, _sleeve(one)
    tone = cloth if side < 0 else darker(cloth, 0.10)
    skin = one.skin if side < 0 else darker(one.skin, 0.06)
    s.line([shoulder, elbow], [0.060, 0.050], tone if one.sleeves else skin)
    s.line([elbow, hand], [0.050, 0.036], tone if one.sleeves else skin)
    if not one.sleeves:
        upper = (shoulder[0] * 0.45 + elbow[0] * 0.55, shoulder[1] * 0.45 + elbow[1] * 0.55)
        s.line([shoulder, upper], [0.062, 0.060], tone)
    s.oval(hand[0], hand[1] - 0.012, 0.021, 0.025, skin)


def _sleeve(one: Figure) -> RGB:
    white = (Role.DOCTOR, Role.SCIENTIST, Role.CHEF)
    return COAT if one.person.role in white else one.cloth
