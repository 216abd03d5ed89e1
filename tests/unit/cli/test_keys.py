"""`guard keys`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Guard


def test_init_makes_keys_and_warns_loudly(guard: Guard, no_keys: Path) -> None:
    ran = guard("keys", "init")
    assert ran.code == 0
    assert str(no_keys / "keys") in ran.out
    assert ran.err.startswith("WARNING: These keys are for development only")
    assert guard("keys", "show", "--json").record["development"] is True


def test_init_replaces_only_on_demand(guard: Guard, no_keys: Path) -> None:
    guard("keys", "init")
    first = guard("keys", "show", "--json").record["fingerprint"]
    ran = guard("keys", "init")
    assert ran.code == 2
    assert "--force" in ran.err
    assert guard("keys", "show", "--json").record["fingerprint"] == first
    assert guard("keys", "init", "--force").code == 0
    assert guard("keys", "show", "--json").record["fingerprint"] != first


def test_show_keeps_secrets(guard: Guard, no_keys: Path) -> None:
    guard("keys", "init")
    secrets = (no_keys / "keys" / "mark-keys").read_text().split()
    for ran in (guard("keys", "show"), guard("keys", "show", "--json")):
        assert ran.code == 0
        assert "PRIVATE" not in ran.out
        assert not any(secret in ran.out for secret in secrets)
    assert "fingerprint" in guard("keys", "show").out


def test_show_without_keys(guard: Guard, no_keys: Path) -> None:
    ran = guard("keys", "show")
    assert ran.code == 2
    assert "guard keys init" in ran.err


def test_rotating_adds_a_mark_key(guard: Guard, no_keys: Path) -> None:
    guard("keys", "init")
    ran = guard("keys", "rotate-mark")
    assert ran.code == 0
    assert "2 keys are read" in ran.out
    assert guard("keys", "show", "--json").record["mark_keys"] == 2


def test_an_api_key_lives_and_dies(guard: Guard, no_keys: Path) -> None:
    ran = guard("keys", "create", "web shop", "--scope", "generate", "--scope", "verify")
    assert ran.code == 0
    secret = ran.out.strip()
    assert secret.startswith("gk_")
    assert "cannot be shown again" in ran.err
    record = guard("keys", "list", "--json").record
    assert (record["name"], record["scopes"], record["revoked"]) == (
        "web shop",
        ["generate", "verify"],
        False,
    )
    listed = guard("keys", "list")
    assert secret not in listed.out
    assert "open" in listed.out
    assert guard("keys", "revoke", record["id"]).code == 0
    assert guard("keys", "list", "--json").record["revoked"] is True
    assert "revoked" in guard("keys", "list").out
    assert guard("keys", "revoke", record["id"]).code == 2


def test_a_new_api_key_as_json(guard: Guard, no_keys: Path) -> None:
    record = guard("keys", "create", "x", "--scope", "verify", "--json").record
    assert record["scopes"] == ["verify"]
    assert record["secret"].startswith(f"gk_{record['id']}_")


@pytest.mark.parametrize("scopes", [[], ["--scope", "root"]])
def test_an_api_key_needs_scopes_that_exist(guard: Guard, no_keys: Path, scopes: list[str]) -> None:
    ran = guard("keys", "create", "x", *scopes)
    assert ran.code == 2
    assert "scope" in ran.err


def test_a_state_folder_that_cannot_be_made(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "file" / "home"))
    for arguments in (["keys", "init"], ["keys", "list"]):
        ran = guard(*arguments)
        assert ran.code == 2
        assert "GUARD_HOME" in ran.err


def test_keys_open_to_others_are_refused(guard: Guard, no_keys: Path) -> None:
    guard("keys", "init")
    os.chmod(no_keys / "keys" / "signer.pem", 0o644)
    ran = guard("keys", "show")
    assert ran.code == 2
    assert "chmod 600" in ran.err


def test_names_of_keys_cannot_touch_the_terminal(guard: Guard, no_keys: Path) -> None:
    guard("keys", "create", "\x1b[2J", "--scope", "verify")
    assert "\x1b" not in guard("keys", "list").out
    assert json.loads(guard("keys", "list", "--json").out)["name"] == "\x1b[2J"
