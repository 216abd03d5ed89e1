"""Lettering in pictures as a detector: what it says, for whom, and what is left of it once blurred."""

from __future__ import annotations

import io
import socket
import sys

import numpy as np
import pytest
from PIL import Image

from detectors.base import Context, Finding
from detectors.privacy import VisibleText, lettering, visible
from detectors.run import inspect_all
from guard.media import Artifact, Modality
from guard.obligations import apply_obligations
from policies import Facts, loads
from tests.pictures import encoded, natural
from tests.unit.detectors.privacy.letters import Pixels, written

PASSWORD = "password: Tr0ub4dor&3x"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever here reaches for the network fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a detector reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def sign() -> Pixels:
    """Two lines on a photograph, the second with a password."""
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    first = written(natural(0), "Harbour office", (60, 60), 32, "white")
    return written(first, PASSWORD, (60, 250), 32, "white")


def looked_at(artifact: Artifact, *signals: str) -> dict[str, Finding]:
    context = Context("output", signals=frozenset(signals) or None)
    return {finding.signal: finding for finding in inspect_all([VisibleText()], artifact, context)}


def picture(pixels: Pixels) -> Artifact:
    return Artifact.from_bytes(encoded(pixels))


def blurred(artifact: Artifact, findings: dict[str, Finding], signal: str) -> Artifact:
    policy = loads(
        "name: p\nversion: 1\nrules:\n"
        f"- {{id: hide, when: 'scores[\"{signal}\"] >= 0.5', action: blur, detector: visible-text, "
        f"labels: [{'text' if signal == 'visible_text' else 'credential'}], reason: private}}\n"
    )
    decision = policy.decide(Facts("output", Modality.IMAGE, scores={signal: 1.0}))
    return apply_obligations(artifact, decision, list(findings.values()), policy)


def test_lines_are_boxed_and_what_one_gives_away_is_told(sign: Pixels, no_network: None) -> None:
    found = looked_at(picture(sign), "visible_text", "secret")
    assert set(found) == {"visible_text", "secret"}
    text, secret = found["visible_text"], found["secret"]
    assert (text.score, [box.label for box in text.boxes]) == (1.0, ["text", "text"])
    assert (secret.score, [box.label for box in secret.boxes]) == (1.0, ["credential"])
    assert 200 < secret.boxes[0].y < 262
    assert "Tr0ub4dor" not in repr(found)


def test_once_the_text_is_blurred_nobody_reads_it_and_the_rest_is_as_it_was(sign: Pixels) -> None:
    before = picture(sign)
    found = looked_at(before, "visible_text")
    after = blurred(before, found, "visible_text")
    assert looked_at(after, "visible_text")["visible_text"].boxes == ()
    outside = np.ones(sign.shape[:2], bool)
    for box in found["visible_text"].boxes:
        outside[box.y : box.y + box.height, box.x : box.x + box.width] = False
    assert np.array_equal(after.picture.rgb()[outside], sign[outside])
    assert outside.mean() > 0.8


def test_a_policy_may_hide_only_the_lines_that_give_something_away(sign: Pixels) -> None:
    before = picture(sign)
    after = blurred(before, looked_at(before, "secret"), "secret")
    found = looked_at(after, "visible_text", "secret")
    assert len(found["visible_text"].boxes) == 1
    assert found["secret"].score == 0.0


def test_an_address_in_a_picture_is_personal_data(no_network: None) -> None:
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    pytest.importorskip("presidio_analyzer", reason="the extra [privacy] is not installed")
    pixels = written(np.full((120, 700, 3), 240, np.uint8), "Write to anna.keller@example.org", (20, 40), 30)
    finding = looked_at(picture(pixels), "personal_data")["personal_data"]
    assert [box.label for box in finding.boxes] == ["EMAIL_ADDRESS"]
    assert finding.flagged


def test_a_line_on_one_frame_is_boxed_for_all(sign: Pixels) -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(pixels) for pixels in (natural(0), sign, natural(0))]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], duration=80)
    found = looked_at(Artifact.from_bytes(file.getvalue()), "visible_text")
    assert len(found["visible_text"].boxes) == 2


def test_all_signals_are_told_where_nobody_says_which_are_read() -> None:
    pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")
    everything = {"visible_text", "personal_data", "secret"}
    assert set(looked_at(picture(natural(1, 64, 64)))) == everything
    assert set(looked_at(picture(natural(1, 64, 64)), "visible-text")) == everything
    assert all(f.score == 0.0 for f in looked_at(picture(natural(1, 64, 64))).values())


def test_where_the_detector_of_text_abstains_so_does_this(
    sign: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def inspect(self, artifact: Artifact, context: Context) -> list[Finding]:
            return [Finding("x", "1", "secret", None, 0.5, inconclusive="Nobody is here.")]

    monkeypatch.setattr(visible, "_WITHIN", {"secret": Silent()})
    finding = looked_at(picture(sign), "secret")["secret"]
    assert (finding.detector, finding.inconclusive) == ("visible-text", "Nobody is here.")


def test_a_page_too_full_to_be_read_is_still_boxed(sign: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_MOST", 3)
    found = looked_at(picture(sign), "visible_text", "secret")
    assert len(found["visible_text"].boxes) == 2
    assert "more lettering" in found["secret"].inconclusive


@pytest.mark.parametrize("shape", [(1, 1), (15, 400), (400, 15)])
def test_what_is_too_small_gets_no_answer(shape: tuple[int, int]) -> None:
    for finding in looked_at(picture(np.zeros((*shape, 3), np.uint8))).values():
        assert "16" in finding.inconclusive


def test_without_the_extra_it_is_inconclusive_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lettering.engine.cache_clear()
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    found = looked_at(picture(natural(0, 100, 100)))
    assert {finding.state for finding in found.values()} == {"inconclusive"}
    assert all("[ocr]" in finding.inconclusive for finding in found.values())
