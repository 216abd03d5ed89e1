"""Recovery by content alone, through the whole verify path."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import select, update

from guard.app import App
from guard.ledger.tables import manifests
from guard.media import Artifact
from guard.media.stream import Samples
from guard.pipeline import Origin
from guard.provenance.trust import Trust
from guard.sketches import Seen
from guard.verdict import MatchKind, VerdictState
from guard.verify import Verifier
from policies.policy import loads
from tests.pictures import encoded, png, shared_again
from tests.unit.ledger.test_sound_sketch import spoken
from tests.unit.ledger.test_video_sketch import mp4

ORIGIN = Origin("painter", "2")
RATE = 16_000


@pytest.fixture
def verifier(app: App) -> Verifier:
    return app.verifier()


def sound(samples: NDArray[np.float32]) -> Artifact:
    return Artifact.from_samples(Samples(RATE, samples), "audio/wav")


def wav(seed: int) -> Artifact:
    return sound(3 * spoken(seed)[:, None])


def stripped(artifact: Artifact) -> Artifact:
    """The same pixels as PNG, without any metadata."""
    with Image.open(io.BytesIO(artifact.data)) as picture:
        return Artifact.from_bytes(encoded(np.asarray(picture)))


class TestByContentAlone:
    """No credential or mark is left: what is shown or heard leads back, and the kept manifest speaks."""

    COPIES: ClassVar[dict[str, Callable[[Artifact], Artifact]]] = {
        "picture": lambda released: shared_again(stripped(released), 0.6, 50),
        "cropped picture": lambda released: Artifact.from_bytes(
            encoded(released.picture.rgb()[20:-20, 30:-10])
        ),
        "sound": lambda released: Artifact.from_samples(released.samples, "audio/mpeg"),
        "video": lambda _: mp4(1),
    }

    def released(self, app: App, kind: str, seed: int) -> Artifact:
        made = {"sound": wav, "video": mp4}.get(kind, png)(seed)
        policy = loads("name: bare\nversion: 1\nrequire: {video: {mark: false}}\nrules: []\n")
        guard = dataclasses.replace(app.guard(), policy=policy)
        return guard.release([made], ORIGIN)[0].artifact

    @pytest.mark.parametrize("kind", COPIES)
    def test_a_copy_is_recovered_and_who_signed_it_is_told(
        self, app: App, verifier: Verifier, kind: str
    ) -> None:
        for seed in (2, 1):
            release = self.released(app, kind, seed)
        verdict = dataclasses.replace(verifier, watermarkers=()).verify(self.COPIES[kind](release))
        assert verdict.state is VerdictState.RECOVERED, verdict.conclusion
        assert verdict.match.kind is MatchKind.FINGERPRINT
        assert verdict.match.entry is not None
        assert verdict.match.entry.sha256 == release.sha256
        kept = verdict.as_json()["ledger"]["credential"]
        assert kept["state"] == "trusted"
        assert kept["issuer"] in verdict.conclusion.summary
        assert any(
            "manifest kept with that release is intact" in line for line in verdict.conclusion.explanation
        )
        assert verdict.as_json()["credential"]["state"] == "absent"

    @pytest.mark.parametrize("kind", ["picture", "sound", "video"])
    def test_a_stranger_is_not(self, app: App, verifier: Verifier, kind: str) -> None:
        self.released(app, kind, 2)
        other = {"sound": wav, "video": mp4}.get(kind, png)(1)
        assert verifier.verify(other).state is VerdictState.NO_EVIDENCE

    def test_to_someone_who_does_not_trust_the_signer_the_manifest_says_so(
        self, app: App, verifier: Verifier
    ) -> None:
        copy = shared_again(stripped(self.released(app, "picture", 1)))
        elsewhere = dataclasses.replace(verifier, watermarkers=(), trust=Trust())
        verdict = elsewhere.verify(copy)
        assert verdict.as_json()["ledger"]["credential"]["state"] == "valid"
        assert any("not on the trust list" in line for line in verdict.conclusion.explanation)

    def test_a_manifest_that_was_tampered_with_counts_for_nothing(self, app: App, verifier: Verifier) -> None:
        copy = shared_again(stripped(self.released(app, "picture", 1)))
        with app.ledger.engine.begin() as connection:
            manifest = bytearray(connection.execute(select(manifests.c.manifest)).scalar_one())
            manifest[len(manifest) // 2] ^= 1
            connection.execute(update(manifests).values(manifest=bytes(manifest)))
        verdict = dataclasses.replace(verifier, watermarkers=()).verify(copy)
        assert verdict.state is VerdictState.RECOVERED
        assert "signed by" not in verdict.conclusion.summary
        assert any("counts for nothing" in line for line in verdict.conclusion.explanation)

    def test_a_transplanted_manifest_inherits_nothing(self, app: App, verifier: Verifier) -> None:
        self.released(app, "picture", 1)
        entry = app.ledger.nearest(Seen(png(1)).questions())[0]
        for other in (png(2), shared_again(png(1))):
            verdict = verifier.verify(other, sidecar=entry.manifest)
            assert verdict.state is VerdictState.ALTERED

    @pytest.mark.parametrize("shade", [0, 128, 255])
    def test_blank_pictures_are_taken_for_nothing(self, app: App, verifier: Verifier, shade: int) -> None:
        blank = Artifact.from_bytes(encoded(np.full((300, 400, 3), shade, np.uint8)))
        unmarked = "name: bare\nversion: 1\nrequire: {image: {mark: false}}\nrules: []\n"
        guard = dataclasses.replace(app.guard(), policy=loads(unmarked))
        guard.release([blank], ORIGIN)
        other = Artifact.from_bytes(encoded(np.full((200, 200, 3), shade, np.uint8)))
        assert verifier.verify(other).state is VerdictState.NO_EVIDENCE
