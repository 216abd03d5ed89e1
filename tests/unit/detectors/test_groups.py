"""The files of the block list."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors import Context
from detectors.blocklist import Blocklist, Group
from guard.errors import ConfigurationError
from guard.media import Artifact


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Blocklist.load(path)
    assert caught.value.message.startswith(f"{path}:")
    assert caught.value.remedy
    return caught.value.message.removeprefix(f"{path}:")


def test_yaml(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "list.yaml",
        "groups:\n"
        "  - {id: a, terms: [one, two words], score: 0.7, leet: true, spaced: true, match: substring}\n"
        "  - id: b\n    signal: secrets\n    label: key\n    patterns: ['K\\d+']\n",
    )
    groups = Blocklist.load(str(path)).groups
    assert groups == (
        Group(id="a", terms=("one", "two words"), score=0.7, leet=True, spaced=True, match="substring"),
        Group(id="b", signal="secrets", label="key", patterns=(r"K\d+",)),
    )


def test_plain_text(tmp_path: Path) -> None:
    path = written(tmp_path, "list.txt", "\ufeff# our words\n\nbad word\r\n  worse  \n   # indented\nc#\n")
    blocklist = Blocklist.load(path)
    assert blocklist.groups == (Group(id="list", terms=("bad word", "worse", "c#")),)
    signals = [f.signal for f in blocklist.inspect(Artifact.from_text("worse"), Context("prompt"))]
    assert signals == ["blocklist", "blocklist/list"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: []", "1:9: groups: "),
        ("groups:\n  - id: a\n", "2:5: groups.0: a group needs terms or patterns."),
        ("groups:\n  - {id: a, terms: [x], word: y}", "2:25: 'word' is not a key"),
        ("groups:\n  - {id: a, terms: [x, 12]}", "2:24: groups.0.terms.1: this must be text"),
        ("groups:\n  - {id: a, terms: [x, '']}", "2:24: groups.0.terms.1: "),
        ("groups:\n  - {id: a, terms: [x], score: 1.5}", "2:32: groups.0.score: "),
        ("groups:\n  - {id: a, terms: [x], score: 0}", "2:32: groups.0.score: "),
        ("groups:\n  - {id: a, terms: [x], score: .nan}", "2:32: groups.0.score: "),
        ("groups:\n  - {id: a/b, terms: [x]}", "2:10: groups.0.id: "),
        ("groups:\n  - {id: a, terms: [x], match: prefix}", "'word' or 'substring'"),
        ('groups:\n  - {id: a, patterns: ["\\ud800"]}', "2:24: groups.0.patterns.0"),
        ("groups:\n- id: a\n  patterns:\n  - x\n  - (", "5:5: group 'a': RE2 refuses this: missing ): (."),
        ("groups:\n- id: a\n  patterns:\n  - x\n  - x*", "5:5: group 'a': this pattern matches the empty"),
        ('groups:\n- id: a\n  terms:\n  - x\n  - "\\u200b"', "5:5: group 'a': nothing that can be seen"),
        ("groups:\n  - {id: a, terms: [x]}\n  - {id: a, terms: [y]}", "3:10: group id 'a' is given twice."),
        ("groups: [", "1:10: not valid YAML"),
        ("", "1:1: the file is empty."),
    ],
)  # fmt: skip
def test_refused_yaml(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(written(tmp_path, "list.yml", text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the list holds no term."),
        ("# nothing\n\n", "1:1: the list holds no term."),
        ("fine\n# x\n\u200b\n", "3:1: group 'list': nothing that can be seen"),
    ],
)
def test_refused_plain_text(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(written(tmp_path, "list.txt", text))


def test_a_pattern_too_large_for_the_memory_set_aside(tmp_path: Path) -> None:
    text = "groups:\n  - id: a\n    patterns:\n      - " + r"\pL{1000}" * 20
    assert "4:9: group 'a': RE2 refuses this: pattern too large" in refusal(written(tmp_path, "a.yaml", text))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "the file cannot be read" in refusal(tmp_path / "absent.txt")
    path = tmp_path / "bad.txt"
    path.write_bytes(b"fine\n\xff\n")
    assert refusal(path).startswith("2:1: the file is not UTF-8")


def test_names_are_sorted() -> None:
    import detectors
    import detectors.blocklist

    for module in (detectors, detectors.blocklist):
        assert list(module.__all__) == sorted(module.__all__)
