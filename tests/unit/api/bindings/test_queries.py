"""Finding manifests by mark, fingerprint and content."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.errors import CredentialError
from guard.ledger.entry import Entry
from guard.pipeline import Origin, Release
from guard.provenance.fetch import Fetcher
from guard.settings import Settings
from tests.pictures import png, shared_again
from tests.unit.api.parts import serving

ALG = "guard.tile.1"
BY_REFERENCE = "/matches/byReference"
BY_BINDING, BY_CONTENT = "/matches/byBinding", "/matches/byContent"


# None of these tests writes to the ledger, so one will do.
@pytest.fixture(scope="module")
def library(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = shutil.copytree(furnished, tmp_path_factory.mktemp("library") / "home")
    with open_app(Settings(home=home)) as opened:
        yield opened


@pytest.fixture(scope="module")
def release(library: App) -> Release:
    return library.guard().release([png(seed=1)], Origin("painter"))[0]


@pytest.fixture(scope="module")
def entry(library: App, release: Release) -> Entry:
    found = library.ledger.by_id(release.id)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def resolver(library: App) -> Iterator[TestClient]:
    with serving(library, None) as client:
        yield client


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def found(answer: object) -> list[str]:
    assert isinstance(answer, dict)
    return [match["manifestId"] for match in answer["matches"]]


class TestByBinding:
    @pytest.mark.parametrize("prefix", ["", "/v1"])
    @pytest.mark.parametrize(
        "spell", [lambda p: p, lambda p: b64(bytes.fromhex(p)), lambda p: b64(p.encode())]
    )
    def test_a_mark_leads_to_its_release_however_it_is_spelled(
        self, resolver: TestClient, entry: Entry, prefix: str, spell: object
    ) -> None:
        assert callable(spell)
        value = spell(entry.marks[0].payload)
        answer = resolver.get(prefix + BY_BINDING, params={"alg": ALG, "value": value})
        assert (answer.status_code, found(answer.json())) == (200, [entry.manifest_label])
        again = resolver.post(prefix + BY_BINDING, json={"alg": ALG, "value": value})
        assert again.json() == answer.json()

    def test_a_code_leads_to_its_release(self, library: App, resolver: TestClient, entry: Entry) -> None:
        filed = library.ledger.fingerprints(entry.id)[0]
        flipped = bytes([filed.code[0] ^ 0x80]) + filed.code[1:]
        for code in (filed.code, flipped, b"\0" * 32 + filed.code):
            answer = resolver.get(BY_BINDING, params={"alg": filed.alg, "value": b64(code)})
            (match,) = answer.json()["matches"]
            assert match["manifestId"] == entry.manifest_label
            assert match["similarityScore"] >= 99

    def test_others_lead_nowhere(self, resolver: TestClient, entry: Entry) -> None:
        asked = [
            (ALG, "0" * 16),
            ("guard.dipole.1", entry.marks[0].payload),
            ("guard.picture.1", b64(b"\xaa" * 32)),
            ("org.example.unknown", "no base64 at all"),
        ]
        for alg, value in asked:
            answer = resolver.get(BY_BINDING, params={"alg": alg, "value": value})
            assert (answer.status_code, answer.json()) == (200, {"matches": []})

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"alg": ALG},
            {"value": "AAAA"},
            {"alg": ALG, "value": "!"},
            {"alg": ALG, "value": "AAAA"},
            {"alg": "guard.picture.1", "value": "AAAA"},
            {"alg": "guard.picture.1", "value": ""},
            *({"alg": ALG, "value": "0" * 16, "maxResults": n} for n in ("0", "-1", "x", "1.5", "١", "")),
        ],
    )
    def test_what_is_no_query_is_said_in_one_sentence(
        self, resolver: TestClient, query: dict[str, str]
    ) -> None:
        answer = resolver.get(BY_BINDING, params=query)
        assert answer.status_code == 400
        assert isinstance(answer.json()["error"], str)

    def test_no_more_codes_are_looked_up_than_a_question_may_have(self, resolver: TestClient) -> None:
        for codes, status in ((256, 200), (257, 400), (20_000, 400)):
            query = {"alg": "guard.frame.1", "value": b64(b"\x55" * 32 * codes)}
            answer = resolver.post(BY_BINDING, json=query)
            assert answer.status_code == status
        assert answer.json()["error"].startswith("A value of 'guard.frame.1' has at most 256 codes.")

    def test_a_value_too_long_for_an_address_is_asked_for_by_post(self, resolver: TestClient) -> None:
        query = {"alg": "guard.frame.1", "value": b64(b"\x55" * 32 * 200)}
        assert resolver.get(BY_BINDING, params=query).status_code == 414
        assert resolver.post(BY_BINDING, json=query).json() == {"matches": []}

    @pytest.mark.parametrize("body", [b"[]", b"{", b'{"alg": 1, "value": "A"}', b'{"alg": "a"}'])
    def test_a_body_of_another_shape(self, resolver: TestClient, body: bytes) -> None:
        answer = resolver.post(BY_BINDING, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert resolver.post(BY_BINDING, content=b"{}").status_code == 400

    def test_no_more_than_are_wanted(self, library: App, resolver: TestClient, entry: Entry) -> None:
        filed = library.ledger.fingerprints(entry.id)[0]
        query = {"alg": filed.alg, "value": b64(filed.code), "maxResults": "1"}
        assert len(resolver.get(BY_BINDING, params=query).json()["matches"]) == 1


class TestByContent:
    def test_a_stripped_copy_leads_to_its_release(
        self, resolver: TestClient, release: Release, entry: Entry
    ) -> None:
        copy = shared_again(release.artifact)
        answer = resolver.post(BY_CONTENT, content=copy.data, headers={"content-type": "image/jpeg"})
        (match,) = answer.json()["matches"]
        assert match["manifestId"] == entry.manifest_label
        assert 80 <= match["similarityScore"] <= 100
        for alg, expected in ((ALG, [entry.manifest_label]), ("guard.dipole.1", []), ("no.such", [])):
            query = {"alg": alg}
            again = resolver.post(
                BY_CONTENT, params=query, content=copy.data, headers={"content-type": "image/jpeg"}
            )
            assert found(again.json()) == expected

    def test_a_stranger_leads_nowhere_but_to_what_it_is_said_to_be(
        self, resolver: TestClient, entry: Entry
    ) -> None:
        stranger = png(seed=99)
        headers = {"content-type": "image/png"}
        assert resolver.post(BY_CONTENT, content=stranger.data, headers=headers).json() == {"matches": []}
        hint = {"hintAlg": ALG, "hintValue": entry.marks[0].payload}
        answer = resolver.post(BY_CONTENT, params=hint, content=stranger.data, headers=headers)
        assert found(answer.json()) == [entry.manifest_label]

    @pytest.mark.parametrize(
        ("content", "kind", "query"),
        [
            (b"", "image/png", ""),
            (b"\x89PNG\r\n\x1a\n broken", "image/png", ""),
            (b"\x00\x01\x02", "application/octet-stream", ""),
            (b"text", "", ""),
            (b"text", "font/woff2", ""),
            (b"text", "text/plain", "?maxResults=0"),
            (b"text", "text/plain", f"?hintAlg={ALG}&hintValue=!"),
        ],
    )
    def test_what_is_no_asset(self, resolver: TestClient, content: bytes, kind: str, query: str) -> None:
        answer = resolver.post(BY_CONTENT + query, content=content, headers={"content-type": kind})
        assert answer.status_code == 415
        assert isinstance(answer.json()["error"], str)


class TestByReference:
    @pytest.fixture
    def allowed(self, library: App) -> Iterator[TestClient]:
        settings = library.settings.model_copy(update={"reference_hosts": ("media.example",)})
        with serving(replace(library, settings=settings), None) as client:
            yield client

    def test_the_file_at_an_allowed_address(
        self, allowed: TestClient, release: Release, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copy = shared_again(release.artifact).data
        monkeypatch.setattr(Fetcher, "get", lambda self, url: {"https://media.example/a.jpg": copy}[url])
        body = {"referenceUrl": "https://media.example/a.jpg", "assetLength": len(copy)}
        assert found(allowed.post(BY_REFERENCE, json=body).json()) == [entry.manifest_label]
        shorter = allowed.post(BY_REFERENCE, json=body | {"assetLength": 5})
        assert shorter.status_code == 400
        assert "queryByReference" in allowed.get("/services/capabilities").json()["supportedCapabilities"]

    def test_a_host_that_gives_nothing(self, allowed: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_: Fetcher, url: str) -> bytes:
            raise CredentialError("media.example could not be asked: it answered with status 404.")

        monkeypatch.setattr(Fetcher, "get", fails)
        body = {"referenceUrl": "https://media.example/a.jpg", "assetLength": 3}
        assert allowed.post(BY_REFERENCE, json=body).status_code == 502

    @pytest.mark.parametrize(
        "url",
        [
            "https://elsewhere.example/a.jpg",
            "http://media.example/a.jpg",
            "https://media.example:8443/a.jpg",
            "https://me@media.example/a.jpg",
            "https://127.0.0.1/",
            "https://[::1]/",
            "file:///etc/passwd",
            "",
        ],
    )
    def test_no_other_address_is_asked(self, allowed: TestClient, url: str) -> None:
        body = {"referenceUrl": url, "assetLength": 3}
        assert allowed.post(BY_REFERENCE, json=body).status_code == 403

    def test_nothing_is_fetched_unless_allowed(self, resolver: TestClient) -> None:
        body = {"referenceUrl": "https://media.example/a.jpg", "assetLength": 3}
        assert resolver.post(BY_REFERENCE, json=body).status_code == 403
        assert (
            "queryByReference" not in resolver.get("/services/capabilities").json()["supportedCapabilities"]
        )

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 400),
            ({"referenceUrl": "https://media.example/a", "assetLength": "3"}, 400),
            ({"referenceUrl": "https://media.example/a", "assetLength": True}, 400),
            ({"referenceUrl": "https://media.example/a", "assetLength": -1}, 400),
            ({"referenceUrl": "https://media.example/a", "assetLength": 3, "region": [{}]}, 400),
            ({"referenceUrl": "https://media.example/a", "assetLength": 1 << 60}, 413),
        ],
    )
    def test_what_is_no_reference(self, allowed: TestClient, body: dict[str, object], status: int) -> None:
        assert allowed.post(BY_REFERENCE, json=body).status_code == status
