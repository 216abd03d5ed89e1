"""What commands print, file by file."""

from __future__ import annotations

import io
import json
import sys

import pytest
from rich.text import Text

from guard.cli.output import Answer, answer_each, complain, emit, printable, say
from guard.errors import InputError, KeyStoreError, LedgerError


def fine(file: str) -> Answer:
    return Answer({"file": file, "answer": "yes"}, Text(f"yes {file}"))


def no(file: str) -> Answer:
    return Answer({"file": file, "answer": "no"}, Text(f"no {file}"), fine=False)


def bad(file: str) -> Answer:
    raise InputError(f"{file} is bad.", "Give a good one.")


def by_name(file: str) -> Answer:
    return {"fine": fine, "no": no, "bad": bad}[file](file)


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("plain.png", "plain.png"),
        ("naïve 猫.png", "naïve 猫.png"),
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("gpj.\u202egnp", "gpj.\\u202egnp"),
        ("bad\udcff", "bad\\udcff"),
        ("\x9b1m", "\\x9b1m"),
    ],
)
def test_printable(raw: str, safe: str) -> None:
    assert printable(raw) == safe


def test_json_lines_are_ascii_and_survive_a_round_trip(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"file": "猫\n\x1b\udcff.png"}
    emit(record)
    line = capsys.readouterr().out
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == record


def test_long_lines_and_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[bold]x[/bold] :smile: " + "word " * 60
    say(text)
    complain(text)
    captured = capsys.readouterr()
    assert captured.out == text + "\n"
    assert captured.err == f"guard: {text}\n"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (["fine"], 0),
        (["fine", "no"], 1),
        (["no", "fine"], 1),
        (["bad", "no", "fine"], 2),
        (["fine", "no", "bad"], 2),
    ],
)
def test_the_worst_answer_is_the_exit_code(files: list[str], code: int) -> None:
    assert answer_each(files, by_name, as_json=True) == code


def test_a_bad_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    answer_each(["fine", "bad", "no"], by_name, as_json=False)
    captured = capsys.readouterr()
    assert captured.out == "yes fine\nno no\n"
    assert captured.err == "guard: bad is bad. Give a good one.\n"


def test_a_bad_file_has_a_json_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    answer_each(["bad", "fine"], by_name, as_json=True)
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert lines == [
        {"file": "bad", "error": "bad is bad. Give a good one."},
        {"file": "fine", "answer": "yes"},
    ]
    assert captured.err == ""


def test_an_error_that_does_not_name_the_file_is_told_which(capsys: pytest.CaptureFixture[str]) -> None:
    def ask(file: str) -> Answer:
        raise InputError("It is empty.")

    answer_each(["a.png"], ask, as_json=False)
    assert capsys.readouterr().err == "guard: a.png: It is empty.\n"


def test_even_an_unexpected_error_stays_with_its_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUARD_DEBUG", raising=False)

    def ask(file: str) -> Answer:
        return Answer({"file": file, "answer": 1 / len(file)}, Text())

    assert answer_each(["", "xx"], ask, as_json=True) == 2
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "ZeroDivisionError" in first["error"]
    assert second["answer"] == 0.5


def test_debugging_raises_unexpected_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_DEBUG", "1")

    def ask(file: str) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer_each(["a"], ask, as_json=True)
    assert answer_each(["bad"], by_name, as_json=True) == 2


@pytest.mark.parametrize("error", [KeyStoreError("no keys"), LedgerError("no ledger")])
def test_what_would_hit_every_file_ends_the_command(error: Exception) -> None:
    def ask(file: str) -> Answer:
        raise error

    with pytest.raises(type(error)):
        answer_each(["a", "b"], ask, as_json=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_shows_on_a_terminal_and_the_answers_stay_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert answer_each(["fine", "no"], by_name, as_json=False) == 1
    assert capsys.readouterr().out == "yes fine\nno no\n"
    assert "files" in terminal.getvalue()


def test_no_bar_for_a_single_file(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    answer_each(["fine"], by_name, as_json=True)
    assert terminal.getvalue() == ""
