"""Finding labelled items in a folder, whatever else lies in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detectors.evaluation.items import Collection, collect
from guard.errors import InputError
from tests.unit.detectors.seers import card

TOXICITY = card("judge", signal="toxicity", others=("insult",))


def lay(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def lines(*texts: object) -> str:
    return "\n".join(json.dumps({"text": text}) for text in texts)


def counted(found: Collection) -> tuple[dict[str, int], dict[str, int]]:
    return found.sources(False), found.sources(True)


def test_files_and_texts_by_label_and_source(tmp_path: Path) -> None:
    folder = lay(
        tmp_path,
        {
            "clean/forum/deep/a.txt": "one",
            "clean/forum/b.txt": "two",
            "clean/loose.txt": "three",
            "toxic/posts.jsonl": lines("four", "five") + "\n\n",
            "toxic/.hidden.jsonl": "{",
            "toxic/mixed/c.txt": "six",
            "toxic/mixed/d.jsonl": lines("seven"),
            ".git/x/y.txt": "no label",
            "notes.txt": "no label",
        },
    )
    found = collect(folder, TOXICITY, 100)
    assert counted(found) == ({"forum": 2, "clean": 1}, {"posts": 2, "mixed": 2})
    assert (found.signal, found.labels) == ("toxicity", ("clean", "toxic"))
    assert not found.unreadable
    names = [item.name for item in found.items]
    assert "toxic/posts.jsonl:2" in names
    assert len(set(names)) == len(names)
    assert {item.artifact().text for item in found.items if item.positive} == {"four", "five", "six", "seven"}


@pytest.mark.parametrize(
    ("labels", "signal", "names"),
    [
        (("real", "synthetic"), "toxicity", ("real", "synthetic")),
        (("Human", "Generated"), "toxicity", ("Human", "Generated")),
        (("clean", "insult"), "insult", ("clean", "insult")),
        (("toxicity", "everything_else"), "toxicity", ("everything_else", "toxicity")),
        (("toxic",), "toxicity", ("negative", "toxic")),
        (("clean",), "toxicity", ("clean", "positive")),
    ],
)
def test_what_labels_mean(
    tmp_path: Path, labels: tuple[str, ...], signal: str, names: tuple[str, str]
) -> None:
    found = collect(lay(tmp_path, {f"{label}/s/a.txt": "x" for label in labels}), TOXICITY, 9)
    assert (found.signal, found.labels) == (signal, names)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ((), "The labels (none) cannot be told apart"),
        (("one", "two"), "The labels one, two cannot be told apart"),
        (("real", "fake", "other"), "cannot be told apart into two classes"),
        (("real", "fake", "toxic"), "cannot be told apart into two classes"),
        (("things",), "Whether 'things' is what the detector should flag"),
    ],
)
def test_labels_that_mean_nothing(tmp_path: Path, labels: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint.replace("(", r"\(").replace(")", r"\)")):
        collect(lay(tmp_path, {f"{label}/s/a.txt": "x" for label in labels}), TOXICITY, 9)


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        collect(tmp_path / "absent", TOXICITY, 9)
    (tmp_path / "real").mkdir()
    with pytest.raises(InputError, match="holds nothing that can be read"):
        collect(tmp_path, TOXICITY, 9)


def test_lines_that_hold_no_text_are_named(tmp_path: Path) -> None:
    bad = ['{"text": "fine"}', "{", '{"words": "x"}', '{"text": 5}', "[]", '"text"', "[" * 100_000]
    folder = lay(tmp_path, {"clean/a.jsonl": "\n".join(bad)})
    (folder / "clean" / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    found = collect(folder, TOXICITY, 9)
    assert [item.text for item in found.items] == ["fine"]
    assert set(found.unreadable) == {f"clean/a.jsonl:{number}" for number in range(2, 8)} | {"clean/b.jsonl"}


def test_no_source_has_more_than_its_limit(tmp_path: Path) -> None:
    found = collect(lay(tmp_path, {"clean/a.jsonl": lines(*map(str, range(9)))}), TOXICITY, 4)
    assert counted(found) == ({"a": 4}, {})
    assert found.left_out == {"a": 5}
