"""When the signer or the time-stamping authorities are out of reach: nothing leaves, or it waits and leaves
later, as the policy says; whatever moment the process dies at."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guard.app import App, open_app
from guard.drafts import Origin
from guard.errors import (
    BlockedError,
    ConfigurationError,
    CredentialError,
    InputError,
    LedgerError,
    SigningOutageError,
    TimestampError,
)
from guard.ledger import Status
from guard.media import Artifact
from guard.outbox import Outbox
from guard.pipeline import Guard, Release
from guard.provenance.ingredients import Input
from guard.provenance.keys import KeyStore
from guard.provenance.read import read
from guard.provenance.signer import Signer
from guard.provenance.timestamp import TimestampAuthority
from guard.sending import send
from guard.settings import Settings
from guard.verdict import VerdictState
from policies.policy import loads
from tests.pictures import encoded, natural
from tests.unit.provenance.stamping import Responder, serving

ORIGIN = Origin("painter", "2", "Acme", prompt="a harbour", caller="shop")
PICTURE = Artifact.from_bytes(encoded(natural(0, 256, 256)))
TEXT = Artifact.from_text("Words at last.")
DOWN = TimestampAuthority("http://127.0.0.1:9/")
MARKED = "\nrequire: {text: {mark: false}, image: {mark: true}}"


class Switch:
    """A signer that may be switched off."""

    def __init__(self, signer: Signer, lasts: int = 0) -> None:
        self.key, self.lasts = signer.key, lasts
        self.signer = Signer.of(signer.certificates, self)

    def __call__(self, data: bytes) -> bytes:
        if self.lasts <= 0:
            raise SigningOutageError("The token is gone.", "Put it back.")
        self.lasts -= 1
        return self.key(data)


def guarded(app: App, switch: Switch, *lines: str) -> Guard:
    policy = loads("\n".join(["name: test", "version: 1", *lines, "rules: []"]) + MARKED)
    return dataclasses.replace(app.guard(), signer=switch.signer, policy=policy)


@pytest.fixture(scope="module")
def opened(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One for all tests: they look only at their own releases, and at the outbox."""
    home = shutil.copytree(furnished, tmp_path_factory.mktemp("outage") / "home")
    with open_app(Settings(home=home)) as made:
        yield made


@pytest.fixture
def app(opened: App) -> App:
    shutil.rmtree(opened.outbox.folder, ignore_errors=True)
    return opened


@pytest.fixture
def switch(app: App) -> Switch:
    return Switch(app.keys.signer())


@pytest.fixture
def queueing(app: App, switch: Switch) -> Guard:
    return guarded(app, switch, "on_signer_outage: queue")


def held(guard: Guard, artifact: Artifact = TEXT, origin: Origin = ORIGIN) -> str:
    """Release into an outage: the id under which it waits."""
    with pytest.raises(BlockedError) as caught:
        guard.release([artifact], origin)
    assert caught.value.rule == "on_signer_outage"
    assert caught.value.release_id
    return caught.value.release_id


class TestBlocking:
    """The default."""

    def test_nothing_leaves_and_nothing_is_kept(self, app: App, switch: Switch) -> None:
        with pytest.raises(SigningOutageError, match="token is gone"):
            guarded(app, switch).release([TEXT], ORIGIN)
        assert app.outbox.waiting() == []
        assert app.ledger.by_sha256(TEXT.sha256) is None

    def test_a_stream_is_never_kept(self, queueing: Guard) -> None:
        draft = queueing._prompt(ORIGIN)
        with pytest.raises(SigningOutageError):
            queueing.sealed(draft, draft.artifact, ORIGIN)


class TestQueueing:
    def test_the_caller_is_told_the_id_and_the_ledger_holds_it(self, app: App, queueing: Guard) -> None:
        release_id = held(queueing)
        entry = app.ledger.by_id(release_id)
        assert entry is not None
        assert entry.status is Status.HELD
        assert entry.manifest is None
        assert "signed and delivered later" in entry.decision["ended"]
        [waiting] = app.outbox.waiting()
        assert (waiting.release_id, waiting.mime, waiting.signed) == (release_id, "text/plain", False)

    def test_it_is_open_to_nobody_else(self, app: App, queueing: Guard) -> None:
        former = os.umask(0)
        try:
            held(queueing)
        finally:
            os.umask(former)
        [file] = app.outbox.folder.iterdir()
        assert stat.S_IMODE(app.outbox.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_later_it_is_released_as_it_would_have_been(
        self, app: App, queueing: Guard, switch: Switch
    ) -> None:
        release_id = held(queueing, PICTURE)
        switch.lasts = 1
        done = send(queueing, app.outbox, release_id)
        assert done.id == release_id
        verdict = app.verifier().verify(done.artifact)
        assert verdict.state is VerdictState.TRUSTED
        assert verdict.credential.release_id == release_id
        entry = app.ledger.by_id(release_id)
        assert entry is not None
        assert (entry.status, entry.sha256) == (Status.RELEASED, done.artifact.sha256)
        assert (entry.action, entry.caller, entry.model) == ("allow", "shop", "painter")
        assert entry.prompt_sha256
        assert entry.manifest
        assert [mark.payload for mark in entry.marks] == [release_id]

    def test_an_outage_that_lasts_leaves_it_waiting(self, app: App, queueing: Guard) -> None:
        release_id = held(queueing)
        with pytest.raises(SigningOutageError):
            send(queueing, app.outbox, release_id)
        assert [each.signed for each in app.outbox.waiting()] == [False]

    def test_texts_inputs_and_credentials_of_the_original_are_kept(
        self, app: App, queueing: Guard, switch: Switch
    ) -> None:
        credentialed = app.guard().release([PICTURE], ORIGIN)[0].artifact
        origin = dataclasses.replace(ORIGIN, inputs=(Input(credentialed, edited=True),))
        ids = [held(queueing, PICTURE, origin), held(queueing)]
        switch.lasts = 2
        picture, text = (send(queueing, app.outbox, each) for each in ids)
        seen = read(picture.artifact, trust=queueing.trust)
        assert [part["relationship"] for part in seen.ingredients] == ["parentOf"]
        assert read(text.artifact, trust=queueing.trust).state == "trusted"

    def test_all_of_a_request_wait_where_one_does(self, app: App, queueing: Guard, switch: Switch) -> None:
        switch.lasts = 1
        with pytest.raises(BlockedError):
            queueing.release([TEXT, TEXT], ORIGIN)
        waiting = app.outbox.waiting()
        assert sorted(each.signed for each in waiting) == [False, True]
        switch.lasts = 1
        for each in waiting:
            assert read(send(queueing, app.outbox, each.release_id).artifact, trust=queueing.trust)
        assert switch.lasts == 0

    def test_sound_keeps_its_sidecar(self, app: App, queueing: Guard, switch: Switch, tmp_path: Path) -> None:
        sound = Artifact.from_bytes(b"\0\0" * 24000, claimed="audio/pcm")
        guard = guarded(app, switch, "on_signer_outage: queue")
        policy = loads(
            "name: t\nversion: 1\non_signer_outage: queue\nrequire: {audio: {mark: false}}\nrules: []"
        )
        guard = dataclasses.replace(guard, policy=policy)
        release_id = held(guard, sound)
        switch.lasts = 1
        first = send(guard, app.outbox, release_id)
        assert first.sidecar
        assert send(guard, app.outbox, release_id).sidecar == first.sidecar

    def test_a_full_disk_is_told_and_nothing_is_on_record(
        self, app: App, queueing: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("guard.outbox.os.fsync", full)
        with pytest.raises(LedgerError, match="No space left"):
            queueing.release([TEXT], ORIGIN)
        assert app.outbox.waiting() == []
        assert not list(app.outbox.folder.glob(".*"))

    def test_a_refusal_by_a_rule_goes_before(self, app: App, switch: Switch) -> None:
        guard = guarded(app, switch, "on_signer_outage: queue")
        refusing = loads(
            "name: t\nversion: 1\non_signer_outage: queue\n"
            "rules: [{id: refuse, when: 'mime == \"text/plain\"', action: block, reason: refused}]\n"
            "require: {text: {mark: false}, image: {mark: true}}"
        )
        guard = dataclasses.replace(guard, policy=refusing)
        with pytest.raises(BlockedError) as caught:
            guard.release([PICTURE, Artifact.from_text("words")], ORIGIN)
        assert caught.value.rule == "refuse"
        assert app.outbox.waiting() == []

    def test_without_an_outbox_it_blocks(self, queueing: Guard) -> None:
        with pytest.raises(SigningOutageError):
            dataclasses.replace(queueing, outbox=None).release([TEXT], ORIGIN)

    def test_a_signer_that_is_wrong_and_not_away_blocks(self, app: App, queueing: Guard) -> None:
        stranger = KeyStore(app.settings.home / "other")
        stranger.init_development()
        with pytest.raises(CredentialError, match="reads back as valid"):
            dataclasses.replace(queueing, signer=stranger.signer()).release([TEXT], ORIGIN)
        assert app.outbox.waiting() == []


class TestOutbox:
    def test_what_is_not_there_is_told(self, app: App) -> None:
        with pytest.raises(InputError, match="Nothing is kept"):
            app.outbox.load("0" * 16)
        with pytest.raises(InputError, match="no release id"):
            app.outbox.load("../keys/signer")
        app.outbox.remove("0" * 16)

    def test_a_damaged_file_is_told(self, app: App, queueing: Guard) -> None:
        release_id = held(queueing)
        (app.outbox.folder / f"{release_id}.zip").write_bytes(b"PK")
        with pytest.raises(InputError, match="cannot be read"):
            app.outbox.waiting()

    def test_the_oldest_comes_first(self, app: App, queueing: Guard) -> None:
        ids = [held(queueing) for _ in range(3)]
        assert [each.release_id for each in app.outbox.waiting()] == ids


class TestTimestamps:
    @pytest.fixture
    def tsa(self) -> Iterator[Responder]:
        with serving() as responder:
            yield responder

    def stamped(self, app: App, policy: str, *authorities: TimestampAuthority) -> Guard:
        guard = guarded(app, Switch(app.keys.signer()), policy)
        signer = dataclasses.replace(app.keys.signer(), timestamps=authorities)
        return dataclasses.replace(guard, signer=signer)

    def codes(self, guard: Guard, release: Release) -> tuple[str, ...]:
        return read(release.artifact, trust=guard.trust).codes

    @pytest.mark.parametrize("wanted", ["required", "preferred"])
    def test_a_stamp_is_put_in_where_it_is_wanted(self, wanted: str, app: App, tsa: Responder) -> None:
        guard = self.stamped(app, f"timestamps: {wanted}", DOWN, TimestampAuthority(tsa.url))
        [release] = guard.release([PICTURE], ORIGIN)
        assert "timeStamp.untrusted" in self.codes(guard, release)  # nobody here trusts that authority
        assert tsa.asked == 1

    def test_and_not_where_it_is_not(self, app: App, tsa: Responder) -> None:
        guard = self.stamped(app, "timestamps: none", TimestampAuthority(tsa.url))
        guard.release([PICTURE], ORIGIN)
        assert tsa.asked == 0

    def test_preferred_does_without_in_an_outage_and_says_so(
        self, app: App, caplog: pytest.LogCaptureFixture
    ) -> None:
        guard = self.stamped(app, "timestamps: preferred", DOWN)
        [release] = guard.release([PICTURE], ORIGIN)
        assert app.verifier().verify(release.artifact).state is VerdictState.TRUSTED
        assert f"Release {release.id} gets no time stamp" in caplog.text

    def test_required_blocks_or_queues(self, app: App, tsa: Responder) -> None:
        with pytest.raises(TimestampError):
            self.stamped(app, "timestamps: required", DOWN).release([PICTURE], ORIGIN)
        lines = "timestamps: required\non_signer_outage: queue"
        release_id = held(self.stamped(app, lines, DOWN))
        done = send(self.stamped(app, lines, TimestampAuthority(tsa.url)), app.outbox, release_id)
        assert done.id == release_id
        assert tsa.asked

    def test_required_without_an_authority_is_a_mistake_of_the_settings(self, app: App) -> None:
        with pytest.raises(ConfigurationError, match="no authority") as caught:
            self.stamped(app, "timestamps: required").release([PICTURE], ORIGIN)
        assert "GUARD_TIMESTAMPS" in caught.value.remedy


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(action: Callable[[], object]) -> bool:
    """Whether `action`, run in a process of its own, was killed."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.heavy
@pytest.mark.parametrize(("when", "moment"), [("before", "keep"), ("after", "keep"), ("after", "record")])
def test_killed_while_it_is_put_by(app: App, queueing: Guard, switch: Switch, moment: str, when: str) -> None:
    home = app.settings.home
    app.ledger.close()

    def child() -> None:
        with open_app(Settings(home=home)) as mine:
            guard = guarded(mine, Switch(mine.keys.signer()), "on_signer_outage: queue")
            victim = Outbox if moment == "keep" else type(mine.ledger)
            done = getattr(victim, moment)
            setattr(victim, moment, lambda *args: (when == "after" and done(*args), die()))
            guard.release([TEXT], ORIGIN)

    assert killed(child)
    waiting = app.outbox.waiting()
    assert len(waiting) == (0 if (moment, when) == ("keep", "before") else 1)
    for each in waiting:
        switch.lasts = 1
        done = send(queueing, app.outbox, each.release_id)
        assert app.verifier().verify(done.artifact).state is VerdictState.TRUSTED


@pytest.mark.heavy
@pytest.mark.parametrize(("when", "moment"), [("after", "sign"), ("after", "update"), ("after", "record")])
def test_killed_while_it_is_sent(app: App, queueing: Guard, moment: str, when: str) -> None:
    release_id, home = held(queueing), app.settings.home
    app.ledger.close()

    def child() -> None:
        with open_app(Settings(home=home)) as mine:
            guard = guarded(mine, Switch(mine.keys.signer(), lasts=9), "on_signer_outage: queue")
            victims = {"sign": Signer, "update": Outbox, "record": type(mine.ledger)}
            done = getattr(victims[moment], moment)
            setattr(victims[moment], moment, lambda *args: (when == "after" and done(*args), die()))
            send(guard, mine.outbox, release_id)

    assert killed(child)
    entry = app.ledger.by_id(release_id)
    assert entry is not None
    recorded = (moment, when) == ("record", "after")
    assert entry.status is (Status.RELEASED if recorded else Status.HELD)
    done = send(guarded(app, Switch(app.keys.signer(), lasts=1)), app.outbox, release_id)
    assert not recorded or entry.sha256 == done.artifact.sha256
    assert app.verifier().verify(done.artifact).state is VerdictState.TRUSTED
