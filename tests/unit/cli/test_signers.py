"""`guard keys import/rotate`, `guard credential lint-cert` and `guard outbox`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

from guard.provenance.certificates import to_pem
from tests.unit.cli.conftest import Guard
from tests.unit.provenance.certifying import Authority, key_of, key_pem


class Files:
    """A signer in files: key, chain, root."""

    def __init__(self, folder: Path, passphrase: bytes | None = None) -> None:
        authority, key = Authority(), key_of("p256")
        self.key, self.chain, self.root = (folder / name for name in ("key.pem", "chain.pem", "root.pem"))
        self.key.write_text(
            key_pem(key, encryption=BestAvailableEncryption(passphrase) if passphrase else None)
        )
        self.chain.write_text(to_pem(authority.issue(key)))
        self.root.write_text(authority.pem)

    def arguments(self) -> tuple[str | Path, ...]:
        return ("keys", "import", "--key", self.key, "--certificates", self.chain, "--anchors", self.root)


class TestKeys:
    @pytest.fixture(autouse=True)
    def _keys(self, guard: Guard, no_keys: Path) -> None:
        guard("keys", "init")

    def test_import_lets_another_signer_sign(self, guard: Guard, tmp_path: Path) -> None:
        before = guard("keys", "show", "--json").record
        ran = guard(*Files(tmp_path).arguments())
        assert ran.code == 0, ran.err
        after = guard("keys", "show", "--json").record
        assert after["fingerprint"] in ran.out
        assert (after["alg"], after["development"], after["key"]) == ("es256", False, "signer.pem")
        assert after["former"] == [before["fingerprint"]]
        assert before["fingerprint"] in guard("keys", "show").out

    def test_an_encrypted_key_needs_its_passphrase(
        self, guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = Files(tmp_path, b"sesame")
        assert "GUARD_SIGNER_PASSPHRASE" in guard(*files.arguments()).err
        (tmp_path / "passphrase").write_text("sesame\n")
        monkeypatch.setenv("GUARD_SIGNER_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
        assert guard(*files.arguments()).code == 0
        (tmp_path / "passphrase").unlink()
        ran = guard("keys", "show")
        assert ran.code == 2
        assert "GUARD_SIGNER_PASSPHRASE_FILE" in ran.err

    def test_what_would_not_be_trusted_is_not_let_in(self, guard: Guard, tmp_path: Path) -> None:
        files, before = Files(tmp_path), guard("keys", "show", "--json").record
        without_root = guard(*files.arguments()[:-2])
        assert without_root.code == 2
        assert "--anchors" in without_root.err
        files.chain.write_text(files.root.read_text())
        files.key.write_text(key_pem(key_of("p256")))
        assert "does not belong" in guard(*files.arguments()).err
        assert guard("keys", "show", "--json").record == before

    def test_a_flaw_of_the_certificate_is_named(self, guard: Guard, tmp_path: Path) -> None:
        files, key = Files(tmp_path), key_of("p256")
        files.chain.write_text(to_pem(Authority().issue(key, purposes=None)))
        files.key.write_text(key_pem(key))
        assert "names no purpose" in guard(*files.arguments()).err

    def test_files_that_are_not_there_are_told(self, guard: Guard, tmp_path: Path) -> None:
        files = Files(tmp_path)
        files.root.unlink()
        assert f"{files.root} cannot be read" in guard(*files.arguments()).err
        files.key.unlink()
        assert "key.pem cannot be read" in guard(*files.arguments()[:-2]).err

    def test_rotate_makes_a_new_development_signer_and_no_other(self, guard: Guard, tmp_path: Path) -> None:
        before = guard("keys", "show", "--json").record["fingerprint"]
        assert guard("keys", "rotate").code == 0
        after = guard("keys", "show", "--json").record
        assert after["former"] == [before]
        guard(*Files(tmp_path).arguments())
        ran = guard("keys", "rotate")
        assert ran.code == 2
        assert "guard keys import" in ran.err

    def test_a_signer_of_the_settings_goes_before(
        self, guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = Files(tmp_path)
        monkeypatch.setenv("GUARD_SIGNER", str(files.key))
        ran = guard("keys", "show")
        assert ran.code == 2
        assert "go together" in ran.err
        monkeypatch.setenv("GUARD_SIGNER_CERTIFICATES", str(files.chain))
        monkeypatch.setenv("GUARD_SIGNER_PASSPHRASE", "needless")
        monkeypatch.setenv("GUARD_TIMESTAMPS", "http://one.example, http://two.example")
        assert guard("keys", "show", "--json").record["key"] == str(files.key)
        monkeypatch.setenv("GUARD_TIMESTAMPS", "one.example")
        assert "no address of a time-stamping authority" in guard("keys", "show").err


class TestLint:
    def test_a_good_chain_passes(self, guard: Guard, tmp_path: Path) -> None:
        files = Files(tmp_path)
        ran = guard("credential", "lint-cert", files.chain, "--key", files.key)
        assert ran.code == 0
        assert ran.out.startswith("may sign")
        assert "[al1-ocsp]" in ran.out

    def test_a_bad_one_is_refused_with_each_reason(self, guard: Guard, tmp_path: Path) -> None:
        files = Files(tmp_path)
        ran = guard("credential", "lint-cert", files.root, files.chain, "--json")
        assert ran.code == 1
        root, chain = ran.records
        assert (root["fine"], chain["fine"]) == (False, True)
        assert {"self-signed", "ca-leaf"} <= {flaw["code"] for flaw in root["flaws"] if flaw["fatal"]}
        assert all({"message", "remedy", "certificate"} <= flaw.keys() for flaw in root["flaws"])

    def test_a_key_in_the_same_file_is_judged_too(self, guard: Guard, tmp_path: Path) -> None:
        files = Files(tmp_path)
        files.chain.write_text(key_pem(key_of("p256")) + files.chain.read_text())
        ran = guard("credential", "lint-cert", files.chain)
        assert ran.code == 1
        assert "[key-mismatch]" in ran.out

    def test_anything_else_is_no_certificate(self, guard: Guard, tmp_path: Path) -> None:
        (tmp_path / "x.der").write_bytes(b"\x30\x82\xff\x00")
        ran = guard("credential", "lint-cert", tmp_path / "x.der")
        assert ran.code == 1
        assert "openssl x509 -inform der" in ran.out
        assert guard("credential", "lint-cert", tmp_path / "none").code == 2


class TestOutbox:
    @pytest.fixture(autouse=True)
    def _outage(self, guard: Guard, no_keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A Guard that queues, and whose policy wants time stamps that nobody gives."""
        guard("keys", "init")
        policy = tmp_path / "policy.yaml"
        policy.write_text(
            "name: queueing\nversion: 1\non_signer_outage: queue\ntimestamps: required\nrules: []\n"
            "require: {text: {mark: false}}\n"
        )
        monkeypatch.setenv("GUARD_POLICY", str(policy))
        monkeypatch.setenv("GUARD_TIMESTAMPS", "http://127.0.0.1:9/")
        self.source = tmp_path / "words.txt"
        self.source.write_text("Words that wait.")

    def test_what_waits_is_listed_and_sent(
        self, guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out"
        ran = guard("release", self.source, "--out", tmp_path / "released.txt")
        assert ran.code == 1
        assert "held" in ran.err
        assert not (tmp_path / "released.txt").exists()
        waiting = guard("outbox", "list", "--json").record
        assert (waiting["mime"], waiting["signed"]) == ("text/plain", False)
        assert waiting["release_id"] in guard("outbox", "list").out
        assert "does not exist" in guard("outbox", "send", "--out", out).err

        out.mkdir()
        assert guard("outbox", "send", "--out", out).code == 2  # still away
        assert list(out.iterdir()) == []

        monkeypatch.delenv("GUARD_POLICY")
        monkeypatch.delenv("GUARD_TIMESTAMPS")
        sent = guard("outbox", "send", "--out", out, "--json").record
        assert sent["release_id"] == waiting["release_id"]
        assert guard("verify", sent["file"]).code == 0
        assert guard("outbox", "list").out == ""
        assert json.dumps(sent["receipt"])

    def test_one_that_is_not_there_is_told(self, guard: Guard, tmp_path: Path) -> None:
        ran = guard("outbox", "send", "0" * 16, "--out", tmp_path)
        assert ran.code == 2
        assert "guard outbox list" in ran.err
