"""Loading policies: what is accepted, and what is refused with line and column."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import policies
from guard.errors import ConfigurationError, PolicyError
from policies import Action, Mode, Policy, StreamMode

RULE = """
  - id: {id}
    when: {when}
    action: block
    reason: because
"""
HEAD = "name: test\nversion: 1\nrules:"


def with_when(when: str) -> str:
    return HEAD + RULE.format(id="r", when=when)


def refusal(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        policies.loads(text, source="p.yaml")
    return caught.value


def test_defaults_of_a_rule() -> None:
    entry = policies.loads(with_when("true")).rules[0].entry
    assert entry.stages == ("prompt", "output", "upload")
    assert entry.mode is Mode.ENFORCE
    assert entry.on_error is Action.BLOCK
    assert entry.when == "true"


def test_head_of_a_policy() -> None:
    text = "name: mine\nversion: 2026-11-01\ndescription: d\nrules: []\n"
    policy = policies.loads(text)
    assert (policy.name, policy.version, policy.description, policy.rules) == ("mine", "2026-11-01", "d", ())
    assert policy.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_streams_are_windowed_unless_a_policy_says_otherwise() -> None:
    stream = policies.loads("name: a\nversion: 1\nrules: []").stream
    assert (stream.mode, stream.window) == (StreamMode.WINDOWED, 64)
    own = policies.loads("name: a\nversion: 1\nstream: {mode: buffered, window: 200}\nrules: []").stream
    assert (own.mode, own.window) == (StreamMode.BUFFERED, 200)


def test_a_whole_number_is_a_version() -> None:
    assert policies.loads("name: a\nversion: 3\nrules: []").version == "3"


def test_a_policy_error_is_a_configuration_error_and_says_where() -> None:
    error = refusal("name: a\nversion: 1\nrules: [\n")
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith("p.yaml:4:1: not valid YAML")
    assert (error.line, error.column) == (4, 1)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("", "the file is empty", 1, 1),
        ("rules: []\nversion: 1", "name: this key is required", 1, 1),
        ("name: a\nversion: 1.10\nrules: []", "version: this must be text; put it in quotes", 2, 10),
        ("name: a\nversion: true\nrules: []", "version: this must be text", 2, 10),
        ("name: a b\nversion: 1\nrules: []", "name: String should match pattern", 1, 7),
        ("name: a\nversion: 1\nrules: []\nrulez: 1", "'rulez' is not a key", 4, 1),
        ("name: a\nversion: 1\nname: b\nrules: []", "'name' is given twice", 3, 1),
        ("name: a\nversion: 1\nrequire: {picture: {mark: true}}\nrules: []", "'picture' is not a key", 3, 11),
        ("name: a\nversion: 1\nrequire: {image: {mark: 1}}\nrules: []", "a valid boolean", 3, 25),
        ("name: a\nversion: 1\nrequire: {image: {marks: true}}\nrules: []", "'marks' is not a key", 3, 19),
        (HEAD + " x", "rules: a valid", 3, 8),
        ("name: a\nversion: 1\nstream: {mode: fast}\nrules: []", "'windowed', 'buffered' or 'shadow'", 3, 16),
        ("name: a\nversion: 1\nstream: {window: 3}\nrules: []", "greater than or equal to 4", 3, 18),
        ("name: a\nversion: 1\nstream: {window: '9'}\nrules: []", "stream.window: ", 3, 18),
        ("name: a\nversion: 1\nstream:\n  windows: 9\nrules: []", "'windows' is not a key", 4, 3),
    ],
)
def test_refused_heads(text: str, message: str, line: int, column: int) -> None:
    error = refusal(text)
    assert message in error.message
    assert (error.line, error.column) == (line, column)


@pytest.mark.parametrize(
    ("rule", "message", "line", "column"),
    [
        ("{when: 'true', action: block, reason: r}", "rules.0.id: this key is required", 4, 3),
        ("{id: a, when: 'true', action: block}", "rules.0.reason: this key is required", 4, 3),
        (
            "{id: a, when: 'true', action: stop, reason: r}",
            "'allow', 'label', 'blur', 'redact', 'review' or 'block'",
            4,
            33,
        ),
        ("{id: a, when: 'true', action: block, mode: maybe, reason: r}", "'enforce' or 'shadow'", 4, 46),
        ("{id: a, when: 'true', action: block, on_error: x, reason: r}", "rules.0.on_error", 4, 50),
        ("{id: a, when: 'true', action: block, on_error: redact, reason: r}", "nothing to redact", 4, 50),
        ("{id: a, when: 'true', action: block, on_error: blur, reason: r}", "nothing to blur", 4, 50),
        ("{id: a, when: 'true', action: block, stages: [], reason: r}", "rules.0.stages", 4, 48),
        ("{id: a, when: 'true', action: block, stages: [in], reason: r}", "rules.0.stages.0", 4, 49),
        ("{id: a, when: 'true', action: block, stage: prompt, reason: r}", "'stage' is not a key", 4, 40),
        ("{id: a, when: 'true', action: block, labels: [x], reason: r}", "choose what to redact", 4, 3),
        ("{id: a, when: 'true', action: block, detector: x, reason: r}", "choose what to redact", 4, 3),
        ("{id: a, when: 3, action: block, reason: r}", "rules.0.when: this must be text", 4, 17),
        ('{id: a, when: "\\ud800", action: block, reason: r}', "rules.0.when", 4, 17),
        ("{id: no, when: 'true', action: block, reason: r}", "this must be text; put it in quotes", 4, 8),
        ("{id: '', when: 'true', action: block, reason: r}", "rules.0.id", 4, 8),
    ],
)
def test_refused_rules(rule: str, message: str, line: int, column: int) -> None:
    error = refusal(f"{HEAD}\n- {rule}")
    assert message in error.message
    assert (error.line, error.column) == (line, column)


def test_a_repeated_id_names_the_first_line() -> None:
    rules = (
        RULE.format(id="a", when="true") + RULE.format(id="b", when="true") + RULE.format(id="a", when="true")
    )
    error = refusal(HEAD + rules)
    assert "rule id 'a' is taken by the rule on line 4" in error.message
    assert (error.line, error.column) == (14, 9)


@pytest.mark.parametrize(
    ("when", "message", "line", "column"),
    [
        ('scores["x"] > 1', "write the number with a point, such as 1.0", 5, 23),
        ('1 < scores["x"]', "'<' cannot compare a double with an int", 5, 13),
        ('scores["x"] > 1u', "write the number with a point", 5, 23),
        (
            '"stag == \\"a\\" || stage == 3"',
            "'stag' is not a name that conditions know. They know: errors",
            5,
            12,
        ),
        ('"stage == \\"日𝒳\\" || stag"', "'stag' is not a name", 5, 31),
        ("'stage == ''a'' || stag'", "'stag' is not a name", 5, 30),
        ("stage == 1", "'==' does not work on (string, int)", 5, 17),
        ('stage == "a"\n      && modalit == "b"', "'modalit' is not a name", 6, 10),
        ('|\n      stage == "a"\n        && 1 == "b"\n', "'==' does not work on (int, string)", 7, 14),
        ('>-\n      stage == "a" &&\n\n      stage.foo()\n', "'foo' is not a name", 8, 16),
        ("1 +", "mismatched input '<EOF>'", 5, 14),
        ('"stage == \'a"', "token recognition error", 5, 21),
        ("'!scores[\"x\"]'", "'!' does not work on (double)", 5, 12),
        ("scores[1] > 0.5", "'[]' does not work on (map(string, double), int)", 5, 17),
        ("stage in [1]", "'in' does not work on (string, list(int))", 5, 17),
        ("stage.x == stage", "cannot be the operand of a select operation", 5, 16),
        ("stage", "must be true or false, and this is a value of type STRING", 5, 11),
        ('scores["x"]', "this is a value of type DOUBLE", 5, 11),
        ("dyn(true)", "this is a value of type DYN", 5, 11),
        (
            '"' + "(" * 400 + "true" + ")" * 400 + '"',
            "does not compile: Expression recursion limit exceeded",
            5,
            12,
        ),
    ],
)
def test_refused_conditions(when: str, message: str, line: int, column: int) -> None:
    error = refusal(with_when(when))
    assert error.message.startswith("p.yaml:")
    assert "rule 'r': " in error.message
    assert message in error.message
    assert "expecting {" not in error.message
    assert "INVALID_ARGUMENT" not in error.message
    assert (error.line, error.column) == (line, column)


def test_a_condition_that_yaml_misreads_is_yamls_complaint() -> None:
    error = refusal(with_when("stage == 'a' ? true : false"))
    assert "mapping values are not allowed here" in error.message
    assert error.line == 5


def test_load_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(with_when("true").replace("\n", "\r\n").encode())
    policy = policies.load(path)
    assert isinstance(policy, Policy)
    assert policy.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_errors_of_a_file_name_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(with_when("stag"), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"mine\.yaml:5:11: rule 'r': 'stag'"):
        policies.load(str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read") as caught:
        policies.load(tmp_path / "absent.yaml")
    assert (caught.value.line, caught.value.column) == (1, 1)


def test_a_folder_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        policies.load(tmp_path)
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"name: \xff")
    with pytest.raises(PolicyError, match="not UTF-8"):
        policies.load(path)


def test_the_rooms_names_are_sorted() -> None:
    assert list(policies.__all__) == sorted(policies.__all__)
