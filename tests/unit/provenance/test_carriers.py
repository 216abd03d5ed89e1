"""Manifests that a text shows: in a comment, in an element of the head."""

from __future__ import annotations

import base64
from collections.abc import Callable

import encypher_c2pa
import pytest

from guard.errors import CredentialError
from guard.media import Artifact, Modality
from guard.provenance.carriers import find
from guard.provenance.claim import Claim
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from guard.provenance.visible import visible_text
from tests.unit.provenance.media import TEXTS

Maker = Callable[..., Claim]
BEGIN, END = "-----BEGIN C2PA MANIFEST-----", "-----END C2PA MANIFEST-----"
DATA = "data:application/c2pa;base64,"
SHOWN = {
    "markdown": ("text/markdown", TEXTS["text/markdown"]),
    "markdown with front matter": ("text/markdown", "---\ntitle: Hill\n---\nThe hill is green.\n"),
    "markdown without an end": ("text/markdown", "The hill is green."),
    "page": ("text/html", TEXTS["text/html"]),
    "page with a head in a comment": (
        "text/html",
        "<html><!-- <head> --><HEAD lang='en'>\n<title>é</title></HEAD>The hill is green.",
    ),
}


def _text(mime: str, content: str) -> Artifact:
    return Artifact(Modality.TEXT, mime, content.encode())


@pytest.mark.parametrize("name", SHOWN)
class TestShown:
    def test_comes_back_trusted_and_the_rest_of_the_text_stays(
        self, name: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        original = _text(*SHOWN[name])
        signed = sign(original, claim(), signer).artifact
        assert read(signed, trust=trust).state == "trusted"
        assert visible_text(signed.text) == original.text.rstrip()
        assert read(original, trust=trust).state == "absent"

    def test_a_changed_word_shows(self, name: str, claim: Maker, signer: Signer, trust: Trust) -> None:
        signed = sign(_text(*SHOWN[name]), claim(), signer)
        bent = signed.artifact.text.replace("green", "brown")
        found = read(_text(signed.artifact.mime, bent), trust=trust)
        assert (found.state, found.codes[0]) == ("invalid", "assertion.dataHash.mismatch")

    def test_kept_apart_it_fits_the_text_that_lost_it(
        self, name: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        original = _text(*SHOWN[name])
        manifest = sign(original, claim(), signer).manifest
        assert read(original, trust=trust, manifest=manifest).state == "trusted"
        other = _text(original.mime, original.text.replace("green", "red"))
        assert read(other, trust=trust, manifest=manifest).state == "invalid"

    def test_a_second_one_makes_both_unreadable(
        self, name: str, claim: Maker, signer: Signer, trust: Trust
    ) -> None:
        signed = sign(_text(*SHOWN[name]), claim(), signer).artifact
        found = read(_text(signed.mime, signed.text + "\n" + signed.text), trust=trust)
        assert found.state == "unreadable"
        assert found.codes[0].startswith("manifest.")
        assert "multiple" in found.codes[0]


def test_front_matter_stays_in_front(claim: Maker, signer: Signer) -> None:
    assert sign(_text(*SHOWN["markdown with front matter"]), claim(), signer).artifact.text.startswith(
        "---\n"
    )
    assert sign(_text(*SHOWN["markdown"]), claim(), signer).artifact.text.startswith("<!-- -----BEGIN")


def test_a_page_without_a_head_is_refused(claim: Maker, signer: Signer) -> None:
    for page in ("<html><body>x", "<!-- <head> --><html>", "<html><header>x"):
        with pytest.raises(CredentialError, match="no <head>") as refused:
            sign(_text("text/html", page), claim(), signer)
        assert refused.value.remedy


def test_words_hidden_beside_the_comment_show(claim: Maker, signer: Signer, trust: Trust) -> None:
    """The line of the manifest is not hashed, and its padding leaves room: nothing else may stand there."""
    signed = sign(_text(*SHOWN["markdown"]), claim(), signer).artifact
    line, rest = signed.text.split("\n", 1)
    for hidden in (line + " Evil.", "Evil. " + line):
        found = read(_text("text/markdown", hidden + "\n" + rest), trust=trust)
        assert found.state in ("invalid", "unreadable")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"# {BEGIN} {DATA}AAAA {END}", ""),
        (f"# {BEGIN} {DATA}AAA {END}", "manifest.structuredText.malformedReference"),
        (f"# {BEGIN} {DATA}%%%% {END} and more", "manifest.structuredText.malformedReference"),
        (f"{BEGIN} {DATA}AAAA {END}\n{BEGIN} {DATA}AAAA {END}", "manifest.structuredText.multipleReferences"),
        ('<script type="application/c2pa">AAA</script>', "general.error"),
        ('<script type="application/c2pa">AAAA</script>' * 2, "manifest.html.multipleManifests"),
        ('<link rel="c2pa-manifest" href="https://example.org/a.c2pa">', "manifest.inaccessible"),
        ('<link rel="c2pa-manifest">', "manifest.inaccessible"),
    ],
)
def test_damage_is_named(content: str, code: str, trust: Trust) -> None:
    carried = find(content)
    assert carried is not None
    assert carried.code == code
    found = read(_text("text/plain", content), trust=trust)
    assert found.state == "unreadable"
    assert found.codes == (code or "general.error",)


def test_a_manifest_elsewhere_is_named_and_not_fetched(trust: Trust) -> None:
    page = "<head><link rel='c2pa-manifest' href='https://example.org/a.c2pa'></head>"
    found = read(_text("text/html", page), trust=trust)
    assert "https://example.org/a.c2pa" in found.explanation[0]


@pytest.mark.parametrize(
    "content",
    ["", BEGIN, f"Write {BEGIN} and {END}.", f"{BEGIN} https://example.org {END}", "<script>x</script>"],
)
def test_a_text_that_only_speaks_of_manifests_has_none(content: str, trust: Trust) -> None:
    assert find(content) is None
    assert read(_text("text/plain", content), trust=trust).state == "absent"


@pytest.mark.parametrize("content", [f"{BEGIN} " * 20_000, "<!--" * 50_000, "<link " * 50_000, DATA * 20_000])
def test_hostile_texts_take_no_time(content: str, claim: Maker, signer: Signer, trust: Trust) -> None:
    assert read(_text("text/plain", content), trust=trust).state == "absent"
    with pytest.raises(CredentialError):
        sign(_text("text/html", content), claim(), signer)


@pytest.mark.parametrize("wide", [True, False])
def test_other_makers_may_count_the_line_end_or_not(
    wide: bool, claim: Maker, signer: Signer, trust: Trust
) -> None:
    manifest = base64.b64encode(sign(_text(*SHOWN["markdown"]), claim(), signer).manifest).decode()
    carried = find(
        f"// {BEGIN} {DATA}{manifest} {END}\nbody" if wide else f"body\n// {BEGIN} {DATA}{manifest} {END}"
    )
    assert carried is not None
    assert [carried.holes[0].length - carried.holes[1].length] == [1]


def test_the_second_verifier_knows_these_carriers() -> None:
    assert {"text/html", "text/markdown"} <= set(encypher_c2pa.supported_mime_types())
