"""The release path and its invariants, with real parts; only what must fail is replaced."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from detectors.base import Box, Context, DetectorCard, Finding, Span
from guard.app import App
from guard.errors import (
    BlockedError,
    ConfigurationError,
    CredentialError,
    DetectorError,
    GenerationError,
    LedgerError,
    MarkError,
)
from guard.ledger import Status
from guard.media import Artifact, Modality
from guard.pipeline import Guard, Origin
from guard.provenance.certificates import issue_development
from guard.provenance.read import read
from guard.provenance.signer import Signer
from guard.watermark import Payload, Reading, ReadingState, Strength
from models.base import GenerationRequest, ModelCard
from policies.policy import loads
from tests.pictures import png
from tests.unit.media.makers import sound

ORIGIN = Origin("painter", "2", "studio", prompt="a quiet harbour", caller="alice")
OPEN_POLICY = """
name: open
version: 1
require: {image: {mark: true, sign: true}, text: {mark: false, sign: true}, chat: {sign: false}}
rules: []
"""


def rules(text: str) -> str:
    return OPEN_POLICY.replace("rules: []", "rules:\n" + text)


@dataclasses.dataclass
class Scorer:
    """A detector that says what the test tells it to."""

    score: float | None = 0.0
    spans: tuple[Span, ...] = ()
    fails: bool = False
    signal: str = "tone"

    @property
    def card(self) -> DetectorCard:
        return DetectorCard("scorer", "1", self.signal, frozenset(Modality), "for tests", "Apache-2.0")

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        if self.fails:
            raise DetectorError("out of order")
        return [Finding("scorer", "1", self.signal, self.score, 0.5, spans=self.spans)]


class Painter:
    """A generator that counts how often it is asked."""

    card = ModelCard("painter", "2", Modality.IMAGE, "studio")

    def __init__(self, *artifacts: Artifact) -> None:
        self.artifacts = artifacts
        self.calls = 0

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        self.calls += 1
        return self.artifacts


@dataclasses.dataclass
class Ink:
    """A mark engine that fails as the test tells it to, and notes the strengths it was asked for."""

    readable_from: Strength | None = None
    refuses: bool = False
    name: str = "ink"
    alg: str = "test.ink"
    modality: Modality = Modality.IMAGE

    def __post_init__(self) -> None:
        self.asked: list[Strength] = []
        self._payload: Payload | None = None

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        self.asked.append(strength)
        self._payload = payload
        if self.refuses:
            raise MarkError("too flat")
        return artifact

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        if self.readable_from is self.asked[-1]:
            return Reading(ReadingState.FOUND, self.name, self._payload, p_value=1e-12)
        return Reading(ReadingState.ABSENT, self.name)


@pytest.fixture
def guard(app: App) -> Guard:
    return dataclasses.replace(app.guard(), policy=loads(OPEN_POLICY))


class TestRelease:
    def test_a_picture_leaves_marked_signed_and_recorded(self, app: App, guard: Guard) -> None:
        (release,) = guard.release([png()], ORIGIN)
        entry = app.ledger.by_id(release.id)
        reading = guard.watermarkers[Modality.IMAGE].read(release.artifact, keys=[guard.mark_key])
        assert reading.payload == Payload.from_hex(release.id)
        credential = read(release.artifact, trust=guard.trust)
        assert credential.state == "trusted"
        assert credential.release_id == release.id
        assert credential.soft_bindings == (("guard.tile.1", release.id),)
        assert entry is not None
        assert entry.sha256 == hashlib.sha256(release.artifact.data).hexdigest()
        assert (entry.model, entry.model_version, entry.caller) == ("painter", "2", "alice")
        assert entry.prompt_sha256 == hashlib.sha256(b"a quiet harbour").hexdigest()
        assert entry.marks[0].payload == release.id
        assert entry.manifest
        assert entry.sketch
        assert release.receipt == app.ledger.receipt(release.id)

    def test_a_text_leaves_signed_and_is_known_without_its_signature(self, app: App, guard: Guard) -> None:
        (release,) = guard.release([Artifact.from_text("A quiet harbour.\n")], ORIGIN)
        assert release.mark is None
        assert read(release.artifact, trust=guard.trust).state == "trusted"
        bare = hashlib.sha256(b"A quiet harbour.").hexdigest()
        assert app.ledger.by_sha256(bare) == app.ledger.by_id(release.id)

    def test_text_in_a_chat_answer_is_recorded_and_left_as_it_is(self, app: App, guard: Guard) -> None:
        chat = dataclasses.replace(ORIGIN, route="chat")
        (release,) = guard.release([Artifact.from_text("Hello.")], chat)
        assert release.artifact.text == "Hello."
        assert app.ledger.by_sha256(release.artifact.sha256) is not None

    def test_several_artifacts_get_ids_of_their_own(self, app: App, guard: Guard) -> None:
        releases = guard.release([png(1), png(2)], ORIGIN)
        assert len({release.id for release in releases}) == 2
        assert [app.ledger.by_id(r.id) is not None for r in releases] == [True, True]

    def test_nothing_to_release_is_nothing_recorded(self, guard: Guard) -> None:
        assert guard.release([], ORIGIN) == []

    def test_the_steps_come_in_order(self, app: App) -> None:
        seen: list[str] = []

        @contextmanager
        def trace(step: str) -> Iterator[None]:
            seen.append(step)
            yield

        guard = dataclasses.replace(app.guard(trace), policy=loads(OPEN_POLICY))
        guard.generate(Painter(png()), GenerationRequest("a harbour", Modality.IMAGE))
        assert seen == [
            *("screen", "decide"),
            "generate",
            *("decode", "screen", "decide", "oblige", "mark", "sign", "prove", "record"),
        ]


class TestBlocking:
    BLOCK = rules("  - {id: tone, when: 'scores[\"tone\"] > 0.5', action: block, reason: too loud}")
    REVIEW = BLOCK.replace("action: block", "action: review")

    def test_a_blocked_output_is_recorded_and_does_not_leave(self, app: App, guard: Guard) -> None:
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=loads(self.BLOCK))
        with pytest.raises(BlockedError) as caught:
            guard.release([png()], ORIGIN)
        assert caught.value.rule == "tone"
        entry = app.ledger.by_id(caught.value.release_id or "")
        assert entry is not None
        assert entry.status is Status.BLOCKED
        assert entry.manifest is None
        assert entry.marks == ()
        assert entry.findings[0]["score"] == 0.9

    def test_what_needs_review_is_held(self, app: App, guard: Guard) -> None:
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=loads(self.REVIEW))
        with pytest.raises(BlockedError) as caught:
            guard.release([png()], ORIGIN)
        entry = app.ledger.by_id(caught.value.release_id or "")
        assert entry is not None
        assert entry.status is Status.HELD

    def test_one_blocked_artifact_keeps_the_others_of_its_request_back(self, app: App, guard: Guard) -> None:
        policy = loads(
            rules("  - {id: words, when: 'modality == \"text\"', action: block, reason: no words}")
        )
        guard = dataclasses.replace(guard, policy=policy)
        with pytest.raises(BlockedError):
            guard.release([png(), Artifact.from_text("words")], ORIGIN)
        statuses = _statuses(app)
        assert statuses == ["blocked"]

    def test_a_blocked_prompt_never_reaches_the_model(self, app: App, guard: Guard) -> None:
        painter = Painter(png())
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=loads(self.BLOCK))
        with pytest.raises(BlockedError):
            guard.generate(painter, GenerationRequest("a loud harbour", Modality.IMAGE))
        assert painter.calls == 0
        assert _statuses(app) == ["blocked"]

    def test_a_blocked_output_costs_one_generation(self, guard: Guard) -> None:
        painter = Painter(png())
        policy = loads(self.BLOCK.replace("when: 'scores", "stages: [output], when: 'scores"))
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=policy)
        with pytest.raises(BlockedError):
            guard.generate(painter, GenerationRequest("a loud harbour", Modality.IMAGE))
        assert painter.calls == 1

    def test_a_rule_in_shadow_blocks_nothing_and_is_on_record(self, app: App, guard: Guard) -> None:
        policy = loads(self.BLOCK.replace("action: block", "action: block, mode: shadow"))
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=policy)
        (release,) = guard.release([png()], ORIGIN)
        entry = app.ledger.by_id(release.id)
        assert entry is not None
        assert entry.decision["fired"][0]["rule"] == "tone"
        assert entry.decision["action"] == "allow"


class TestFailingClosed:
    def test_a_detector_that_fails_blocks_by_default(self, app: App, guard: Guard) -> None:
        guard = dataclasses.replace(guard, detectors=[Scorer(fails=True)], policy=loads(TestBlocking.BLOCK))
        with pytest.raises(BlockedError):
            guard.release([png()], ORIGIN)
        assert _statuses(app) == ["blocked"]

    def test_unless_its_rule_says_otherwise(self, app: App, guard: Guard) -> None:
        policy = loads(TestBlocking.BLOCK.replace("action: block", "action: block, on_error: allow"))
        guard = dataclasses.replace(guard, detectors=[Scorer(fails=True)], policy=policy)
        (release,) = guard.release([png()], ORIGIN)
        assert release.findings[0].error == "out of order"

    def test_a_detector_that_is_missing_blocks_by_default(self, guard: Guard) -> None:
        guard = dataclasses.replace(guard, detectors=[], policy=loads(TestBlocking.BLOCK))
        with pytest.raises(BlockedError):
            guard.release([png()], ORIGIN)

    def test_a_mark_that_does_not_read_back_is_tried_stronger(self, guard: Guard) -> None:
        ink = Ink(readable_from=Strength.ROBUST)
        guard = dataclasses.replace(guard, watermarkers={Modality.IMAGE: ink})
        (release,) = guard.release([png()], ORIGIN)
        assert ink.asked == [Strength.DEFAULT, Strength.ROBUST]
        assert release.mark is not None

    @pytest.mark.parametrize("ink", [Ink(readable_from=None), Ink(refuses=True)])
    def test_and_then_nothing_leaves(self, app: App, guard: Guard, ink: Ink) -> None:
        guard = dataclasses.replace(guard, watermarkers={Modality.IMAGE: ink})
        with pytest.raises(MarkError):
            guard.release([png()], ORIGIN)
        assert _statuses(app) == []

    def test_a_modality_that_nothing_marks_does_not_leave_unmarked(self, app: App, guard: Guard) -> None:
        guard = dataclasses.replace(guard, watermarkers={})
        with pytest.raises(ConfigurationError, match="no engine marks image"):
            guard.release([png()], ORIGIN)
        assert _statuses(app) == []

    def test_a_signature_nobody_here_trusts_does_not_leave(self, app: App, guard: Guard) -> None:
        key, leaf, _ = issue_development()
        guard = dataclasses.replace(guard, signer=Signer.from_pem(leaf, key))
        with pytest.raises(CredentialError, match="reads back as valid"):
            guard.release([Artifact.from_text("words")], ORIGIN)
        assert _statuses(app) == []

    def test_a_ledger_that_cannot_write_lets_nothing_out(self, app: App, guard: Guard) -> None:
        with app.ledger.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON manifests BEGIN SELECT RAISE(FAIL, 'disk full'); END"
            )
        with pytest.raises(LedgerError, match="disk full"):
            guard.release([png()], ORIGIN)
        assert _statuses(app) == []

    def test_a_model_that_fails_leaves_no_trace(self, app: App, guard: Guard) -> None:
        class Broken(Painter):
            def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
                raise GenerationError("out of paint")

        with pytest.raises(GenerationError):
            guard.generate(Broken(), GenerationRequest("a harbour", Modality.IMAGE))
        assert _statuses(app) == []

    def test_a_redaction_that_cannot_be_made_blocks(self, app: App, guard: Guard) -> None:
        policy = loads(
            rules("  - {id: hide, when: 'scores[\"tone\"] > 0.5', action: redact, reason: private}")
        )
        guard = dataclasses.replace(guard, detectors=[Scorer(0.9)], policy=policy)
        with pytest.raises(BlockedError, match="nothing in this image") as caught:
            guard.release([png()], ORIGIN)
        entry = app.ledger.by_id(caught.value.release_id or "")
        assert entry is not None
        assert (entry.status, entry.rule, entry.action) == (Status.BLOCKED, "hide", "block")


class TestMarksThatHoldLess:
    """Short clips and small engines carry the upper bits of the release id alone."""

    @pytest.mark.parametrize(
        ("state", "bits", "right"),
        [
            (ReadingState.FOUND, 32, True),
            (ReadingState.FOUND, 16, True),
            (ReadingState.CANDIDATE, 32, True),
            (ReadingState.FOUND, 32, False),
            (ReadingState.ABSENT, 32, True),
            (ReadingState.UNSUPPORTED, 32, True),
        ],
    )
    def test_the_bits_must_be_those_of_the_release(
        self, guard: Guard, state: ReadingState, bits: int, right: bool
    ) -> None:
        class Short(Ink):
            def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
                assert self._payload is not None
                held = self._payload.prefix(bits) ^ (not right)
                return Reading(state, self.name, short_id=held, short_bits=bits)

        short = dataclasses.replace(guard, watermarkers={Modality.IMAGE: Short()})
        if right and state in (ReadingState.FOUND, ReadingState.CANDIDATE):
            assert short.release([png()], ORIGIN)[0].mark is not None
        else:
            with pytest.raises(MarkError):
                short.release([png()], ORIGIN)

    def test_a_mark_that_only_shows_its_presence_is_not_enough(self, guard: Guard) -> None:
        class Bare(Ink):
            def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
                return Reading(ReadingState.FOUND, self.name, p_value=1e-9)

        with pytest.raises(MarkError):
            dataclasses.replace(guard, watermarkers={Modality.IMAGE: Bare()}).release([png()], ORIGIN)


class TestSidecars:
    def test_a_format_without_room_gets_its_manifest_beside_it(self, app: App, guard: Guard) -> None:
        clip = Artifact.from_bytes(sound("ogg", "libopus"))
        unmarked = dataclasses.replace(
            guard, policy=loads(OPEN_POLICY.replace("image:", "audio:").replace("true, sign", "false, sign"))
        )
        (release,) = unmarked.release([clip], ORIGIN)
        entry = app.ledger.by_id(release.id)
        assert release.artifact == clip
        assert release.sidecar is not None
        assert entry is not None
        assert entry.manifest == release.sidecar
        assert read(release.artifact, trust=guard.trust, manifest=release.sidecar).state == "trusted"

    def test_where_there_is_room_there_is_none(self, guard: Guard) -> None:
        assert guard.release([png()], ORIGIN)[0].sidecar is None


class TestCredentialsThatCameAlong:
    def test_they_are_kept_as_an_ingredient(self, guard: Guard) -> None:
        (first,) = guard.release([png()], ORIGIN)
        (second,) = guard.release([first.artifact], dataclasses.replace(ORIGIN, model="editor"))
        credential = read(second.artifact, trust=guard.trust)
        assert credential.state == "trusted"
        assert [i["relationship"] for i in credential.ingredients] == ["parentOf"]
        assert credential.release_id == second.id

    def test_of_a_text_too(self, guard: Guard) -> None:
        (first,) = guard.release([Artifact.from_text("Signed once.")], ORIGIN)
        with pytest.raises(CredentialError):
            # A text manifest cannot hold an ingredient, and dropping the first signature in silence is worse.
            guard.release([first.artifact], ORIGIN)


class TestObligations:
    def test_redacted_text_leaves_without_what_was_redacted(self, app: App, guard: Guard) -> None:
        policy = loads(
            rules("  - {id: hide, when: 'scores[\"tone\"] > 0.5', action: redact, reason: private}")
        )
        scorer = Scorer(0.9, spans=(Span(9, 14, "name"),))
        guard = dataclasses.replace(guard, detectors=[scorer], policy=policy)
        (release,) = guard.release(
            [Artifact.from_text("I am Dr. Frank from here.")], dataclasses.replace(ORIGIN, route="chat")
        )
        assert release.artifact.text == "I am Dr. [name] from here."
        assert app.ledger.by_sha256(release.artifact.sha256) is not None

    def test_a_blurred_picture_says_that_it_was_edited(self, guard: Guard) -> None:
        class Boxer(Scorer):
            def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
                boxes = (Box(10, 20, 60, 50, "face"),)
                return [dataclasses.replace(each, boxes=boxes) for each in super().inspect(artifact, context)]

        rule = "  - {id: hide, when: 'scores[\"tone\"] > 0.5', action: blur, reason: private}"
        guard = dataclasses.replace(guard, detectors=[Boxer(0.9)], policy=loads(rules(rule)))
        before = png()
        (release,) = guard.release([before], ORIGIN)
        assert b"c2pa.edited" in release.artifact.data
        inside = (slice(20, 70), slice(10, 70))
        assert release.artifact.picture.rgb()[inside].std() < before.picture.rgb()[inside].std()

    def test_a_labelled_text_says_so(self, guard: Guard) -> None:
        policy = loads(rules("  - {id: label, when: 'true', action: label, reason: disclosure}"))
        guard = dataclasses.replace(guard, policy=policy)
        (release,) = guard.release([Artifact.from_text("Words.")], dataclasses.replace(ORIGIN, route="chat"))
        assert release.artifact.text == "[AI-generated]\nWords."


def _statuses(app: App) -> list[str]:
    with app.ledger.engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT status FROM releases").scalars())
