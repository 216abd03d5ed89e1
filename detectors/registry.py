"""The detectors that are installed: ours, and those of any distribution with a "guard.detectors" entry point.

An entry point names something that makes a detector when it is called without arguments. To them come those
of the file that the variable GUARD_DETECTORS names (see `detectors.plugged`).
"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

from detectors.base import Detector, DetectorCard
from guard.errors import ConfigurationError, DetectorError

__all__ = ["FILE", "GROUP", "Loaded", "load", "load_all", "names"]

GROUP = "guard.detectors"
FILE = "GUARD_DETECTORS"


class Loaded(NamedTuple):
    """What came of loading everything: detectors by name, and by name why the others are missing."""

    detectors: dict[str, Detector]
    broken: dict[str, DetectorError]


def names() -> list[str]:
    """The names under which detectors are installed, sorted."""
    return sorted(entry_points(group=GROUP).names)


def load(name: str) -> Detector:
    """The detector of that name. Raises `DetectorError` where there is none, or it does not start."""
    plugged = _plugged()
    if name in plugged:
        return plugged[name]
    return _installed(name, *plugged)


def _installed(name: str, *plugged: str) -> Detector:
    found = list({point.value: point for point in entry_points(group=GROUP, name=name)}.values())
    if not found:
        raise DetectorError(
            f"There is no detector '{name}'.",
            f"Installed: {', '.join(sorted({*names(), *plugged})) or 'none'}.",
        )
    if len(found) > 1:
        values = " and ".join(sorted(point.value for point in found))
        raise DetectorError(f"Detector '{name}' is claimed by {values}.", "Uninstall all but one.")
    return _start(found[0])


def load_all() -> Loaded:
    """Every installed detector; one that does not start hides none of the others."""
    loaded = Loaded({}, {})
    for name in names():
        try:
            loaded.detectors[name] = _installed(name)
        except DetectorError as error:
            loaded.broken[name] = error
    try:
        loaded.detectors.update(_plugged())
    except DetectorError as error:
        loaded.broken[FILE] = error
    return loaded


def _plugged() -> dict[str, Detector]:
    path = os.environ.get(FILE)
    if not path:
        return {}
    from detectors.plugged import from_file

    try:
        return from_file(Path(path))
    except ConfigurationError as error:
        raise DetectorError(error.message, error.remedy) from error


def _start(point: EntryPoint) -> Detector:
    try:
        found: Detector = point.load()()
        complete = isinstance(found.card, DetectorCard) and callable(found.inspect)
    except Exception as error:  # a plug-in is someone else's code: anything may come out of it
        raise DetectorError(
            f"Detector '{point.name}' ({point.value}) does not start: {type(error).__name__}: {error}.",
            "Mend or uninstall its package.",
        ) from error
    if not complete:
        raise DetectorError(
            f"Detector '{point.name}' ({point.value}) has no DetectorCard as `card`.",
            "Mend or uninstall its package.",
        )
    return found
