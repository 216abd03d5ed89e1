"""`guard models`."""

from __future__ import annotations

from tests.unit.cli.conftest import Guard


def test_models(guard: Guard) -> None:
    ran = guard("models", "list")
    assert ran.code == 0
    assert ran.out.startswith("scene ")
    names = [record["name"] for record in guard("models", "list", "--json").records]
    assert names[0] == "scene"
