"""The key store: made once, kept closed, replaced only on demand, never shown."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

from guard.errors import KeyStoreError
from guard.provenance import keyfiles
from guard.provenance.certificates import issue_development, to_pem
from guard.provenance.keys import KeyStore, SignerSource
from guard.provenance.signers.address import KeyAddress
from guard.provenance.signers.aws import AwsKey
from guard.provenance.timestamp import TimestampAuthority
from tests.unit.provenance.certifying import Authority, key_of, key_pem


@pytest.fixture
def fresh(home: Path) -> KeyStore:
    store = KeyStore(home)
    store.init_development()
    return store


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestInit:
    def test_makes_a_signer_an_anchor_and_a_mark_key(self, home: Path) -> None:
        made = KeyStore(home).init_development()
        store = KeyStore(home)
        assert store.signer().alg == "ed25519"
        assert store.anchors().count("BEGIN CERTIFICATE") == 1
        assert [len(key) for key in store.mark_keys()] == [32]
        assert made.folder == home / "keys"
        assert made.fingerprint == store.status().fingerprint

    def test_says_that_the_keys_are_for_development(self, home: Path) -> None:
        assert "for development only" in KeyStore(home).init_development().warning

    def test_keeps_others_out_whatever_the_umask(self, home: Path) -> None:
        former = os.umask(0)
        try:
            folder = KeyStore(home).init_development().folder
        finally:
            os.umask(former)
        assert _mode(folder) == 0o700
        assert {_mode(path) for path in folder.iterdir()} == {0o600}

    def test_leaves_no_authority_key_and_no_temporary_file(self, fresh: KeyStore) -> None:
        names = {path.name for path in fresh.folder.iterdir()}
        assert names == {"signer.pem", "anchors.pem", "mark-keys"}
        private = [path.name for path in fresh.folder.iterdir() if "PRIVATE KEY" in path.read_text()]
        assert private == ["signer.pem"]

    def test_refuses_to_overwrite(self, fresh: KeyStore) -> None:
        before = fresh.status().fingerprint
        with pytest.raises(KeyStoreError, match="already holds keys") as caught:
            fresh.init_development()
        assert "--force" in caught.value.remedy
        assert fresh.status().fingerprint == before

    def test_force_replaces_the_signer_and_still_trusts_the_former(self, fresh: KeyStore) -> None:
        before, anchors, marks = fresh.status().fingerprint, fresh.anchors(), fresh.mark_keys()
        fresh.init_development(force=True)
        assert fresh.status().fingerprint != before
        assert fresh.anchors().endswith(anchors)
        assert fresh.anchors().count("BEGIN CERTIFICATE") == 2
        assert fresh.mark_keys() == marks

    def test_a_crash_before_the_signer_leaves_the_former_one_working(
        self, fresh: KeyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = fresh.status().fingerprint
        replace = os.replace

        def fail_on_signer(source: str, target: Path) -> None:
            if target.name == "signer.pem":
                raise OSError(28, "No space left on device")
            replace(source, target)

        monkeypatch.setattr(keyfiles.os, "replace", fail_on_signer)
        with pytest.raises(KeyStoreError, match="No space left"):
            fresh.init_development(force=True)
        assert fresh.status().fingerprint == before
        assert not list(fresh.folder.glob(".*"))

    def test_a_home_that_is_a_file_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(KeyStoreError, match="cannot be made") as caught:
            KeyStore(tmp_path / "file").init_development()
        assert "GUARD_HOME" in caught.value.remedy

    def test_of_several_at_once_exactly_one_wins(self, home: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from guard.provenance.keys import KeyStore\n"
            "KeyStore(Path(sys.argv[1])).init_development()"
        )
        runs = [
            subprocess.Popen([sys.executable, "-c", code, str(home)], stderr=subprocess.DEVNULL)
            for _ in range(3)
        ]
        assert sorted(run.wait() for run in runs) == [0, 1, 1]
        assert KeyStore(home).anchors().count("BEGIN CERTIFICATE") == 1


class TestLoad:
    def test_an_empty_home_tells_how_to_make_keys(self, home: Path) -> None:
        for use in (KeyStore(home).signer, KeyStore(home).anchors, KeyStore(home).mark_keys):
            with pytest.raises(KeyStoreError, match="no keys") as caught:
                use()
            assert "guard keys init" in caught.value.remedy

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
    @pytest.mark.parametrize("name", ["signer.pem", "mark-keys"])
    def test_refuses_a_key_file_that_others_may_use(self, fresh: KeyStore, name: str, mode: int) -> None:
        path = fresh.folder / name
        path.chmod(mode)
        with pytest.raises(KeyStoreError, match="open to other users") as caught:
            fresh.signer() if name == "signer.pem" else fresh.mark_keys()
        assert caught.value.remedy == f"Close it with: chmod 600 {path}"

    def test_refuses_an_open_folder(self, fresh: KeyStore) -> None:
        fresh.folder.chmod(0o755)
        with pytest.raises(KeyStoreError) as caught:
            fresh.signer()
        assert caught.value.remedy == f"Close it with: chmod 700 {fresh.folder}"

    def test_an_unreadable_path_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("")
        with pytest.raises(KeyStoreError, match="cannot be read"):
            KeyStore(tmp_path / "home").signer()

    def test_a_folder_in_place_of_a_file_is_a_clear_error(self, fresh: KeyStore) -> None:
        (fresh.folder / "anchors.pem").unlink()
        (fresh.folder / "anchors.pem").mkdir(mode=0o700)
        with pytest.raises(KeyStoreError, match=r"anchors\.pem cannot be read"):
            fresh.anchors()

    @pytest.mark.parametrize("contents", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    def test_a_damaged_signer_names_its_file(self, fresh: KeyStore, contents: str) -> None:
        (fresh.folder / "signer.pem").write_text(contents)
        with pytest.raises(KeyStoreError, match=r"signer\.pem: "):
            fresh.signer()

    def test_an_expired_signer_does_not_sign_but_has_a_status(self, fresh: KeyStore) -> None:
        key, leaf, _ = issue_development(now=datetime.now(UTC) - timedelta(days=400))
        (fresh.folder / "signer.pem").write_text(key + leaf)
        with pytest.raises(KeyStoreError, match=r"expired on 20\d\d-\d\d-\d\d") as caught:
            fresh.signer()
        assert "guard keys rotate" in caught.value.remedy
        assert fresh.status().expires < datetime.now(UTC)


class TestMarkKeys:
    def test_a_new_key_comes_first_and_the_others_stay(self, fresh: KeyStore) -> None:
        first = fresh.mark_keys()
        fresh.add_mark_key()
        fresh.add_mark_key()
        ring = fresh.mark_keys()
        assert ring[2:] == first
        assert len(set(ring)) == 3
        assert _mode(fresh.folder / "mark-keys") == 0o600

    def test_none_is_lost_when_several_are_added_at_once(self, fresh: KeyStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: KeyStore(fresh.folder.parent).add_mark_key(), range(16)))
        assert len(set(fresh.mark_keys())) == 17

    @pytest.mark.parametrize("contents", ["", "abcd\n", "zz" * 32 + "\n", "ab" * 31 + "\n"])
    def test_a_damaged_ring_is_not_used(self, fresh: KeyStore, contents: str) -> None:
        (fresh.folder / "mark-keys").write_text(contents)
        with pytest.raises(KeyStoreError, match="damaged"):
            fresh.mark_keys()
        with pytest.raises(KeyStoreError, match="damaged"):
            fresh.add_mark_key()
        assert (fresh.folder / "mark-keys").read_text() == contents


class TestStatus:
    def test_shows_who_signs_until_when(self, fresh: KeyStore) -> None:
        status = fresh.status()
        assert "CN=Guard development signer" in status.subject
        assert status.development
        assert status.mark_keys == 1
        assert len(status.fingerprint) == 64
        assert timedelta(days=360) < status.expires - datetime.now(UTC) < timedelta(days=366)

    def test_shows_no_secret(self, fresh: KeyStore) -> None:
        shown = repr(fresh.status()) + repr(fresh.signer()) + repr(fresh) + repr(vars(fresh))
        assert "PRIVATE" not in shown
        assert fresh.mark_keys()[0].hex() not in shown
        body = fresh.signer().key.private_key.splitlines()[1]
        assert body not in shown


def imported(store: KeyStore, kind: str = "p256", *, passphrase: bytes | None = None) -> Any:
    """Import a signer of that kind and give its certificate."""
    authority, key = Authority(), key_of(kind)
    leaf = authority.issue(key)
    private = key_pem(key, encryption=BestAvailableEncryption(passphrase) if passphrase else None)
    store.import_signer(private, to_pem(leaf), authority.pem)
    return leaf


class TestImport:
    def test_the_new_signer_takes_over_and_the_former_stays_known_and_trusted(self, fresh: KeyStore) -> None:
        before, anchors, marks = fresh.status(), fresh.anchors(), fresh.mark_keys()
        leaf = imported(fresh)
        after = fresh.status()
        assert fresh.signer().chain[0] == leaf
        assert (after.alg, after.development, after.former) == ("es256", False, (before.fingerprint,))
        assert fresh.anchors().endswith(anchors)
        assert fresh.anchors() != anchors
        assert fresh.mark_keys() == marks

    def test_the_newest_former_signer_comes_first(self, fresh: KeyStore) -> None:
        leaves = [imported(fresh) for _ in range(3)]
        assert list(fresh.former())[:2] == [leaves[1], leaves[0]]
        assert len(fresh.former()) == 3

    def test_into_an_empty_home(self, home: Path) -> None:
        imported(KeyStore(home), "ed25519")
        assert KeyStore(home).status().former == ()
        assert len(KeyStore(home).mark_keys()) == 1

    def test_an_encrypted_key_stays_so_and_opens_with_its_passphrase(self, home: Path) -> None:
        imported(KeyStore(home), passphrase=b"sesame")
        assert "ENCRYPTED PRIVATE KEY" in (home / "keys" / "signer.pem").read_text()
        with pytest.raises(KeyStoreError, match="encrypted"):
            KeyStore(home).signer()
        assert KeyStore(home, SignerSource(secret="sesame")).signer().sign(b"a claim")

    def test_a_key_elsewhere_is_kept_by_its_address(self, fresh: KeyStore) -> None:
        authority = Authority()
        fresh.import_signer("awskms:///alias/guard", to_pem(authority.issue(key_of("p384"))), authority.pem)
        assert fresh.status().key == "awskms:///alias/guard"
        assert fresh.signer().key == AwsKey("alias/guard", "es384")

    def test_a_key_that_moves_keeps_its_certificate_current(self, fresh: KeyStore) -> None:
        leaf = to_pem(imported(fresh))
        before = fresh.former()
        fresh.import_signer("awskms:///alias/guard", leaf)
        assert fresh.former() == before
        assert fresh.status().key == "awskms:///alias/guard"

    def test_one_that_never_was_whole_is_no_former_signer(self, fresh: KeyStore) -> None:
        (fresh.folder / "signer.pem").write_text("nothing")
        imported(fresh)
        assert fresh.former() == ()

    def test_the_stamp_tells_of_every_change_and_of_nothing_else(self, fresh: KeyStore) -> None:
        stamps = [fresh.stamp()]
        fresh.signer()
        fresh.status()
        assert fresh.stamp() == stamps[0]
        for change in (fresh.add_mark_key, lambda: imported(fresh), lambda: fresh.init_development(True)):
            change()
            stamps.append(fresh.stamp())
        assert len(set(stamps)) == 4
        assert KeyStore(fresh.folder / "none").stamp() == (None, None, None)


class TestSettings:
    """A signer that the settings name goes before the one in the store."""

    def test_its_chain_is_read_from_its_file(self, fresh: KeyStore, tmp_path: Path) -> None:
        key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
        private = key_of("p256")
        key.write_text(key_pem(private))
        chain.write_text(to_pem(Authority().issue(private)))
        authorities = (TimestampAuthority("http://tsa.example"),)
        source = SignerSource(KeyAddress(str(key)), chain, timestamps=authorities)
        store = KeyStore(fresh.folder.parent, source)
        assert store.signer().alg == "es256"
        assert store.signer().timestamps == authorities
        assert store.status().key == str(key)
        before = store.stamp()
        chain.write_text(to_pem(Authority().issue(private)))
        assert store.stamp() != before

    def test_a_chain_that_is_not_there_is_told(self, fresh: KeyStore, tmp_path: Path) -> None:
        source = SignerSource(KeyAddress("key.pem"), tmp_path / "none.pem")
        with pytest.raises(KeyStoreError, match="cannot be read") as caught:
            KeyStore(fresh.folder.parent, source).signer()
        assert "GUARD_SIGNER_CERTIFICATES" in caught.value.remedy
