"""Sound that leaves while it is being made: marked, on record, and known to whoever holds it later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from detectors.base import Context, DetectorCard, Finding
from guard.app import App
from guard.errors import (
    BlockedError,
    CredentialError,
    LedgerError,
    LimitExceededError,
    MarkError,
    UnsupportedMediaError,
)
from guard.ledger import Ledger, Status
from guard.media import Artifact, Limits, Modality
from guard.media.stream import Samples
from guard.pipeline import Guard, Origin, Release
from guard.streaming.sound import SoundRelease
from guard.verdict import Source
from guard.watermark.sounds import SoundWatermarker
from policies.policy import loads
from tests.voices import RATE, artifact, babble, streamed

ORIGIN = Origin("voice", "2", "studio", prompt="Say something.", caller="alice", route="audio")
TYPES = ["audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "audio/aac", "audio/pcm"]
HEAD = "name: test\nversion: 1\n"


@pytest.fixture
def guard(app: App) -> Guard:
    return app.guard()


@pytest.fixture
def opened(guard: Guard) -> Iterator[Callable[..., SoundRelease]]:
    """Makes releases under a policy of its own or another, and closes them."""
    made: list[SoundRelease] = []

    def make(policy: str = "", limits: Limits | None = None, **changes: object) -> SoundRelease:
        claimed = changes.pop("claimed", None)
        under = replace(guard, **({"policy": loads(HEAD + policy)} if policy else {}), **changes)  # type: ignore[arg-type]
        made.append(SoundRelease(under, ORIGIN, limits or Limits(), claimed=claimed))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.cut("the test is over")


def fed(sound: SoundRelease, data: bytes, size: int = 10_000) -> list[bytes]:
    return [sound.feed(data[at : at + size]) for at in range(0, len(data), size)]


class Ear:
    """A detector that has to hear all of a sound."""

    card = DetectorCard("ear", "1", "noise", frozenset({Modality.AUDIO}), "Hears.", "Apache-2.0")

    def inspect(self, artifact: Artifact, context: Context) -> list[Finding]:
        return [Finding("ear", "1", "noise", 0.9, 0.5)]


class TestStreams:
    @pytest.mark.parametrize("mime", TYPES)
    def test_what_left_early_is_on_record_marked_and_known_later(
        self, app: App, opened: Callable[..., SoundRelease], mime: str
    ) -> None:
        sound = opened(claimed="audio/pcm" if mime == "audio/pcm" else None)
        pieces = fed(sound, streamed(mime, 7.0), 20_001)
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.status, entry.size) == (Status.STREAMING, 0)
        assert any(pieces)
        end, release = sound.finish()
        sound.cut("too late")
        whole = b"".join(pieces) + end
        assert release.artifact.data == whole
        assert (release.id, sound.mime, release.artifact.mime) == (sound.id, mime, mime)
        assert release.sidecar is not None
        left = Artifact.from_bytes(whole, claimed=mime)
        assert left.samples.duration == pytest.approx(7.0, abs=0.15)
        verdict = app.verifier().verify(left)
        assert (verdict.state, verdict.source, verdict.reading.state) == ("trusted", Source.LEDGER, "found")
        entry = verdict.match.entry
        assert entry is not None
        assert (entry.id, entry.status, entry.size) == (sound.id, Status.RELEASED, len(whole))
        assert verdict.reading.payload is not None
        assert verdict.reading.payload.hex == sound.id

    @pytest.mark.parametrize("mime", ["audio/mpeg", "audio/flac", "audio/ogg", "audio/aac"])
    def test_what_left_of_one_that_was_cut_is_known_too(
        self, app: App, opened: Callable[..., SoundRelease], mime: str
    ) -> None:
        sound = opened()
        left = b"".join(fed(sound, streamed(mime, 7.0)))
        sound.cut("the caller left")
        sound.cut("twice")
        assert sound.feed(b"more") == b""
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.status, entry.sha256) == (Status.CUT, hashlib.sha256(left).hexdigest())
        assert entry.decision["ended"] == "the caller left"
        again = artifact_of(left, mime)
        assert app.verifier().verify(again).state == "recovered"

    def test_a_copy_in_another_type_is_recovered_by_its_mark(
        self, app: App, opened: Callable[..., SoundRelease]
    ) -> None:
        sound = opened()
        data = b"".join(fed(sound, streamed("audio/wav", 7.0))) + sound.finish()[0]
        copy = Artifact.from_samples(artifact_of(data, "audio/wav").samples, "audio/mpeg")
        verdict = app.verifier().verify(copy)
        assert (verdict.state, verdict.match.kind) == ("recovered", "watermark")

    def test_credentials_that_it_came_with_are_kept(
        self, app: App, guard: Guard, opened: Callable[..., SoundRelease]
    ) -> None:
        (earlier,) = guard.release([artifact("audio/mpeg", 7.0)], ORIGIN)
        sound = opened()
        pieces = fed(sound, earlier.artifact.data)
        data = b"".join(pieces) + sound.finish()[0]
        assert any(pieces)
        verdict = app.verifier().verify(artifact_of(data, "audio/mpeg"))
        assert verdict.state == "trusted"
        assert len(verdict.credential.ingredients) == 1

    def test_without_a_mark_to_wait_for_it_leaves_at_once(
        self, app: App, opened: Callable[..., SoundRelease]
    ) -> None:
        sound = opened("require: {audio: {mark: false, sign: false}}\nrules: []\n")
        assert sound.feed(streamed("audio/wav", 7.0)[:100_000])
        assert not sound.signed
        sound.cut("enough")
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.status, entry.marks) == (Status.CUT, ())

    def test_in_shadow_it_leaves_and_the_record_says_what_would_have_fired(
        self, app: App, opened: Callable[..., SoundRelease]
    ) -> None:
        rule = (
            "rules: [{id: mute, stages: [output], when: 'modality == \"audio\"', action: block, reason: No.}]"
        )
        sound = opened(f"require: {{audio: {{mark: false, sign: true}}}}\nstream: {{mode: shadow}}\n{rule}\n")
        assert sound.feed(streamed("audio/wav", 7.0)[:100_000])
        sound.cut("enough")
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.action, [hit["rule"] for hit in entry.decision["fired"]]) == ("allow", ["mute"])


def artifact_of(data: bytes, mime: str) -> Artifact:
    return Artifact(Modality.AUDIO, mime, data)


class TestHeldBack:
    def whole(self, sound: SoundRelease, data: bytes) -> Release:
        """The release of what must not have left before its end."""
        assert b"".join(fed(sound, data)) == b""
        left, release = sound.finish()
        assert left == release.artifact.data
        assert release.id != sound.id
        return release

    def test_a_short_sound_leaves_whole_with_its_credential_inside(
        self, app: App, opened: Callable[..., SoundRelease]
    ) -> None:
        release = self.whole(opened(), artifact("audio/wav", 3.0).data)
        assert release.sidecar is None
        verdict = app.verifier().verify(release.artifact)
        assert (verdict.state, verdict.source) == ("trusted", Source.EMBEDDED)

    def test_one_shorter_than_its_first_bytes_does_too(self, opened: Callable[..., SoundRelease]) -> None:
        sound = opened("require: {audio: {mark: false, sign: true}}\nrules: []\n")
        data = artifact("audio/ogg", 0.3).data
        assert len(data) < 4096
        assert self.whole(sound, data).sidecar is not None

    def test_nothing_of_silence_leaves(self, app: App, opened: Callable[..., SoundRelease]) -> None:
        silence = Samples(RATE, babble(7.0).data * 0)
        sound = opened()
        assert b"".join(fed(sound, Artifact.from_samples(silence, "audio/flac").data, 500)) == b""
        with pytest.raises(MarkError):
            sound.finish()
        assert app.ledger.by_id(sound.id) is None

    @pytest.mark.parametrize(
        "policy",
        [
            "stream: {mode: buffered}\nrules: []\n",
            "require: {audio: {mark: false}}\n"
            "rules: [{id: r, when: 'scores[\"noise\"] > 0.95', action: block, reason: Noise.}]\n",
        ],
    )
    def test_where_the_whole_has_to_be_heard(self, policy: str, opened: Callable[..., SoundRelease]) -> None:
        changes = {} if "buffered" in policy else {"detectors": (Ear(),)}
        release = self.whole(opened(policy, **changes), streamed("audio/mpeg", 7.0))
        assert [finding.detector for finding in release.findings] == ["ear"] * len(changes)

    def test_a_rule_against_it_is_kept(self, app: App, opened: Callable[..., SoundRelease]) -> None:
        rule = "{id: mute, stages: [output], when: 'mime == \"audio/mpeg\"', action: block, reason: No.}"
        sound = opened(f"rules: [{rule}]\n")
        assert b"".join(fed(sound, streamed("audio/mpeg", 7.0))) == b""
        with pytest.raises(BlockedError) as caught:
            sound.finish()
        entry = app.ledger.by_id(caught.value.release_id or "")
        assert entry is not None
        assert entry.status is Status.BLOCKED

    def test_engines_that_mark_wholes_alone(self, guard: Guard, opened: Callable[..., SoundRelease]) -> None:
        engine = guard.watermarkers[Modality.AUDIO]
        assert isinstance(engine, SoundWatermarker)
        plain = replace(engine, stream=None)
        self.whole(opened(watermarkers={Modality.AUDIO: plain}), streamed("audio/mpeg", 7.0))

    def test_types_that_come_in_no_stream(self, opened: Callable[..., SoundRelease]) -> None:
        assert self.whole(opened(), artifact("audio/mp4", 5.0).data).artifact.mime == "audio/mp4"

    def test_rates_that_carry_no_mark(self, opened: Callable[..., SoundRelease]) -> None:
        slow = Artifact.from_samples(Samples(6000, babble(7.0).data[::4]), "audio/wav").data
        sound = opened()
        assert b"".join(fed(sound, slow)) == b""
        with pytest.raises(MarkError):
            sound.finish()

    @pytest.mark.parametrize("claimed", [None, "audio/pcm"])
    def test_what_is_no_sound_or_another_never_leaves(
        self, opened: Callable[..., SoundRelease], claimed: str | None
    ) -> None:
        sound = opened(claimed=claimed)
        data = b"<html>no speech today</html>" * 500 if claimed is None else artifact("audio/wav", 3.0).data
        assert b"".join(fed(sound, data)) == b""
        with pytest.raises(UnsupportedMediaError):
            sound.finish()


class TestFailures:
    def test_a_sound_that_grows_too_long_is_stopped(
        self, app: App, opened: Callable[..., SoundRelease]
    ) -> None:
        sound = opened(limits=Limits(max_duration=6.5))
        data, left = streamed("audio/wav", 7.0), b"".join(fed(sound, streamed("audio/wav", 7.0)[:300_000]))
        with pytest.raises(LimitExceededError):
            sound.feed(data[300_000:])
        sound.cut("LimitExceededError")
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.status, entry.size) == (Status.CUT, len(left))
        assert left

    def test_without_a_credential_at_the_end_it_counts_as_cut(
        self, app: App, opened: Callable[..., SoundRelease], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise CredentialError("The key has expired.")

        sound = opened()
        left = b"".join(fed(sound, streamed("audio/wav", 7.0)))
        monkeypatch.setattr(Guard, "sealed", fail)
        with pytest.raises(CredentialError):
            sound.finish()
        sound.cut("CredentialError")
        entry = app.ledger.by_id(sound.id)
        assert entry is not None
        assert (entry.status, entry.size) == (Status.CUT, len(left))

    def test_bytes_are_limited_also_where_nothing_leaves(self, opened: Callable[..., SoundRelease]) -> None:
        sound = opened("stream: {mode: buffered}\nrules: []\n", limits=Limits(max_bytes=5000))
        with pytest.raises(LimitExceededError):
            fed(sound, streamed("audio/wav", 7.0)[:6000], 1000)

    def test_without_a_record_nothing_leaves(
        self, opened: Callable[..., SoundRelease], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise LedgerError("The disk is full.")

        monkeypatch.setattr(Ledger, "record", full)
        sound = opened("require: {audio: {mark: false, sign: true}}\nrules: []\n")
        with pytest.raises(LedgerError):
            sound.feed(streamed("audio/wav", 7.0)[:100_000])
        sound.cut("LedgerError")
