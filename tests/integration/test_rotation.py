"""The signer is replaced while a server releases: nobody waits, nothing fails, all of it verifies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from starlette.testclient import TestClient

from guard.api.app import create_app
from guard.api.door import Door
from guard.app import App
from guard.media import Artifact
from guard.pipeline import Origin, Release
from guard.provenance.certificates import to_pem
from guard.provenance.signer import Signer
from guard.provenance.trial import try_out
from guard.verdict import VerdictState
from tests.unit.provenance.certifying import Authority, key_of, key_pem

ROUNDS = 6


@pytest.fixture
def door(app: App) -> Door:
    return create_app(app, require_keys=False).state.door


def test_releases_go_on_while_signers_change(app: App, door: Door) -> None:
    over = Event()

    def releasing(number: int) -> list[Release]:
        done: list[Release] = []
        while not over.is_set():
            text = Artifact.from_text(f"Words {number}, {len(done)}.")
            done += door.release([text], Origin("writer"), signing=[0])
        return done

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(releasing, number) for number in range(3)]
        leaves = [app.keys.signer().chain[0]]
        for _ in range(ROUNDS):
            authority, key = Authority(), key_of("p256")
            leaf = authority.issue(key)
            app.keys.import_signer(key_pem(key), to_pem(leaf), authority.pem)
            leaves.append(leaf)
            door.release([Artifact.from_text("Round and round.")], Origin("writer"), signing=[0])
        over.set()
        released = [release for each in running for release in each.result()]

    assert released
    verifier = app.verifier()
    states = {verifier.verify(release.artifact).state for release in released}
    assert states == {VerdictState.TRUSTED}
    assert door.guard.signer.chain[0] == leaves[-1]
    assert list(app.keys.former()) == leaves[-2::-1]


def test_a_server_keeps_its_parts_until_the_keys_change(door: Door, app: App) -> None:
    first = door.guard
    assert door.guard is first
    app.keys.add_mark_key()
    assert door.guard is not first
    assert door.guard.mark_key != first.mark_key


def test_a_server_that_had_no_keys_signs_once_it_has(app: App, door: Door) -> None:
    (app.keys.folder / "signer.pem").unlink()
    with TestClient(create_app(app, require_keys=False)) as client:
        assert client.get("/readyz").status_code == 503
        app.keys.init_development()
        assert client.get("/readyz").status_code == 200


def test_a_signer_is_tried_out_before_it_signs(app: App) -> None:
    signer = app.keys.signer()
    try_out(signer, app.trust())
    key = key_of("p256")
    stranger = Signer.from_pem(to_pem(Authority().issue(key)), key_pem(key))
    with pytest.raises(Exception, match="reads back as valid"):
        try_out(stranger, app.trust())
