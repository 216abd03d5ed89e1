"""The trust lists that Guard keeps: dated, replaced whole, refused when damaged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, CredentialError, InputError
from guard.provenance.certificates import issue_development
from guard.provenance.trust import CLAIM_SIGNING_EKUS, ListKind
from guard.provenance.trust_refresh import refresh
from guard.provenance.trust_store import OFFICIAL, StoredList, TrustStore, certificates_in
from tests.unit.provenance.issuing import issue

AUTHORITY = issue_development()[2]
OTHER = issue_development()[2]
DAY = date(2026, 1, 2)


@pytest.fixture
def store(home: Path) -> TrustStore:
    return TrustStore(home)


def a_list(name: str = "mine", kind: ListKind = ListKind.SIGNERS, pem: str = AUTHORITY) -> StoredList:
    return StoredList(name, "Mine", kind, DAY, "mine.pem", certificates_in(pem.encode()))


class TestOfficial:
    def test_guard_comes_with_the_official_lists(self, store: TrustStore) -> None:
        signers, timestamps = store.lists()
        assert (signers.name, timestamps.name) == OFFICIAL
        assert (signers.kind, timestamps.kind) == (ListKind.SIGNERS, ListKind.TIMESTAMPS)
        assert (signers.count, timestamps.count) == (30, 22)
        assert signers.dated == timestamps.dated == date(2026, 8, 5)
        assert all(each.source.startswith("https://") for each in (signers, timestamps))

    def test_they_are_those_that_were_published(self, store: TrustStore, shared_data: Path) -> None:
        published = certificates_in((shared_data / "c2pa/trust/official_c2pa_plus_tsa.pem").read_bytes())
        assert "".join(each.certificates for each in store.lists()) == published

    def test_they_count_unless_told_otherwise(self, store: TrustStore) -> None:
        assert [each.name for each in store.trust().lists] == ["C2PA Trust List", "C2PA TSA Trust List"]
        assert store.trust(official=False).lists == ()

    def test_their_age_is_counted_in_days(self, store: TrustStore) -> None:
        assert store.lists()[0].age(date(2026, 8, 15)) == 10
        assert store.lists()[0].age() == (datetime.now(UTC).date() - date(2026, 8, 5)).days


class TestOwnLists:
    def test_a_list_comes_back_as_it_was_added(self, store: TrustStore) -> None:
        store.add(a_list(kind=ListKind.INTERIM))
        assert store.lists()[-1] == a_list(kind=ListKind.INTERIM)
        assert store.trust(official=False).lists == (a_list(kind=ListKind.INTERIM).as_list(),)

    def test_the_latest_of_a_name_counts(self, store: TrustStore) -> None:
        store.add(a_list())
        store.add(a_list(pem=OTHER))
        assert store.lists()[-1].certificates == certificates_in(OTHER.encode())
        assert len(store.lists()) == 3
        assert [path.name for path in store.folder.iterdir()] == ["mine.pem"]

    def test_a_removed_list_is_gone_and_an_official_one_is_the_shipped_one(self, store: TrustStore) -> None:
        store.add(a_list())
        store.add(a_list(OFFICIAL[0]))
        assert store.lists()[0].count == 1
        store.remove(OFFICIAL[0])
        store.remove("mine")
        assert [each.count for each in store.lists()] == [30, 22]
        with pytest.raises(InputError, match="'mine' was added") as caught:
            store.remove("mine")
        assert "GUARD_TRUST_OFFICIAL" in caught.value.remedy

    @pytest.mark.parametrize("name", ["", "../up", "A", "a b", "a" * 64, ".hidden", "a/b", "a\n"])
    def test_names_are_names_and_not_paths(self, store: TrustStore, name: str) -> None:
        with pytest.raises(InputError, match="cannot name"):
            store.add(a_list(name))

    def test_titles_cannot_forge_fields(self, store: TrustStore) -> None:
        forged = StoredList(
            "mine", "x\nKind: signers", ListKind.INTERIM, DAY, "y\nDated: 2000-01-01", AUTHORITY
        )
        store.add(forged)
        kept = store.lists()[-1]
        assert (kept.kind, kept.dated) == (ListKind.INTERIM, DAY)

    @pytest.mark.parametrize(
        "content", ["", "nonsense", "Kind: signers\n", "Kind: odd\nDated: 2026-01-01\n" + AUTHORITY]
    )
    def test_a_damaged_list_stops_everything(self, store: TrustStore, content: str) -> None:
        store.folder.mkdir(parents=True)
        (store.folder / "bad.pem").write_text(content)
        with pytest.raises(ConfigurationError, match="is not a trust list") as caught:
            store.trust()
        assert "guard trust remove bad" in caught.value.remedy

    def test_a_folder_that_cannot_be_written(self, home: Path) -> None:
        home.write_text("a file")
        with pytest.raises(ConfigurationError, match="cannot be written"):
            TrustStore(home).add(a_list())


class TestPurposes:
    def test_those_of_the_specification_count_for_want_of_others(self, store: TrustStore) -> None:
        assert store.trust().ekus == CLAIM_SIGNING_EKUS

    def test_store_cfg_says_otherwise(self, store: TrustStore, shared_data: Path) -> None:
        store.folder.mkdir(parents=True)
        published = (shared_data / "c2pa/trust/store.cfg").read_text()
        (store.folder / "store.cfg").write_text(published)
        assert set(store.trust().ekus) == set(CLAIM_SIGNING_EKUS)
        (store.folder / "store.cfg").write_text("# mine\n1.2.3.4 // ours\n\n")
        assert store.trust().ekus == ("1.2.3.4",)

    @pytest.mark.parametrize("content", [b"", b"emailProtection\n", b"\xff", b"9.9\n"])
    def test_what_is_none_is_refused(self, store: TrustStore, content: bytes) -> None:
        store.folder.mkdir(parents=True)
        (store.folder / "store.cfg").write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"store\.cfg"):
            store.trust()


class TestCertificatesIn:
    def test_text_between_them_is_dropped(self) -> None:
        mixed = f"Subject: x\n{AUTHORITY}\nmore\n{OTHER}"
        assert certificates_in(mixed.encode()).count("BEGIN") == 2
        assert "Subject" not in certificates_in(mixed.encode())

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\xff\xfe",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            AUTHORITY.encode() + b"-----BEGIN CERTIFICATE-----\nAAAA",
            issue("EC")[0].key.private_key.encode() + AUTHORITY.encode(),  # type: ignore[attr-defined]
            b" " * (5 << 20),
        ],
        ids=["empty", "binary", "broken", "cut", "key", "large"],
    )
    def test_anything_else_is_refused(self, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"it is|it holds|damaged|utf-8"):
            certificates_in(data)


class TestRefresh:
    def test_fresh_lists_take_the_place_of_the_shipped_ones(self, store: TrustStore) -> None:
        asked: list[str] = []

        def get(url: str) -> bytes:
            asked.append(url)
            return AUTHORITY.encode()

        fetched = refresh(store, {OFFICIAL[1]: "https://tsa.example/list.pem"}, get)
        assert asked[0].startswith("https://raw.githubusercontent.com/c2pa-org/")
        assert asked[1] == "https://tsa.example/list.pem"
        assert [each.count for each in store.lists()] == [1, 1]
        today = datetime.now(UTC).date()
        assert all(today - each.dated <= timedelta(days=1) for each in fetched)
        assert store.lists()[1].kind is ListKind.TIMESTAMPS
        assert store.lists()[1].source == "https://tsa.example/list.pem"

    @pytest.mark.parametrize(
        ("bad", "why"),
        [(b"<html>", "no certificates"), (issue("EC")[0].certificates.encode(), "authority's")],
    )
    def test_nothing_changes_unless_both_are_good(self, store: TrustStore, bad: bytes, why: str) -> None:
        answers = iter([AUTHORITY.encode(), bad])
        with pytest.raises(ConfigurationError, match=why):
            refresh(store, {}, lambda _: next(answers))
        assert [each.count for each in store.lists()] == [30, 22]

    def test_an_address_that_does_not_answer(self, store: TrustStore) -> None:
        with pytest.raises(CredentialError, match="may not be asked"):
            refresh(store, {OFFICIAL[0]: "http://plain.example/list.pem"})
