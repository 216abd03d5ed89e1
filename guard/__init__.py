"""Guard: screens, marks, signs and records generated media, and tells anyone what a file is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from guard.errors import ConfigurationError

__version__ = "0.1.0"


def _check_own_packages() -> None:
    """Refuse to run with someone else's `models/` or `policies/` folder in place of ours.

    The four import packages of this distribution have everyday names, so a folder in the caller's
    working directory can shadow one of them and fail much later in a puzzling way.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("detectors", "models", "policies"):
        spec = find_spec(name)
        places = list(spec.submodule_search_locations or []) if spec else []
        if not places or Path(places[0]).resolve().parent != home:
            found = places[0] if places else "nothing"
            raise ConfigurationError(
                f"`import {name}` finds {found}, not Guard's own package in {home}.",
                f"Rename that folder, or run Python from elsewhere so that {home} comes first on the path.",
            )


_check_own_packages()
