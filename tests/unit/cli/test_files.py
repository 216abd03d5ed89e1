"""Files that commands write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from guard.cli.files import check_fits, check_output, fits, numbered, write_file
from guard.errors import InputError
from guard.media import Artifact
from tests.pictures import png


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    write_file(out, b"new")
    assert out.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [out]


def test_a_former_file_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    out.write_bytes(b"old and longer")
    write_file(out, b"new")
    assert out.read_bytes() == b"new"


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    former = os.umask(0o027)
    try:
        write_file(tmp_path / "out.bin", b"x")
    finally:
        os.umask(former)
    assert (tmp_path / "out.bin").stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_the_former_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.bin"
    out.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_file(out, b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.bin", b"old")]


def test_a_folder_that_vanished_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_file(tmp_path / "gone" / "out.bin", b"x")


def test_a_name_of_full_length_can_be_written(tmp_path: Path) -> None:
    out = tmp_path / ("n" * 251 + ".png")
    write_file(out, b"x")
    assert out.exists()


def test_output_in_a_folder_that_is_there_is_fine(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    check_output(tmp_path / "new.png", [tmp_path / "missing.png"])
    check_output(tmp_path / "old.png", [tmp_path / "missing.png"])


def test_output_over_an_input_is_refused_under_any_name(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.touch()
    alias = tmp_path / "alias.png"
    alias.symlink_to(source)
    for out in (source, alias, tmp_path / "." / "in.png"):
        with pytest.raises(InputError, match="is the input itself"):
            check_output(out, [source])


def test_output_needs_a_folder_and_must_not_be_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "no" / "out.png")


@pytest.mark.parametrize(
    ("name", "suits"),
    [
        ("a.png", True),
        ("a.PNG", True),
        ("a.apng", True),
        ("a", True),
        ("a.xyz", True),
        ("a.jpg", False),
        ("a.txt", False),
    ],
)
def test_endings_of_pictures(name: str, suits: bool) -> None:
    assert fits(Path(name), png(height=16, width=16)) is suits


@pytest.mark.parametrize(
    ("name", "suits"), [("a.txt", True), ("a.md", True), ("a.html", True), ("a.png", False)]
)
def test_endings_of_texts(name: str, suits: bool) -> None:
    assert fits(Path(name), Artifact.from_text("hello")) is suits


def test_a_misnamed_output_is_refused_with_a_better_name() -> None:
    with pytest.raises(InputError, match=r"would hold image/png.*Name it a\.png"):
        check_fits(Path("a.jpg"), png(height=16, width=16))


def test_numbered_names() -> None:
    assert numbered(Path("d/a.png"), 1) == [Path("d/a.png")]
    assert numbered(Path("d/a.png"), 3) == [Path("d/a-1.png"), Path("d/a-2.png"), Path("d/a-3.png")]
