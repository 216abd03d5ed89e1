"""Signing: every type, earlier credentials kept, refusals explained, workers of all kinds."""

from __future__ import annotations

import io
import multiprocessing
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from PIL import Image

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.apart import binding_in
from guard.provenance.certificates import issue_development
from guard.provenance.manifest import IPTC, Claim
from guard.provenance.read import read
from guard.provenance.sign import Signed, sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, Trust
from tests.unit.media.sounds import TAGS, chords, cover_of, encoded, tags_of
from tests.unit.provenance.media import SIGNABLE, TEXTS, image, make, text

Maker = Callable[..., Claim]
BINDING = ("org.guard.tile", "AP8A/wD/AP8=")


@pytest.mark.parametrize("mime", SIGNABLE)
def test_every_type_comes_back_trusted_with_all_that_was_claimed(
    mime: str, claim: Maker, signer: Signer, trust: Trust
) -> None:
    original = make(mime)
    stated = claim(soft_binding=BINDING, title="A hill")
    signed = sign(original, stated, signer)
    found = read(signed.artifact, trust=trust)
    assert found.state == "trusted"
    assert found.issuer == "Guard development (not for production)"
    assert found.generator is not None
    assert found.generator.startswith("Guard ")
    assert found.created == stated.when
    assert found.release_id == "00ff00ff00ff00ff"
    assert found.soft_bindings == (BINDING,)
    assert found.digital_source_types == (IPTC + "trainedAlgorithmicMedia",)
    assert found.ingredients == ()
    assert found.manifest_label is not None
    assert found.manifest_label.startswith("urn:c2pa:")
    assert found.manifest_label == signed.label
    assert (signed.artifact.mime, signed.artifact.modality) == (original.mime, original.modality)


@pytest.mark.parametrize("mime", SIGNABLE)
def test_what_was_signed_still_counts_as_clean_media(mime: str, claim: Maker, signer: Signer) -> None:
    """The media room refuses files that hold a second format; a manifest must not look like one."""
    data = sign(make(mime), claim(soft_binding=BINDING), signer).artifact.data
    assert Artifact.from_bytes(data).mime == mime


@pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/webp"])
def test_pixels_are_left_alone(mime: str, claim: Maker, signer: Signer) -> None:
    original = make(mime)
    signed = sign(original, claim(), signer).artifact
    before, after = (np.asarray(Image.open(io.BytesIO(item.data))) for item in (original, signed))
    assert np.array_equal(before, after)


def test_the_manifest_handed_back_is_the_one_in_the_file(claim: Maker, signer: Signer, trust: Trust) -> None:
    original = image("image/png")
    signed = sign(original, claim(), signer)
    assert signed.manifest in signed.artifact.data
    assert read(signed.artifact, trust=trust, manifest=signed.manifest).state == "trusted"
    assert signed.notes == ()


def test_it_costs_a_few_kilobytes_and_no_thumbnail(claim: Maker, signer: Signer) -> None:
    original = image(side=512)
    signed = sign(original, claim(soft_binding=BINDING), signer)
    assert len(signed.artifact.data) - len(original.data) < 8_000
    assert b"thumbnail" not in signed.manifest


@pytest.mark.parametrize(
    ("key", "alg"), [("EC", "es256"), ("EC-384", "es384"), ("EC-521", "es512"), ("RSA", "ps256")]
)
def test_other_algorithms_sign_too(
    key: str, alg: str, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
) -> None:
    signer, anchors = make_signer(key)
    assert signer.alg == alg
    signed = sign(image(), claim(), signer)
    assert read(signed.artifact, trust=Trust.of(anchors)).state == "trusted"


class TestIngredients:
    def test_earlier_credentials_become_the_parent(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        first = sign(image(), claim(release_id="1111", title="first"), signer)
        second = sign(first.artifact, claim(release_id="2222", soft_binding=BINDING), signer)
        found = read(second.artifact, trust=trust)
        assert found.state == "trusted"
        assert found.release_id == "2222"
        (parent,) = found.ingredients
        assert (parent["title"], parent["relationship"]) == ("input", "parentOf")
        assert (parent["state"], parent["codes"]) == ("trusted", [])
        assert _first_action(second)["action"] == "c2pa.opened"

    def test_a_copy_without_metadata_still_opens_the_bytes_that_came_in(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        incoming = sign(image("image/png"), claim(release_id="1111"), signer).artifact
        marked = image("image/png", seed=1)
        found = read(sign(marked, claim(), signer, ingredient=incoming).artifact, trust=trust)
        assert found.state == "trusted"
        assert [item["state"] for item in found.ingredients] == ["trusted"]
        assert found.digital_source_types == (IPTC + "trainedAlgorithmicMedia",)

    def test_the_parent_may_be_of_another_type(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        incoming = sign(image("image/png"), claim(), signer).artifact
        found = read(sign(image(), claim(), signer, ingredient=incoming).artifact, trust=trust)
        assert [item["state"] for item in found.ingredients] == ["trusted"]

    @pytest.mark.parametrize("other", ["image/png", "audio/ogg"])
    def test_an_input_without_credentials_is_no_parent(
        self, other: str, claim: Maker, signer: Signer
    ) -> None:
        signed = sign(image(), claim(), signer, ingredient=make(other))
        assert _first_action(signed)["action"] == "c2pa.created"

    def test_credentials_in_the_artifact_survive_an_ingredient_that_has_none(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        first = sign(image(), claim(), signer).artifact
        found = read(sign(first, claim(), signer, ingredient=image(seed=1)).artifact, trust=trust)
        assert [item["state"] for item in found.ingredients] == ["trusted"]

    def test_a_parent_that_was_tampered_with_says_so(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        first = sign(image(), claim(), signer).artifact
        bent = Artifact(first.modality, first.mime, first.data + b"x")
        found = read(sign(image(), claim(), signer, ingredient=bent).artifact, trust=trust)
        assert found.state == "trusted"
        (parent,) = found.ingredients
        assert parent["state"] == "invalid"
        assert parent["codes"] == ["assertion.dataHash.mismatch"]
        assert any("“input”" in sentence for sentence in found.explanation)

    def test_credentials_kept_elsewhere_are_an_ingredient_too(
        self, shared_data: Path, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        cloud = _jpeg(shared_data / "c2pa/rs__cloud.jpg")
        found = read(sign(image(), claim(), signer, ingredient=cloud).artifact, trust=trust)
        assert [item["state"] for item in found.ingredients] == ["unreadable"]
        assert found.ingredients[0]["codes"] == ["manifest.inaccessible"]

    @pytest.mark.parametrize("name", ["enc__truncated_jumbf", "rs__prerelease", "rs__no_alg"])
    def test_credentials_that_cannot_be_kept_stop_the_signing(
        self, shared_data: Path, name: str, claim: Maker, signer: Signer
    ) -> None:
        broken = _jpeg(shared_data / f"c2pa/{name}.jpg")
        for artifact, ingredient in ((broken, None), (image(), broken)):
            with pytest.raises(CredentialError, match="cannot be kept") as caught:
                sign(artifact, claim(), signer, ingredient=ingredient)
            assert "remove its metadata" in caught.value.remedy


class TestSidecars:
    SOUNDS = ("audio/ogg", "audio/aac", "audio/pcm", "audio/webm")

    @pytest.mark.parametrize("mime", SOUNDS)
    def test_sound_without_a_place_for_a_manifest_gets_one_beside_it(
        self, mime: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        original = Artifact(Modality.AUDIO, mime, make("audio/ogg").data)
        signed = sign(original, claim(soft_binding=BINDING), signer)
        assert (signed.embedded, signed.artifact) == (False, original)
        assert mime in signed.notes[0]
        assert read(signed.artifact, trust=trust).state == "absent"
        found = read(signed.artifact, trust=trust, manifest=signed.manifest)
        assert (found.state, found.release_id) == ("trusted", "00ff00ff00ff00ff")
        assert found.soft_bindings == (BINDING,)
        assert read(signed.artifact, trust=NOBODY, manifest=signed.manifest).state == "valid"

    def test_a_sidecar_binds_every_byte(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        original = make("audio/ogg")
        manifest = sign(original, claim(), signer).manifest
        for place in range(0, len(original.data), max(1, len(original.data) // 40)):
            data = bytearray(original.data)
            data[place] ^= 1
            found = read(Artifact(Modality.AUDIO, "audio/ogg", bytes(data)), trust=trust, manifest=manifest)
            assert found.state == "invalid"
            assert "assertion.dataHash.mismatch" in found.codes
        longer = Artifact(Modality.AUDIO, "audio/ogg", original.data + b"\0")
        assert read(longer, trust=trust, manifest=manifest).state == "invalid"

    @pytest.mark.parametrize("manifest", [b"", b"nonsense", bytes(5_000)])
    def test_a_damaged_sidecar_gives_a_state(self, manifest: bytes, trust: Trust) -> None:
        assert read(make("audio/ogg"), trust=trust, manifest=manifest).state in ("unreadable", "invalid")

    @pytest.mark.parametrize(
        ("modality", "mime", "data"),
        [
            (Modality.VIDEO, "video/webm", b"\x1aE\xdf\xa3webm"),
            (Modality.VIDEO, "video/x-matroska", b"\x1aE\xdf\xa3matroska"),
            (Modality.TEXT, "application/json", b'{"hill": "green"}'),
        ],
    )
    def test_so_does_everything_else_without_a_place(
        self, modality: Modality, mime: str, data: bytes, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        original = Artifact(modality, mime, data)
        signed = sign(original, claim(), signer)
        assert (signed.embedded, signed.artifact) == (False, original)
        assert read(original, trust=trust, manifest=signed.manifest).state == "trusted"
        other = Artifact(modality, mime, data.replace(b"e", b"a") + b" ")
        assert read(other, trust=trust, manifest=signed.manifest).state == "invalid"

    def test_a_type_that_has_a_place_is_not_given_a_sidecar(self, claim: Maker, signer: Signer) -> None:
        signed = sign(make("audio/wav"), claim(), signer)
        assert signed.embedded
        assert signed.notes == ()

    @pytest.mark.parametrize("mime", ["audio/mpeg", "audio/wav", "audio/flac"])
    def test_unless_its_bytes_have_to_stay_as_they_are(
        self, mime: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        original = make(mime)
        signed = sign(original, claim(), signer, embed=False)
        assert (signed.embedded, signed.artifact) == (False, original)
        assert read(original, trust=trust, manifest=signed.manifest).state == "trusted"
        longer = Artifact(Modality.AUDIO, mime, original.data + b"\0")
        assert read(longer, trust=trust, manifest=signed.manifest).state == "invalid"

    def test_earlier_credentials_become_the_sidecars_parent(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        before = sign(make("audio/wav"), claim(title="before"), signer).artifact
        signed = sign(make("audio/ogg"), claim(), signer, ingredient=before)
        found = read(signed.artifact, trust=trust, manifest=signed.manifest)
        assert found.state == "trusted"
        assert [(one["relationship"], one["state"]) for one in found.ingredients] == [("parentOf", "trusted")]


SOUND_FILES = [
    ("audio/mpeg", "mp3", "libmp3lame", "mp3", "fltp"),
    ("audio/mp4", "mp4", "aac", "mov", "fltp"),
    ("audio/flac", "flac", "flac", "flac", "s16"),
    ("audio/wav", "wav", "pcm_s16le", "wav", "s16"),
]


@pytest.mark.parametrize(("mime", "muxer", "codec", "demuxer", "sample_format"), SOUND_FILES)
def test_sound_keeps_tags_cover_art_and_samples(
    mime: str, muxer: str, codec: str, demuxer: str, sample_format: str,
    claim: Maker, signer: Signer, trust: Trust,
) -> None:  # fmt: skip
    data = encoded(chords(), muxer, codec, cover=muxer != "wav", tags=TAGS, sample_format=sample_format)
    original = Artifact.from_bytes(data)
    assert original.mime == mime
    signed = Artifact.from_bytes(sign(original, claim(), signer).artifact.data)
    assert read(signed, trust=trust).state == "trusted"
    assert tags_of(signed.data, demuxer) == TAGS
    assert cover_of(signed.data, demuxer) == cover_of(data, demuxer)
    assert np.array_equal(signed.samples.data, original.samples.data)


@pytest.mark.parametrize(("mime", "muxer", "codec", "demuxer", "sample_format"), SOUND_FILES)
def test_sound_that_is_written_anew_leaves_its_credential_but_not_its_tags(
    mime: str, muxer: str, codec: str, demuxer: str, sample_format: str,
    claim: Maker, signer: Signer, trust: Trust,
) -> None:  # fmt: skip
    data = encoded(chords(), muxer, codec, cover=muxer != "wav", tags=TAGS, sample_format=sample_format)
    before = sign(Artifact.from_bytes(data), claim(), signer).artifact
    anew = Artifact.from_samples(before.samples, mime, like=before)
    assert read(anew, trust=trust).state == "absent"
    assert b"c2pa" not in anew.data
    assert tags_of(anew.data, demuxer) == TAGS
    signed = sign(anew, claim(), signer, ingredient=before)
    found = read(signed.artifact, trust=trust)
    assert (found.state, [one["state"] for one in found.ingredients]) == ("trusted", ["trusted"])


class TestRefusals:
    def test_an_expired_certificate(self, claim: Maker) -> None:
        key, leaf, _ = issue_development(now=datetime(2024, 1, 1, tzinfo=UTC))
        for artifact in (image(), text("hello")):
            with pytest.raises(CredentialError, match="expired on"):
                sign(artifact, claim(), Signer.from_pem(leaf, key))

    @pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"not a picture", image("image/png").data])
    def test_bytes_that_are_not_of_their_type(self, data: bytes, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match=r"cannot be kept|could not be signed"):
            sign(Artifact(Modality.IMAGE, "image/jpeg", data), claim(), signer)

    def test_text_that_is_no_unicode(self, claim: Maker, signer: Signer) -> None:
        with pytest.raises(CredentialError, match="could not be signed"):
            sign(image(), claim(title="half \ud800 a pair"), signer)

    def test_a_certificate_that_may_not_sign_claims(
        self, claim: Maker, make_signer: Callable[[str], tuple[Signer, str]]
    ) -> None:
        signer, _ = make_signer("self-signed")
        with pytest.raises(CredentialError, match="could not be signed") as caught:
            sign(image(), claim(), signer)
        assert "guard keys show" in caught.value.remedy


@pytest.mark.parametrize("mime", [*SIGNABLE, *TEXTS])
def test_random_changes_show(mime: str, claim: Maker, signer: Signer, trust: Trust) -> None:
    """A sample of what `python -m bench.provenance --flips` does at length."""
    signed = sign(make(mime), claim(), signer)
    binding = binding_in(signed.manifest)
    holes = [range(hole.start, hole.start + hole.length) for hole in binding.holes] if binding else []
    draw, data = random.Random(mime), signed.artifact.data
    for _ in range(25):
        place = draw.randrange(len(data))
        bent = data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
        state = read(replace(signed.artifact, data=bent), trust=trust).state
        inside = any(place in hole for hole in holes) or (not binding and _unhashed(data, place))
        assert state != "trusted" or inside, place


def _unhashed(data: bytes, place: int) -> bool:
    """Whether a box of an MP4 that the standard leaves out of the hash is there (C2PA 2.4 A.5)."""
    at = 0
    while place >= at + int.from_bytes(data[at : at + 4], "big"):
        at += int.from_bytes(data[at : at + 4], "big")
    return data[at + 4 : at + 8] in (b"ftyp", b"uuid", b"free", b"skip", b"mfra")


class TestWorkers:
    def test_threads(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        def work(number: int) -> tuple[str, str | None]:
            signed = sign(image(seed=number % 4), claim(release_id=f"{number:04}"), signer)
            found = read(signed.artifact, trust=trust)
            return found.state, found.release_id

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(work, range(48)))
        assert results == [("trusted", f"{number:04}") for number in range(48)]

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_forked_processes(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        sign(image(), claim(), signer)  # the library is in use before the fork
        with multiprocessing.get_context("fork").Pool(2) as pool:
            states = pool.starmap(_sign_and_read, [(claim(), signer, trust)] * 4)
        assert states == ["trusted"] * 4


def _sign_and_read(claim: Claim, signer: Signer, trust: Trust) -> str:
    return str(read(sign(image(), claim, signer).artifact, trust=trust).state)


def _jpeg(path: Path) -> Artifact:
    return Artifact(Modality.IMAGE, "image/jpeg", path.read_bytes())


def _first_action(signed: Signed) -> dict[str, Any]:
    with c2pa.Reader(signed.artifact.mime, io.BytesIO(signed.artifact.data)) as reader:
        manifest = reader.get_active_manifest()
    assert manifest is not None
    (actions,) = [
        a["data"]["actions"] for a in manifest["assertions"] if re.match("c2pa.actions", a["label"])
    ]
    return dict(actions[0])
