"""Manifests made to deceive: strings stay text, copies bind nothing, boxes break nothing."""

from __future__ import annotations

import io
import json
import logging
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import c2pa
import pytest

from guard.app import App
from guard.cli.showing import credential_text
from guard.media import Artifact, Modality
from guard.provenance.read import read
from guard.provenance.sandbox import Sandbox
from guard.provenance.sdk import context
from guard.provenance.trust import NOBODY, Trust
from tests.pictures import encoded, natural
from tests.unit.api.parts import serving

NASTY = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}${jndi:ldap://x}"
    "\x1b[2J\x1b]0;owned\x07\r\nSet-Cookie: a=b\x00\u202egnp.exe\u2066\u200b\ufeff\x9b31m'; DROP TABLE x;--"
)
FORBIDDEN = [chr(c) for c in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B, 0xFEFF) if c != 10]
CREATED = {
    "action": "c2pa.created",
    "digitalSourceType": NASTY,
    "softwareAgent": {"name": NASTY},
    "when": NASTY,
}
MANIFEST = {
    "title": NASTY,
    "claim_generator_info": [{"name": NASTY, "version": NASTY}],
    "instance_id": NASTY,
    "ingredients": [{"title": NASTY, "relationship": "componentOf", "format": NASTY, "instance_id": NASTY}],
    "assertions": [
        {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [CREATED]}},
        {"label": "c2pa.soft-binding", "data": {"alg": NASTY, "blocks": [{"scope": {}, "value": NASTY}]}},
        {"label": "stds.schema-org.CreativeWork", "kind": "Json", "data": {"author": [{"name": NASTY}]}},
    ],
}


def picture(seed: int = 1) -> bytes:
    return encoded(natural(160, 200, seed), "JPEG")


def signed(app: App, manifest: dict[str, Any] = MANIFEST, seed: int = 1) -> Artifact:
    """A picture with any manifest, signed by this Guard's key as a careless tool would."""
    signer, output = app.keys.signer(), io.BytesIO()
    info = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg[signer.alg.upper()],
        signer.certificates.encode(),
        signer.key.private_key.encode(),  # type: ignore[attr-defined]
        None,
    )
    with (
        context(checked=False) as settings,
        c2pa.Builder(manifest, settings) as builder,
        c2pa.Signer.from_info(info) as key,
    ):
        builder.sign(key, "image/jpeg", io.BytesIO(picture(seed)), output)
    return Artifact(Modality.IMAGE, "image/jpeg", output.getvalue())


def strings(value: object) -> list[str]:
    """Every string in a JSON value, keys as well."""
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (key, *strings(each))]
    if isinstance(value, list | tuple):
        return [text for each in value for text in strings(each)]
    return [value] if isinstance(value, str) else []


class TestStrings:
    def test_none_of_them_reaches_a_terminal_a_log_or_an_answer_as_more_than_text(
        self, app: App, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        artifact = signed(app)
        verdict = app.verifier().verify(artifact, name="a.jpg")
        credential = verdict.credential
        assert "<script>" in str(credential.ingredients[0]["title"])
        for said in strings(verdict.as_json()) + strings(credential.as_record()):
            assert not [c for c in FORBIDDEN if c in said], said
        shown = credential_text("a.jpg", credential).plain
        assert not [c for c in FORBIDDEN if c in shown]
        assert all(line.startswith(("trusted", "valid", "invalid", "  ")) for line in shown.splitlines())
        assert "script" not in caplog.text

    def test_over_http_neither(self, app: App, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with serving(app, None) as client:
            answer = client.post("/v1/verify", files={"file": ("a.jpg", signed(app).data)})
        assert "<script>" in str(answer.json()["credential"]["ingredients"])
        assert answer.headers["content-type"] == "application/json"
        assert answer.content.isascii()
        for said in strings(answer.json()):
            assert not [c for c in FORBIDDEN if c in said], said
        assert "script" not in caplog.text

    def test_endless_ones_are_cut(self, app: App) -> None:
        long = {**MANIFEST, "title": "x" * 100_000, "claim_generator_info": [{"name": "y" * 100_000}]}
        record = json.dumps(app.verifier().verify(signed(app, long)).as_json())
        assert len(record) < 20_000


class TestCopies:
    def test_a_manifest_moved_to_another_picture_is_worth_nothing(self, app: App) -> None:
        ours, theirs = signed(app), picture(seed=2)
        header = ours.data.index(b"\xff\xeb")
        moved = theirs[:2] + ours.data[header : _end_of_segments(ours.data, header)] + theirs[2:]
        found = app.verifier().verify(Artifact(Modality.IMAGE, "image/jpeg", moved))
        assert found.credential.state == "invalid"
        assert found.state == "altered"

    def test_two_manifests_in_one_picture(self, app: App) -> None:
        first, second = signed(app), signed(app, seed=2)
        header = second.data.index(b"\xff\xeb")
        segment = second.data[header : _end_of_segments(second.data, header)]
        both = Artifact(Modality.IMAGE, "image/jpeg", first.data[:2] + segment + first.data[2:])
        assert read(both, trust=app.trust()).state in {"invalid", "unreadable"}


def _end_of_segments(data: bytes, at: int) -> int:
    """Where the run of APP11 segments that begins there ends."""
    while data[at : at + 2] == b"\xff\xeb":
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


class TestBypasses:
    """Ways that led to "trusted" without a key in older libraries: what they add has to show."""

    def _bent(self, app: App, change: Callable[[bytes], bytes]) -> str:
        artifact = signed(app)
        data = change(artifact.data)
        assert data != artifact.data
        return read(Artifact(Modality.IMAGE, "image/jpeg", data), trust=app.trust()).state

    def test_another_segment_beside_those_of_the_manifest(self, app: App) -> None:
        def before(data: bytes) -> bytes:
            at = data.index(b"\xff\xeb")
            return (
                data[:at] + b"\xff\xeb\x00\x20" + b"JP\x00\x09" + b"\x00\x00\x00\x01" + bytes(22) + data[at:]
            )

        def behind(data: bytes) -> bytes:
            at = _end_of_segments(data, data.index(b"\xff\xeb"))
            return data[:at] + b"\xff\xeb\x00\x0chidden text"[:14] + data[at:]

        for change in (before, behind):
            assert self._bent(app, change) in {"invalid", "unreadable"}

    def test_pixels_inside_what_the_signature_leaves_out(self, app: App) -> None:
        """The exclusion has to be where the manifest is: widened or moved, it breaks the signed statement."""
        artifact = signed(app)
        place = artifact.data.index(b"exclusions")
        for offset in range(place, place + 60, 7):
            bent = bytearray(artifact.data)
            bent[offset] ^= 1
            found = read(Artifact(Modality.IMAGE, "image/jpeg", bytes(bent)), trust=app.trust())
            assert found.state in {"invalid", "unreadable"}

    def test_words_hidden_in_the_padding_of_a_drawing(self, app: App) -> None:
        drawing = (
            b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
        )
        signer, output = app.keys.signer(), io.BytesIO()
        info = c2pa.C2paSignerInfo(
            c2pa.C2paSigningAlg[signer.alg.upper()],
            signer.certificates.encode(),
            signer.key.private_key.encode(),  # type: ignore[attr-defined]
            None,
        )
        with context() as settings, c2pa.Builder(MANIFEST, settings) as b, c2pa.Signer.from_info(info) as key:
            b.sign(key, "image/svg+xml", io.BytesIO(drawing), output)
        data = output.getvalue()
        end = data.index(b"</c2pa:manifest>")
        for bent in (
            data[:end] + b"<script>alert(1)</script>" + data[end:],
            data[:end] + b"  \n" + data[end:],
            data.replace(b"</metadata>", b"</metadata><script>alert(1)</script>"),
        ):
            artifact = Artifact(Modality.IMAGE, "image/svg+xml", bent)
            assert read(artifact, trust=app.trust()).state in {"invalid", "unreadable"}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


class TestBoxes:
    def test_nested_and_oversized_ones_end_in_an_answer(self, box: Sandbox) -> None:
        inner = b""
        for _ in range(3000):
            inner = struct.pack(">I4s", len(inner) + 8, b"jumb") + inner
            if len(inner) > 60_000:
                break
        lying = struct.pack(">I4s", 0xFFFFFFF0, b"jumb") + bytes(200)
        endless = struct.pack(">I4sQ", 1, b"jumb", 1 << 62) + bytes(200)
        for store in (inner, lying, endless):
            beside = box.read(Artifact(Modality.IMAGE, "image/jpeg", picture()), trust=NOBODY, manifest=store)
            assert beside.state in {"unreadable", "absent"}
            segment = b"JP\x00\x01\x00\x00\x00\x01" + store[:60_000]
            data = picture()
            inside = data[:2] + b"\xff\xeb" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
            assert box.read(Artifact(Modality.IMAGE, "image/jpeg", inside), trust=NOBODY).state in {
                "unreadable",
                "absent",
                "invalid",
            }

    def test_films_of_boxes_in_boxes(self, box: Sandbox) -> None:
        film = b""
        for _ in range(5000):
            film = struct.pack(">I4s", len(film) + 8, b"moov") + film
        head = b"\0\0\0\x14ftypisom\0\0\0\0isom"
        for body in (film, struct.pack(">I4s", 0x7FFFFFFF, b"uuid"), bytes(100), b"\0\0\0\x08free" * 20_000):
            found = box.read(Artifact(Modality.VIDEO, "video/mp4", head + body), trust=NOBODY)
            assert found.state in {"unreadable", "absent"}

    def test_every_published_file_gives_the_same_answer_inside(self, box: Sandbox, shared_data: Path) -> None:
        folder = shared_data / "c2pa"
        trust = Trust.of((folder / "trust/test_cert_root_bundle.pem").read_text())
        for path in sorted(folder.glob("*__*.jpg")):
            artifact = Artifact(Modality.IMAGE, "image/jpeg", path.read_bytes())
            assert box.read(artifact, trust=trust) == read(artifact, trust=trust), path.name
