"""Reading: published files give their published outcome, and every kind of tampering shows."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import c2pa
import pytest
from PIL import Image

from guard.errors import ConfigurationError
from guard.media import Artifact, Modality
from guard.provenance.manifest import Claim, manifest_definition
from guard.provenance.read import carries_credentials, read
from guard.provenance.sdk import context
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import NOBODY, Trust
from guard.provenance.trust_store import TrustStore
from tests.unit.provenance.media import image, make

Maker = Callable[..., Claim]
KINDS = {
    ".jpg": ("image/jpeg", Modality.IMAGE),
    ".mp4": ("video/mp4", Modality.VIDEO),
    ".wav": ("audio/wav", Modality.AUDIO),
    ".m4s": ("video/iso.segment", Modality.VIDEO),
}
STATES = {
    "Trusted": "trusted",
    "Valid": "valid",
    "Invalid": "invalid",
    "NoManifest": "absent",
    "Error": "unreadable",
}


def _published(folder: Path) -> Iterator[tuple[dict[str, Any], Artifact]]:
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        mime, modality = KINDS[Path(entry["file"]).suffix]
        yield entry, Artifact(modality, mime, (folder / entry["file"]).read_bytes())


def _changed(artifact: Artifact, data: bytes) -> Artifact:
    return Artifact(artifact.modality, artifact.mime, data)


class TestPublishedFiles:
    def test_all_give_their_outcome_under_the_test_roots(self, shared_data: Path) -> None:
        folder = shared_data / "c2pa"
        trust = Trust.of((folder / "trust/test_cert_root_bundle.pem").read_text())
        seen = 0
        for entry, artifact in _published(folder):
            found = read(artifact, trust=trust)
            expected = STATES[entry["expected_validation_state"]]
            if entry["file"] == "rs__dash1.m4s":
                expected = "absent"  # a fragment alone is of no type that carries credentials
            assert found.state == expected, entry["file"]
            assert set(entry["expected_failure_codes"]) <= set(found.codes), entry["file"]
            assert found.explanation, entry["file"]
            seen += 1
        assert seen == 23

    @pytest.mark.parametrize(
        ("trust", "column"),
        [
            (NOBODY, "no_anchors"),
            (TrustStore(Path("no-such-home")).trust(), "official_trust_list_2026_08_05"),
        ],
        ids=["nobody", "the official lists"],
    )
    def test_under_other_trust_the_same_files_are_at_most_valid(
        self, shared_data: Path, trust: Trust, column: str
    ) -> None:
        folder = shared_data / "c2pa"
        for entry, artifact in _published(folder):
            observed = entry["observed_c2pa_python_0.38.1"][column]
            if observed["state"] is None:
                continue
            # With only the default key purpose, the observer called these two invalid instead of untrusted.
            purposes = "signingCredential.invalid" in observed["failure"]
            found = read(artifact, trust=trust)
            if not purposes:
                assert found.state == STATES[observed["state"]], entry["file"]
                assert set(observed["failure"]) <= set(found.codes), entry["file"]
            assert found.state != "trusted", entry["file"]

    def test_a_picture_signed_by_microsoft_is_valid_and_not_invalid(self, shared_data: Path) -> None:
        path = shared_data / "c2pa/ms__bing_creator_cloud_surfing_puppy.jpg"
        found = read(Artifact(Modality.IMAGE, "image/jpeg", path.read_bytes()), trust=NOBODY)
        assert (found.state, found.issuer) == ("valid", "Microsoft Corporation")
        assert "signingCredential.invalid" not in found.codes

    def test_a_tampered_ingredient_shows_although_the_file_is_trusted(self, shared_data: Path) -> None:
        folder = shared_data / "c2pa"
        trust = Trust.of((folder / "trust/test_cert_root_bundle.pem").read_text())
        data = (folder / "rs__CIE-sig-CA.jpg").read_bytes()
        found = read(Artifact(Modality.IMAGE, "image/jpeg", data), trust=trust)
        assert found.state == "trusted"
        assert found.ingredients == (
            {
                "title": "E-sig-CA.jpg",
                "relationship": "componentOf",
                "state": "invalid",
                "codes": ["claimSignature.mismatch"],
                "issuer": "C2PA Test Signing Cert",
                "ingredients": [
                    {
                        "title": "A.jpg",
                        "relationship": "parentOf",
                        "state": "absent",
                        "codes": [],
                        "issuer": None,
                        "ingredients": [],
                    }
                ],
            },
        )
        assert "E-sig-CA.jpg" in found.explanation[-1]

    def test_a_trusted_signer_who_cites_unknown_ones_is_not_called_unknown(self, shared_data: Path) -> None:
        folder = shared_data / "c2pa"
        trust = Trust.of((folder / "trust/test_cert_root_bundle.pem").read_text())
        data = (folder / "rs__video1.mp4").read_bytes()
        found = read(Artifact(Modality.VIDEO, "video/mp4", data), trust=trust)
        assert found.state == "valid"
        assert "is trusted, but not all they cite" in found.explanation[0]

    def test_reads_the_soft_bindings_of_others(self, shared_data: Path) -> None:
        data = (shared_data / "c2pa/tm__example_wm_signed.jpg").read_bytes()
        found = read(Artifact(Modality.IMAGE, "image/jpeg", data), trust=NOBODY)
        assert [alg for alg, _ in found.soft_bindings] == ["com.adobe.trustmark.Q"]
        assert found.release_id is None


class TestTrust:
    def test_no_anchors_means_valid_and_says_why(self, claim: Maker, signer: Signer) -> None:
        found = read(sign(image(), claim(), signer).artifact, trust=NOBODY)
        assert found.state == "valid"
        assert found.codes[0] == "signingCredential.untrusted"
        assert "is unknown" in found.explanation[0]

    def test_other_anchors_mean_valid(
        self, claim: Maker, signer: Signer, make_signer: Callable[[str], tuple[Signer, str]]
    ) -> None:
        _, others = make_signer("EC")
        assert read(sign(image(), claim(), signer).artifact, trust=Trust.of(others)).state == "valid"

    def test_unusable_anchors_are_the_caller_s_error(self) -> None:
        with pytest.raises(ConfigurationError):
            read(image(), trust=Trust.of("nonsense"))

    def test_an_issuer_s_name_cannot_play_tricks(
        self, claim: Maker, make_signer: Callable[..., tuple[Signer, str]]
    ) -> None:
        forged, _ = make_signer("EC", organisation="\x1b[2JTrusted\u202e Inc")
        found = read(sign(image(), claim(), forged).artifact, trust=NOBODY)
        assert found.issuer == "[2JTrusted Inc"


class TestTampering:
    @pytest.mark.parametrize("mime", ["image/jpeg", "image/png", "image/webp", "audio/wav", "audio/flac"])
    def test_no_flipped_bit_of_the_content_goes_unnoticed(
        self, mime: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(make(mime), claim(), signer)
        data, manifest = signed.artifact.data, signed.manifest
        start = data.find(manifest[200:400]) - 200  # JPEG cuts the store into segments, so seek its middle
        content = [*range(max(0, start - 64)), *range(start + len(manifest) + 64, len(data))]
        for place in random.Random(1).sample(content, 40):
            bent = bytearray(data)
            bent[place] ^= 1 << (place % 8)
            found = read(_changed(signed.artifact, bytes(bent)), trust=trust)
            assert found.state not in {"trusted", "valid"}, place

    def test_a_changed_pixel_is_named_by_its_code(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image(), claim(), signer).artifact
        bent = bytearray(signed.data)
        bent[-200] ^= 1
        found = read(_changed(signed, bytes(bent)), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", "assertion.dataHash.mismatch")
        assert found.release_id == "00ff00ff00ff00ff"
        assert "changed after it was signed" in " ".join(found.explanation)

    def test_a_changed_film_is_named_by_its_code(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(make("video/mp4"), claim(), signer).artifact
        place = signed.data.index(b"mdat") + 100
        bent = signed.data[:place] + bytes([signed.data[place] ^ 1]) + signed.data[place + 1 :]
        found = read(_changed(signed, bent), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", "assertion.bmffHash.mismatch")

    def test_bytes_added_or_cut_off_at_the_end(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image(), claim(), signer).artifact
        for data in (signed.data + b"\0", signed.data[:-40]):
            found = read(_changed(signed, data), trust=trust)
            assert (found.state, found.codes[0]) == ("invalid", "assertion.dataHash.mismatch")

    def test_a_file_cut_off_within_its_manifest_is_never_trusted(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        for mime in ("image/jpeg", "image/png", "audio/wav", "video/mp4"):
            signed = sign(make(mime), claim(), signer).artifact
            for length in (0, 1, 30, 500, 2_000):
                found = read(_changed(signed, signed.data[:length]), trust=trust)
                assert found.state in {"absent", "unreadable", "invalid"}, (mime, length)

    def test_an_edited_statement(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image("image/png"), claim(), signer).artifact
        data = signed.data.replace(b"trainedAlgorithmicMedia", b"digitalCreationOfAHuman")
        found = read(_changed(signed, data), trust=trust)
        assert found.state == "invalid"
        assert "assertion.hashedURI.mismatch" in found.codes

    def test_an_edited_claim(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image("image/png"), claim(), signer).artifact
        data = signed.data.replace(b"urn:guard:release:00ff", b"urn:guard:release:11ff")
        found = read(_changed(signed, data), trust=trust)
        assert found.state == "invalid"
        assert "claimSignature.mismatch" in found.codes

    def test_saving_anew_strips_the_credentials(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image(), claim(), signer).artifact
        buffer = io.BytesIO()
        Image.open(io.BytesIO(signed.data)).save(buffer, "JPEG")
        found = read(_changed(signed, buffer.getvalue()), trust=trust)
        assert (found.state, found.codes) == ("absent", ())

    def test_a_manifest_moved_to_another_file(self, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(image(), claim(), signer)
        other = image(seed=1)
        start, length = signed.artifact.data.index(b"\xff\xeb"), len(signed.artifact.data) - len(image().data)
        segments = signed.artifact.data[start : start + length]
        moved = _changed(other, other.data[:start] + segments + other.data[start:])
        for found in (
            read(moved, trust=trust),
            read(other, trust=trust, manifest=signed.manifest),
        ):
            assert (found.state, found.codes[0]) == ("invalid", "assertion.dataHash.mismatch")

    @pytest.mark.parametrize("kept", [b"", b"x", b"\0" * 64])
    def test_a_manifest_beside_the_file_that_is_none(self, kept: bytes, trust: Trust) -> None:
        assert read(image(), trust=trust, manifest=kept).state in {"unreadable", "absent"}

    def test_bit_flips_within_the_manifest_never_raise(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(image("image/png"), claim(), signer)
        start = signed.artifact.data.index(signed.manifest)
        for place in random.Random(2).sample(range(start, start + len(signed.manifest)), 150):
            bent = bytearray(signed.artifact.data)
            bent[place] ^= 1 << (place % 8)
            assert read(_changed(signed.artifact, bytes(bent)), trust=trust).explanation


class TestAbsence:
    @pytest.mark.parametrize("mime", ["image/jpeg", "image/webp", "audio/wav", "video/mp4"])
    def test_a_file_without_credentials(self, mime: str, trust: Trust) -> None:
        found = read(make(mime), trust=trust)
        assert (found.state, found.codes, found.issuer) == ("absent", (), None)
        assert found.explanation == ("The file carries no Content Credentials.",)

    def test_a_type_that_has_no_place_for_them(self, trust: Trust) -> None:
        found = read(make("audio/ogg"), trust=trust)
        assert found.state == "absent"
        assert "audio/ogg has no place" in found.explanation[0]

    def test_carrying_is_told_without_trust(self, claim: Maker, signer: Signer) -> None:
        assert not carries_credentials(image())
        assert carries_credentials(sign(image(), claim(), signer).artifact)


class TestNetwork:
    def test_nothing_is_fetched_even_from_this_machine(
        self, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            address = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
            found = read(_remote(address, claim(), signer), trust=trust)
            server.shutdown()
            thread.join()
        assert asked == []
        assert (found.state, found.codes) == ("unreadable", ("manifest.inaccessible",))
        assert address in found.explanation[0]


def _remote(address: str, claim: Claim, signer: Signer) -> Artifact:
    """A picture that only points to its manifest."""
    output = io.BytesIO()
    info = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg.ED25519, signer.certificates.encode(), signer.key.private_key.encode(), None
    )
    with (
        context() as settings,
        c2pa.Builder(manifest_definition(claim), settings) as builder,
        c2pa.Signer.from_info(info) as key,
    ):
        builder.set_no_embed()
        builder.set_remote_url(address)
        builder.sign(key, "image/jpeg", io.BytesIO(image().data), output)
    return Artifact(Modality.IMAGE, "image/jpeg", output.getvalue())
