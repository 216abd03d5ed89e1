"""Every status code has a sentence that a person can read."""

from __future__ import annotations

import re
from pathlib import Path

import c2pa
import encypher_c2pa
import pytest

from guard.provenance.codes import explain, is_success, sentences

FAMILIES = (
    "signingCredential|claimSignature|claim|assertion|hashedURI|ingredient|manifest|timeStamp|timeOfSigning"
    "|algorithm|cawg|general|livevideo"
)
CODE = re.compile(rf"(?:{FAMILIES})(?:\.[A-Za-z0-9_\-]+){{1,4}}".encode())

ENDS = (
    "match",
    "mismatch",
    "malformed",
    "missing",
    "invalid",
    "trusted",
    "untrusted",
    "revoked",
    "validated",
)
PIECES = re.compile(
    r".*\.rs|claimSignature\.med|.*(H\d?x?|I|M1)$|.*0000|.*_{4}|cawg\.(io|x50|ide|cr|tra|web|met|ai_|data_|social_|document_)"
    r"|cawg\.(metadata|training-mining)$|ingredient\.v\d|claim\.v2|manifest\.json"
)
"""What stands in the binaries beside codes: labels of statements, names of files."""


def found_in(library: Path) -> set[str]:
    """Strings that look like status codes in a compiled library, which glues what comes next to their end."""
    return {match.group().decode() for match in CODE.finditer(library.read_bytes())}


def binary(module: object) -> Path:
    folder = Path(str(module.__file__)).parent  # type: ignore[attr-defined]
    return next(path for path in folder.rglob("*") if path.suffix in {".so", ".dylib", ".dll", ".pyd"})


@pytest.mark.parametrize("module", [c2pa, encypher_c2pa], ids=["c2pa", "encypher"])
def test_every_code_that_a_validator_can_give_has_a_sentence(module: object) -> None:
    seen = found_in(binary(module))
    explained = {code for code in sentences() if any(each.startswith(code) for each in seen)}
    assert len(explained) > 60
    # Constants that the compiler cut in two cannot be told from noise: only whole endings count.
    whole = {each for each in seen if each.endswith(tuple(f".{end}" for end in ENDS))}
    unknown = {each for each in whole if not PIECES.match(each)} - set(sentences())
    assert {each for each in unknown if not any(each.startswith(code) for code in sentences())} == set()


def test_every_code_of_the_specification_is_there() -> None:
    """Counted in chapters 15 and 19.7 of version 2.4, without those of other bodies."""
    ours = {code for code in sentences() if not code.startswith(("cawg.", "com."))}
    assert len(ours) >= 114
    families = {code.split(".")[0] for code in ours}
    assert families == set(FAMILIES.split("|")) - {"cawg"}


def test_each_sentence_is_one_sentence_without_jargon() -> None:
    for code, sentence in sentences().items():
        assert sentence[0].isupper(), code
        assert sentence.endswith("."), code
        assert sentence.count(".") == 1, code
        assert code not in sentence
        assert not re.search(r"JUMBF|COSE|EKU|URI|hash", sentence), code
        assert len(sentence) <= 110, code


def test_sentences_tell_codes_apart() -> None:
    assert len(set(sentences().values())) >= len(sentences()) - 10


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("org.example.odd", "Validation reported org.example.odd, which is not known here."),
        (
            "org.example.mismatch",
            "Something was changed after it was signed, or belongs elsewhere (org.example",
        ),
        ("org.example.match", "A check that is not known here was passed (org.example.match)."),
    ],
)
def test_an_unknown_code_is_named(code: str, sentence: str) -> None:
    assert explain(code).startswith(sentence)


@pytest.mark.parametrize("code", ["claimSignature.validated", "assertion.dataHash.match"])
def test_passed_checks_are_no_failures(code: str) -> None:
    assert is_success(code)


@pytest.mark.parametrize(
    "code", ["signingCredential.untrusted", "assertion.dataHash.mismatch", "timeStamp.untrusted"]
)
def test_failures_are_no_passed_checks(code: str) -> None:
    assert not is_success(code)
