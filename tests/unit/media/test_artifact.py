"""What an artifact says of itself, where it comes from, and what its views refuse."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from guard.errors import InputError, LimitExceededError, MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact, Limits, Modality
from guard.media.picture import Picture
from tests.unit.media.makers import FILES, gradient, still, video
from tests.unit.provenance.media import UNSEEN, make


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_by_its_content(name: str) -> None:
    mime, data = FILES[name]()
    artifact = Artifact.from_bytes(data)
    assert artifact.mime == mime
    assert artifact.data == data
    assert mime.startswith(artifact.modality)


@pytest.mark.parametrize("name", FILES)
def test_a_true_claim_is_accepted(name: str) -> None:
    mime, data = FILES[name]()
    assert Artifact.from_bytes(data, claimed=mime).mime == mime


@pytest.mark.parametrize("claimed", ["text/markdown", "text/x-markdown; charset=utf-8"])
def test_markdown_is_what_its_sender_says_is_markdown(claimed: str) -> None:
    assert Artifact.from_bytes(b"# A hill\n", claimed=claimed).mime == "text/markdown"
    assert Artifact.from_bytes(b"# A hill\n").mime == "text/plain"
    assert Artifact.from_bytes(b"<html><p>", claimed=claimed).mime == "text/html"


@pytest.mark.parametrize("mime", UNSEEN)
def test_types_that_guard_cannot_look_into_are_known_by_their_bytes(mime: str) -> None:
    data = make(mime).data
    artifact = Artifact.from_bytes(data, claimed=mime)
    assert (artifact.mime, artifact.decodable) == (mime, False)
    assert artifact.modality is (Modality.DOCUMENT if mime == "application/pdf" else Modality.IMAGE)
    for look in (artifact.decode, lambda: artifact.picture, lambda: artifact.text):
        with pytest.raises(UnsupportedMediaError) as refused:
            look()
        assert refused.value.remedy
    with pytest.raises(UnsupportedMediaError, match=f"cannot look into {re.escape(mime)}") as refused:
        artifact.decode()
    assert "guard credential sign" in refused.value.remedy


@pytest.mark.parametrize(
    "head", ["<svg>", "\n<?xml version='1.0'?>\n<!-- a --><svg x='1'", "<!DOCTYPE svg PUBLIC 'x'>\n<svg "]
)
def test_a_file_that_begins_as_a_vector_picture_is_one_and_an_answer_is_not(head: str) -> None:
    assert Artifact.from_bytes(head.encode()).mime == "image/svg+xml"
    assert Artifact.from_text(head).mime == "text/plain"
    assert Artifact.from_bytes(b"Write <svg>: " + head.encode()).mime == "text/plain"


def test_a_pdf_that_is_cut_short_is_refused() -> None:
    with pytest.raises(MalformedMediaError, match="PDF file is cut short"):
        Artifact.from_bytes(make("application/pdf").data[:-30])


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("image/jpg", "jpeg"),
        ("IMAGE/JPEG; q=1", "jpeg"),
        ("image/apng", "apng"),
        ("audio/x-wav", "wav"),
        ("audio/vnd.wave; codec=1", "wav"),
        ("audio/mp3", "mp3"),
        ("audio/x-m4a", "m4a"),
        ("application/ogg", "opus"),
        ("application/octet-stream", "png"),
        ("", "png"),
        ("text/csv; charset=utf-8", "text"),
        ("application/json", "text"),
        ("video/mp4", "mp4-of-sound"),
        ("video/mp4", "mov"),
        ("video/webm", "webm-of-sound"),
    ],
)
def test_other_names_of_the_type_are_true_claims(claimed: str, name: str) -> None:
    mime, data = FILES[name]()
    assert Artifact.from_bytes(data, claimed=claimed).mime == mime


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("image/jpeg", "png"),
        ("image/png", "jpeg"),
        ("image/png", "text"),
        ("text/plain", "png"),
        ("video/webm", "mp4"),
        ("audio/wav", "webp"),
        ("application/pdf", "text"),
    ],
)
def test_a_false_claim_is_refused_and_both_types_named(claimed: str, name: str) -> None:
    mime, data = FILES[name]()
    with pytest.raises(UnsupportedMediaError) as refused:
        Artifact.from_bytes(data, claimed=claimed)
    assert claimed in refused.value.message
    assert mime in refused.value.message


@pytest.mark.parametrize("claimed", [None, "image/png", "text/plain"])
def test_zero_bytes_are_refused(claimed: str | None) -> None:
    with pytest.raises(MalformedMediaError, match="zero bytes"):
        Artifact.from_bytes(b"", claimed=claimed)


def test_bytes_of_no_known_type_are_refused() -> None:
    with pytest.raises(UnsupportedMediaError, match="no type that Guard knows"):
        Artifact.from_bytes(bytes(range(256)))


def test_text_that_is_not_utf8_is_malformed_rather_than_unknown() -> None:
    with pytest.raises(MalformedMediaError, match=r"not valid UTF-8: .* at byte 3\."):
        Artifact.from_bytes("café au lait".encode("latin-1"))
    with pytest.raises(MalformedMediaError, match=r"at byte 1\."):
        Artifact.from_bytes(b"a\xff\xff")


def test_binary_bytes_claimed_as_text_are_malformed_text() -> None:
    with pytest.raises(MalformedMediaError, match=r"U\+0000"):
        Artifact.from_bytes(b"ab\0c", claimed="text/plain")
    with pytest.raises(MalformedMediaError, match=r"U\+0001"):
        Artifact.from_bytes(b"{\x01}", claimed="application/json")


def test_bytes_over_the_limit_are_refused_before_anything_else() -> None:
    with pytest.raises(LimitExceededError, match="11 bytes; at most 10"):
        Artifact.from_bytes(b"\0" * 11, limits=Limits(max_bytes=10))
    assert Artifact.from_bytes(b"ten bytes!", limits=Limits(max_bytes=10)).text == "ten bytes!"


def test_limits_stay_with_the_artifact_and_do_not_count_for_equality() -> None:
    strict = Limits(max_pixels=24 * 36)
    data = still("PNG")
    artifact = Artifact.from_bytes(data, limits=strict)
    assert artifact.limits is strict
    assert artifact == Artifact.from_bytes(data)


def test_the_constructor_takes_its_arguments_at_their_word() -> None:
    artifact = Artifact(Modality.IMAGE, "image/png", b"no picture")
    assert artifact.limits == Limits()
    with pytest.raises(MalformedMediaError):
        _ = artifact.picture


def test_the_constructors_word_is_checked_when_a_view_is_asked_for() -> None:
    with pytest.raises(UnsupportedMediaError, match="image/heic"):
        _ = Artifact(Modality.IMAGE, "image/heic", b"x").picture
    with pytest.raises(UnsupportedMediaError, match="audio/amr"):
        _ = Artifact(Modality.AUDIO, "audio/amr", b"x").samples


def test_sha256_and_suffix() -> None:
    data = still("WEBP")
    artifact = Artifact.from_bytes(data)
    assert artifact.sha256 == hashlib.sha256(data).hexdigest()
    assert artifact.suffix == ".webp"


def test_repr_does_not_print_the_bytes() -> None:
    assert "secret" not in repr(Artifact.from_text("secret " * 1000))


def test_from_text_is_utf8_plain_text() -> None:
    artifact = Artifact.from_text("Grüße 👋")
    assert (artifact.modality, artifact.mime) == (Modality.TEXT, "text/plain")
    assert artifact.data == "Grüße 👋".encode()
    assert artifact.text == "Grüße 👋"


def test_from_text_never_sniffs_for_other_types() -> None:
    assert Artifact.from_text("GIF89a is a header").mime == "text/plain"
    assert Artifact.from_text("%PDF-1.7 begins a PDF").mime == "text/plain"


def test_from_text_respects_the_limit_in_bytes() -> None:
    with pytest.raises(LimitExceededError):
        Artifact.from_text("ééé", limits=Limits(max_bytes=5))


def test_from_text_refuses_what_no_text_holds() -> None:
    with pytest.raises(MalformedMediaError, match="surrogate"):
        Artifact.from_text("a\ud800b")
    with pytest.raises(MalformedMediaError, match=r"U\+0000"):
        Artifact.from_text("a\0b")


def test_empty_text_is_a_text() -> None:
    assert Artifact.from_text("").text == ""


def test_from_picture_writes_the_format_asked_for() -> None:
    artifact = Artifact.from_picture(Picture.from_array(gradient()), "image/jpg", quality=50)
    assert (artifact.modality, artifact.mime) == (Modality.IMAGE, "image/jpeg")
    assert Artifact.from_bytes(artifact.data).picture.width == 36


def test_views_are_decoded_once() -> None:
    artifact = Artifact.from_bytes(still("PNG"))
    assert artifact.picture is artifact.picture


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("png", "text"),
        ("png", "samples"),
        ("png", "duration"),
        ("text", "picture"),
        ("text", "samples"),
        ("wav", "picture"),
        ("wav", "text"),
        ("mp4", "picture"),
    ],
)
def test_a_view_of_another_kind_is_refused_in_words(name: str, view: str) -> None:
    artifact = Artifact.from_bytes(FILES[name]()[1])
    with pytest.raises(UnsupportedMediaError, match=f"This is {artifact.mime}, not"):
        getattr(artifact, view)


@pytest.mark.parametrize("name", ["png", "wav", "text"])
def test_only_videos_have_frames(name: str) -> None:
    with pytest.raises(UnsupportedMediaError, match="not video"):
        Artifact.from_bytes(FILES[name]()[1]).frames()


def test_from_path_reads_the_file_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    path.write_bytes(still("PNG"))
    assert Artifact.from_path(path).mime == "image/png"
    assert Artifact.from_path(str(path)).mime == "image/png"
    with pytest.raises(UnsupportedMediaError):
        Artifact.from_path(path, claimed="text/plain")


def test_from_path_checks_the_size_before_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "sparse.bin"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LimitExceededError, match=r"1,099,511,627,776 bytes"):
        Artifact.from_path(path)


def test_from_path_refuses_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for path in (tmp_path, tmp_path / "absent", fifo, Path("/dev/zero"), "", "nul\0byte", "x" * 5000):
        with pytest.raises(InputError) as refused:
            Artifact.from_path(path)
        assert type(refused.value) is InputError
        assert refused.value.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_from_path_says_when_permission_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "closed"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        Artifact.from_path(path)


def test_from_path_says_when_reading_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "closed"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        Artifact.from_path(path)


def test_importing_the_room_loads_no_decoder() -> None:
    heavy = "{'PIL', 'cv2', 'av', 'numpy', 'torch'}"
    code = f"import sys, guard.media; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["png", "text", "wav", "mp4"])
def test_decode_accepts_what_is_intact(name: str) -> None:
    Artifact.from_bytes(FILES[name]()[1]).decode()


def test_decode_brings_bad_pictures_and_texts_to_light() -> None:
    with pytest.raises(MalformedMediaError):
        Artifact(Modality.IMAGE, "image/png", still("PNG")[:-40]).decode()
    with pytest.raises(MalformedMediaError):
        Artifact(Modality.TEXT, "text/plain", b"\xff").decode()


def test_a_video_and_its_sound_are_one_artifact() -> None:
    artifact = Artifact.from_bytes(video(sound_too=True))
    assert artifact.modality is Modality.VIDEO
    assert artifact.samples.rate == 48_000
    assert sum(1 for _ in artifact.frames()) == 5
    assert np.abs(artifact.samples.data).max() > 0.3
