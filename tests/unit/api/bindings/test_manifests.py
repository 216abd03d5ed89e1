"""Keeping manifests, binding them, fetching them, and the receipts for them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from guard.app import App, open_app
from guard.ledger.api_keys import ApiKeys, Scope
from guard.ledger.entry import Entry
from guard.pipeline import Origin
from guard.provenance.jumbf import active_label
from guard.settings import Settings
from tests.pictures import png, shared_again
from tests.unit.api.parts import serving

C2PA = {"content-type": "application/c2pa"}
ALG = "guard.tile.1"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str, str, bytes]:
    """What another Guard released: manifest store, its URN, the payload of the mark, a stripped copy."""
    with open_app(Settings(home=tmp_path_factory.mktemp("elsewhere") / "home")) as other:
        other.keys.init_development()
        (release,) = other.guard().release([png(seed=7)], Origin("painter"))
        entry = other.ledger.by_id(release.id)
        assert entry is not None
        assert entry.manifest is not None
        bare = shared_again(release.artifact)
        return entry.manifest, active_label(entry.manifest), entry.marks[0].payload, bare.data


class TestFetching:
    def test_the_store_of_a_release(self, resolver: TestClient, entry: Entry) -> None:
        answer = resolver.get(f"/manifests/{entry.manifest_label}")
        assert answer.headers["content-type"] == "application/c2pa"
        assert answer.content == entry.manifest
        active = resolver.get(f"/manifests/{entry.manifest_label}", params={"returnActiveManifest": "true"})
        assert active_label(active.content) == entry.manifest_label

    def test_what_is_not_there(self, resolver: TestClient, entry: Entry) -> None:
        for path in ("/manifests/urn:c2pa:none", "/v1/manifests/%00", "/manifests/urn:c2pa:none/receipts"):
            answer = resolver.get(path)
            assert answer.status_code == 404
            assert isinstance(answer.json()["error"], str)
        odd = resolver.get(f"/manifests/{entry.manifest_label}", params={"returnActiveManifest": "perhaps"})
        assert odd.status_code == 400


class TestDeposits:
    def test_a_deposited_store_is_found_by_the_mark_that_it_states(
        self, resolver: TestClient, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        store, name, payload, _ = theirs
        answer = resolver.post("/v1/manifests", content=store, headers=C2PA)
        assert (answer.status_code, answer.json()) == (200, {"manifestId": name})
        assert resolver.post("/v1/manifests", content=store, headers=C2PA).json() == {"manifestId": name}
        assert resolver.get(f"/manifests/{name}").content == store
        query = {"alg": ALG, "value": payload}
        assert resolver.get("/matches/byBinding", params=query).json() == {"matches": [{"manifestId": name}]}
        assert resolver.delete(f"/v1/manifests/{name}").status_code == 204
        assert resolver.get("/matches/byBinding", params=query).json() == {"matches": []}
        assert resolver.get(f"/manifests/{name}").status_code == 404
        assert resolver.delete(f"/v1/manifests/{name}").status_code == 404

    def test_the_bytes_under_a_name_do_not_change(
        self, resolver: TestClient, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        store, name, _, _ = theirs
        resolver.post("/v1/manifests", content=store, headers=C2PA)
        forged = store[:-1] + bytes([store[-1] ^ 1])
        answer = resolver.post("/v1/manifests", content=forged, headers=C2PA)
        assert answer.status_code == 400
        assert resolver.get(f"/manifests/{name}").content == store

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda store: b"",
            lambda store: b"not a store",
            lambda store: store[:-1],
            lambda store: store[: len(store) // 2],
            lambda store: b"\xff\xff\xff\xff" + store[4:],
            lambda store: b"\x00\x00\x00\x00" + store[4:],
            lambda store: store.replace(b"urn:c2pa:", b"\x00rn:c2pa:"),
            lambda store: store.replace(b"cbor", b"robc"),
        ],
    )
    def test_what_is_no_store(
        self,
        resolver: TestClient,
        theirs: tuple[bytes, str, str, bytes],
        spoil: Callable[[bytes], bytes],
    ) -> None:
        answer = resolver.post("/v1/manifests", content=spoil(theirs[0]), headers=C2PA)
        assert answer.status_code == 400
        assert isinstance(answer.json()["error"], str)

    def test_other_types_and_flags(self, resolver: TestClient, theirs: tuple[bytes, str, str, bytes]) -> None:
        assert resolver.post("/v1/manifests", content=theirs[0]).status_code == 400
        odd = resolver.post("/v1/manifests?returnReceipt=1", content=theirs[0], headers=C2PA)
        assert odd.status_code == 400

    def test_a_release_cannot_be_withdrawn(self, resolver: TestClient, entry: Entry) -> None:
        assert resolver.delete(f"/v1/manifests/{entry.manifest_label}").status_code == 403
        assert resolver.get(f"/manifests/{entry.manifest_label}").status_code == 200


class TestBindings:
    def test_a_binding_leads_to_several_until_it_is_replaced(
        self, resolver: TestClient, entry: Entry, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        store, name, _, _ = theirs
        resolver.post("/v1/manifests", content=store, headers=C2PA)
        value = base64.b64encode(b"elsewhere's fingerprint").decode()
        query = {"alg": "org.example.print.1", "value": value}

        def led() -> list[str]:
            return [
                m["manifestId"] for m in resolver.post("/matches/byBinding", json=query).json()["matches"]
            ]

        ours = {"bindingValue": value, "manifestId": entry.manifest_label, "alg": "org.example.print.1"}
        other = {"bindingValue": value, "manifestId": name}
        assert resolver.put("/v1/bindings", json=other).status_code == 404
        for body in (ours, other, other):
            assert resolver.post("/v1/bindings", json=body).status_code == 204
        assert led() == [name, entry.manifest_label]
        assert resolver.put("/v1/bindings", json=ours).status_code == 204
        assert resolver.get("/matches/byBinding", params=query | {"alg": "org.example.other"}).json()
        assert entry.manifest_label in led()

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_what_cannot_be_bound(self, resolver: TestClient, entry: Entry, method: str) -> None:
        nowhere = {"bindingValue": "AAAA", "manifestId": "urn:c2pa:none"}
        assert resolver.request(method, "/v1/bindings", json=nowhere).status_code == 404
        for body in ({}, {"bindingValue": "AAAA"}, {"bindingValue": 1, "manifestId": entry.manifest_label}):
            assert resolver.request(method, "/v1/bindings", json=body).status_code == 400


class TestReceipts:
    def test_the_log_vouches_for_releases_and_deposits(
        self, resolver: TestClient, entry: Entry, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        store, name, _, _ = theirs
        kept = resolver.post("/v1/manifests?returnReceipt=true", content=store, headers=C2PA).json()[
            "receipt"
        ]
        for label in (entry.manifest_label, name):
            receipt = resolver.get(f"/manifests/{label}/receipts").json()
            assert receipt["@type"] == "org.c2pa.manifest-receipt"
            assert receipt["repository"]["manifestId"] == label
            assert receipt["verified"] is True
            checked = resolver.post(f"/v1/manifests/{label}/receipts", json=receipt).json()
            assert checked == receipt
        assert resolver.post(f"/v1/manifests/{name}/receipts", json=kept).json()["verified"] is True

    def test_a_receipt_holds_for_its_own_manifest_alone(
        self, resolver: TestClient, entry: Entry, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        store, name, _, _ = theirs
        receipt = resolver.post("/v1/manifests?returnReceipt=true", content=store, headers=C2PA).json()[
            "receipt"
        ]
        checked = resolver.post(f"/v1/manifests/{entry.manifest_label}/receipts", json=receipt).json()
        assert checked["verified"] is False
        proof = json.loads(base64.b64decode(receipt["anchor"]["proof"]["value"]))
        proof["leaf"] = proof["leaf"].replace("deposit", "release")
        forged = {"alg": "rfc6962-sha256", "value": base64.b64encode(json.dumps(proof).encode()).decode()}
        for anchor in ({}, {"proof": 1}, {"proof": {"alg": "md5", "value": "AAAA"}}, {"proof": forged}):
            answer = resolver.post(f"/v1/manifests/{name}/receipts", json={"anchor": anchor})
            assert answer.status_code == 200
            assert answer.json()["verified"] is False
            assert answer.json()["error"]


class TestScopes:
    def test_each_of_reading_storing_and_binding_has_its_own(
        self, app: App, entry: Entry, theirs: tuple[bytes, str, str, bytes]
    ) -> None:
        keys = ApiKeys(app.ledger.engine)
        bearers = {s: {"authorization": f"Bearer {keys.create(s, frozenset({s}))[1]}"} for s in Scope}
        fetch = ("GET", f"/manifests/{entry.manifest_label}", {})
        store = ("POST", "/v1/manifests", {"content": theirs[0]})
        body = {"bindingValue": "AAAA", "manifestId": entry.manifest_label}
        asked = {
            Scope.VERIFY: [fetch, ("POST", "/matches/byBinding", {"json": {"alg": "a", "value": "b"}})],
            Scope.STORE_MANIFESTS: [store, ("DELETE", f"/v1/manifests/{theirs[1]}", {})],
            Scope.STORE_BINDINGS: [
                ("POST", "/v1/bindings", {"json": body}),
                ("PUT", "/v1/bindings", {"json": body}),
            ],
        }
        with serving(app, None, require_keys=True) as client:
            for scope, requests in asked.items():
                for method, path, sent in requests:
                    extra = C2PA if "content" in sent else {}
                    for other in Scope:
                        if other is not scope:
                            refused = client.request(method, path, headers=extra | bearers[other], **sent)
                            assert (refused.status_code, type(refused.json()["error"])) == (403, str)
                    assert client.request(method, path, headers=extra, **sent).status_code == 401
                    assert client.request(method, path, headers=extra | bearers[scope], **sent).is_success
            for path in ("/services/supportedAlgorithms", "/v1/services/status", "/v1/services/capabilities"):
                assert client.get(path).status_code == 200
