"""`guard log`: checkpoints, proofs, and checks of both without a ledger or of the whole of it."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guard.app import open_app
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.note import COSIGNATURE, Note, VerifierKey, cosign
from guard.provenance.keys import KeyStore
from guard.provenance.timestamp import TimestampAuthority, stamp
from guard.settings import Settings
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard
from tests.unit.ledger.test_store import entry

SECRET = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS = VerifierKey("witness.example/w1", COSIGNATURE, SECRET.public_key().public_bytes_raw())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with keys and a few records."""
    home = tmp_path / "home"
    KeyStore(home).init_development()
    monkeypatch.setenv("GUARD_HOME", str(home))
    with open_app(Settings(home=home)) as opened:
        opened.ledger.record([entry(n) for n in (1, 2, 3)])
    return home


def record(home: Path, number: int) -> None:
    with open_app(Settings(home=home)) as opened:
        opened.ledger.record([entry(number)])


@pytest.fixture
def key(home: Path, guard: Guard) -> str:
    return guard("log", "key").out.strip()


class TestReceipts:
    def test_a_release_brings_a_receipt_that_proves_it_without_a_ledger(
        self, home: Path, guard: Guard, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, out, receipt = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "receipt.json"
        source.write_bytes(encoded(natural(3, 256, 256)))
        receipt.write_text(guard("release", source, "--out", out, "--json").out)
        shown = guard("log", "prove", out)
        assert json.loads(shown.out) == json.loads(receipt.read_text())["receipt"]
        header = tmp_path / "header.txt"
        header.write_bytes(base64.urlsafe_b64encode(shown.out.encode()).rstrip(b"="))

        monkeypatch.setenv("GUARD_HOME", str(tmp_path / "elsewhere"))
        for form in (receipt, header):
            ran = guard("log", "verify", out, "--receipt", form, "--public-key", key, "--json")
            assert (ran.code, ran.record["valid"]) == (0, True)
            assert ran.record["release_id"] == shown.record["release_id"]
        other = guard("log", "verify", source, "--receipt", receipt, "--public-key", key)
        assert other.code == 1
        assert "not what this receipt is of" in other.out
        assert not (tmp_path / "elsewhere").exists()

    def test_it_is_found_by_its_id_and_written_to_a_file(
        self, home: Path, guard: Guard, tmp_path: Path
    ) -> None:
        out = tmp_path / "r.json"
        assert guard("log", "prove", entry(2).id.upper(), "--out", out).code == 0
        ran = guard("log", "verify", "--receipt", out)
        assert ran.code == 0
        assert "leaf 1 of guard.local/log" in ran.out

    def test_what_is_not_on_record_has_none(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        (tmp_path / "stranger.png").write_bytes(b"never released")
        for what in ("f" * 16, tmp_path / "stranger.png"):
            ran = guard("log", "prove", what)
            assert (ran.code, ran.out) == (1, "")
            assert "knows no release" in ran.err

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("leaf_index", 0, 1),
            ("inclusion_proof", [], 1),
            ("leaf", "{}", 1),
            ("leaf", 5, 2),
            ("tree_size", "3", 2),
            ("inclusion_proof", ["00"], 2),
            ("inclusion_proof", 7, 2),
            ("checkpoint", None, 2),
            ("checkpoint", "example.com/log\n3\nAAAA\n", 2),
        ],
    )
    def test_one_that_was_changed_does_not_hold(
        self, home: Path, guard: Guard, tmp_path: Path, field: str, value: object, code: int
    ) -> None:
        receipt = tmp_path / "r.json"
        receipt.write_text(json.dumps(guard("log", "prove", entry(2).id).record | {field: value}))
        ran = guard("log", "verify", "--receipt", receipt, "--json")
        assert ran.code == code
        if code == 1:
            assert ran.record["valid"] is False

    def test_of_another_log_it_does_not_hold(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        receipt, other = tmp_path / "r.json", tmp_path / "other"
        guard("log", "prove", entry(2).id, "--out", receipt)
        KeyStore(other).init_development()
        with open_app(Settings(home=other)) as opened:
            stranger = str(opened.log_keys()[0])
        ran = guard("log", "verify", "--receipt", receipt, "--public-key", stranger)
        assert ran.code == 1
        assert "No key that counts" in ran.out

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", "ÄÖÜ", "x" * (1 << 21)])
    def test_what_is_no_receipt_is_bad_input(
        self, home: Path, guard: Guard, tmp_path: Path, text: str
    ) -> None:
        (tmp_path / "r.json").write_text(text)
        assert guard("log", "verify", "--receipt", tmp_path / "r.json").code == 2


class TestConsistency:
    def test_a_later_checkpoint_continues_the_one_kept(
        self, home: Path, guard: Guard, key: str, tmp_path: Path
    ) -> None:
        old, proof, keys = tmp_path / "old.txt", tmp_path / "proof.json", tmp_path / "keys"
        keys.write_text(key)
        guard("log", "checkpoint", "--out", old)
        record(home, 4)
        assert guard("log", "prove", "--since", old, "--out", proof).code == 0
        assert guard("log", "prove", "--since", "3").record == json.loads(proof.read_text())
        ran = guard(
            "log", "verify", "--consistency", proof, "--checkpoint", old, "--public-key", keys, "--json"
        )
        assert (ran.code, ran.record["to"]) == (0, 4)

        changed = json.loads(proof.read_text()) | {"consistency_proof": ["00" * 32]}
        proof.write_text(json.dumps(changed))
        assert guard("log", "verify", "--consistency", proof, "--checkpoint", old).code == 1
        proof.write_text("{}")
        assert guard("log", "verify", "--consistency", proof, "--checkpoint", old).code == 2
        assert guard("log", "verify", "--consistency", proof).code == 2

    @pytest.mark.parametrize("arguments", [[], ["x", "--since", "1"], ["--since", "99"]])
    def test_what_cannot_be_proved_is_bad_usage(self, home: Path, guard: Guard, arguments: list[str]) -> None:
        assert guard("log", "prove", *arguments).code == 2


class TestTheWholeLedger:
    def test_an_untouched_one_is_as_the_log_says(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        kept = tmp_path / "kept.txt"
        guard("log", "checkpoint", "--out", kept)
        record(home, 4)
        ran = guard("log", "verify", "--checkpoint", kept, "--json")
        assert ran.code == 0
        assert {name: ran.record[name] for name in ("valid", "leaves", "records", "problems", "anchors")} == {
            "valid": True,
            "leaves": 4,
            "records": 4,
            "problems": [],
            "anchors": [],
        }
        assert "as the log says" in guard("log", "verify").out

    def test_one_that_was_changed_is_not(self, home: Path, guard: Guard) -> None:
        with sqlite3.connect(home / "ledger.db") as raw:
            raw.execute("UPDATE releases SET model = 'other'")
        raw.close()
        ran = guard("log", "verify")
        assert ran.code == 1
        assert f"{entry(2).id} was rewritten: model." in ran.out
        assert len(guard("log", "verify", "--json").record["problems"]) == 3

    def test_many_problems_are_cut_short(self, home: Path, guard: Guard) -> None:
        with open_app(Settings(home=home)) as opened:
            opened.ledger.record([entry(n) for n in range(10, 40)])
        with sqlite3.connect(home / "ledger.db") as raw:
            raw.execute("UPDATE releases SET model = 'other'")
        raw.close()
        assert "and 13 more" in guard("log", "verify").out

    def test_a_checkpoint_that_nobody_signed_does_not_count(
        self, home: Path, guard: Guard, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept.txt"
        kept.write_text(guard("log", "checkpoint").out.replace("\n3\n", "\n2\n"))
        assert guard("log", "verify", "--checkpoint", kept).code == 1
        kept.unlink()
        assert guard("log", "verify", "--checkpoint", kept).code == 2


class TestKeys:
    def test_after_rotation_both_keys_verify(
        self, home: Path, guard: Guard, key: str, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept.txt"
        guard("log", "checkpoint", "--out", kept)
        shown = guard("log", "key", "--rotate").out.split()
        assert shown[1:] == [key]
        assert "PRIVATE" not in "".join(shown)
        stored = (home / "keys" / "log-keys").read_text().split()
        assert stored[1:] == [key]
        record(home, 4)
        assert guard("log", "verify", "--checkpoint", kept).code == 0
        assert guard("log", "checkpoint").out.split("\n\n")[1] != kept.read_text().split("\n\n")[1]

    @pytest.mark.parametrize("wrong", ["x", "a+b+c", "/nowhere", "k" * 300])
    def test_what_is_no_key_is_bad_input(self, home: Path, guard: Guard, tmp_path: Path, wrong: str) -> None:
        receipt = tmp_path / "r.json"
        guard("log", "prove", entry(1).id, "--out", receipt)
        assert guard("log", "verify", "--receipt", receipt, "--public-key", wrong).code == 2

    def test_the_origin_is_a_setting(
        self, tmp_path: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        KeyStore(tmp_path / "own").init_development()
        monkeypatch.setenv("GUARD_HOME", str(tmp_path / "own"))
        monkeypatch.setenv("GUARD_LOG_ORIGIN", "example.com/releases")
        assert guard("log", "checkpoint").out.startswith("example.com/releases\n0\n")
        monkeypatch.setenv("GUARD_LOG_ORIGIN", "two words")
        assert guard("log", "checkpoint").code == 2

    def test_without_keys_there_is_no_log_key(
        self, tmp_path: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GUARD_HOME", str(tmp_path / "empty"))
        ran = guard("log", "key")
        assert ran.code == 2
        assert "guard keys init" in ran.err
        assert not (tmp_path / "empty" / "keys").exists()


class TestWitnesses:
    def test_a_cosignature_is_kept_and_shown(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        cosigned = tmp_path / "cosigned.txt"
        note = Note.parse(guard("log", "checkpoint").out)
        cosigned.write_text(str(Note(note.text, (*note.signatures, cosign(note, WITNESS.name, SECRET)))))
        ran = guard("log", "attach", cosigned, "--witness", str(WITNESS))
        assert "witness.example/w1" in ran.out
        assert guard("log", "checkpoint").out == cosigned.read_text()
        assert guard("log", "verify", "--checkpoint", cosigned).code == 0

    def test_what_no_witness_signed_is_refused(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        plain = tmp_path / "plain.txt"
        guard("log", "checkpoint", "--out", plain)
        assert guard("log", "attach", plain, "--witness", str(WITNESS)).code == 2


class TestAnchors:
    """Needs the responder of the tests of time-stamps, which skips without its packages."""

    def test_a_checkpoint_is_time_stamped_and_the_stamp_checked(
        self, home: Path, guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stamping = pytest.importorskip("tests.unit.provenance.stamping")
        roots, others = tmp_path / "roots.pem", tmp_path / "others.pem"
        others.write_text(stamping.Responder().root)
        with stamping.serving() as authority:
            roots.write_text(authority.root)
            assert guard("log", "anchor", "--tsa", authority.url).code == 0
            monkeypatch.setenv("GUARD_TIMESTAMPS", authority.url)
            record(home, 4)
            assert "4 leaves is time-stamped" in guard("log", "anchor").out
            authority.behave = authority.reject
            assert guard("log", "anchor").code == 2
        ran = guard("log", "verify", "--tsa-roots", roots, "--json")
        assert (ran.code, [each["size"] for each in ran.record["anchors"]]) == (0, [3, 4])
        assert "3 leaves time-stamped at 20" in guard("log", "verify", "--tsa-roots", roots).out
        ran = guard("log", "verify", "--tsa-roots", others)
        assert ran.code == 1
        assert "time-stamp of the checkpoint of 3 leaves does not hold" in ran.out

    def test_a_stamp_of_something_else_does_not_hold(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        stamping = pytest.importorskip("tests.unit.provenance.stamping")
        with stamping.serving() as authority:
            (tmp_path / "roots.pem").write_text(authority.root)
            token = stamp([TimestampAuthority(authority.url)], b"something else")
        with open_app(Settings(home=home)) as opened:
            newest = Checkpoint.parse(Note.parse(opened.ledger.log.checkpoint()).text)
            opened.ledger.log.anchor(newest, "own", token)
            opened.ledger.log.anchor(newest, "own", b"no token" * 40)
        ran = guard("log", "verify", "--tsa-roots", tmp_path / "roots.pem", "--json")
        assert ran.code == 1
        assert ["does not hold" in ran.record["problems"][0], ran.record["problems"][1:]] == [
            True,
            ["The time-stamp cannot be read."],
        ]

    def test_without_an_authority_there_is_nobody_to_ask(
        self, home: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("GUARD_TIMESTAMPS", raising=False)
        assert guard("log", "anchor").code == 2

    def test_roots_have_to_be_certificates(self, home: Path, guard: Guard, tmp_path: Path) -> None:
        (tmp_path / "roots.pem").write_text("none")
        assert guard("log", "verify", "--tsa-roots", tmp_path / "roots.pem").code == 2
