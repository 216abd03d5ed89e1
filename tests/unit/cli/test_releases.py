"""`guard generate` and `guard release`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import models.registry
from guard.errors import ModelNotFoundError
from guard.media import Artifact, Modality
from models.base import GenerationRequest, Generator, ModelCard
from tests.pictures import encoded, natural
from tests.unit.cli.conftest import Guard


class Painter:
    """A quick model: a picture of each seed, always PNG."""

    card = ModelCard("painter", "1", Modality.IMAGE, "tests")

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []

    def generate(self, request: GenerationRequest) -> Sequence[Artifact]:
        self.requests.append(request)
        return [Artifact.from_bytes(encoded(natural(index))) for index in range(request.n)]


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """The only model there is, under the name `painter`."""
    painter = Painter()

    def load(name: str, *, modality: Modality, upstream: Callable[[], object] | None) -> Generator:
        if name != "painter":
            raise ModelNotFoundError(f"No model goes by the name {name!r}.")
        return painter

    monkeypatch.setattr(models.registry, "load", load)
    return painter


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A picture that some model made."""
    path = tmp_path / "made.png"
    path.write_bytes(encoded(natural(5)))
    return path


def test_release_marks_signs_and_records(guard: Guard, made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    record = guard("release", made, "--out", out, "--model", "dreamer", "--prompt", "a hill", "--json").record
    assert (record["file"], record["out"]) == (str(made), str(out))
    assert record["payload"] == record["release_id"]
    assert record["receipt"]["release_id"] == record["release_id"]
    assert (record["engine"], record["mime"], record["action"]) == ("tile", "image/png", "allow")
    verdict = guard("verify", "--json", out).record
    assert verdict["verdict"] == "trusted"
    assert verdict["ledger"]["match"] == "exact"
    assert verdict["sha256"] == record["sha256"]


def test_release_says_what_it_did(guard: Guard, made: Path, tmp_path: Path) -> None:
    ran = guard("release", made, "--out", tmp_path / "out.png")
    assert ran.code == 0
    assert ran.out.startswith(f"released  {tmp_path / 'out.png'}\n")
    assert "marked by tile" in ran.out


def test_release_names_the_rule_that_fired(
    guard: Guard, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "name: labels\nversion: 1\nrules:\n"
        "  - {id: say-so, stages: [output], when: 'true', action: label, reason: Say so.}\n"
    )
    monkeypatch.setenv("GUARD_POLICY", str(policy))
    assert "label (rule say-so)" in guard("release", made, "--out", tmp_path / "out.png").out


def test_release_of_a_text_is_signed_and_not_marked(guard: Guard, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("A short story about a hill.")
    ran = guard("release", source, "--out", out)
    assert ran.code == 0
    assert "not marked" in ran.out
    assert guard("verify", "--json", out).record["verdict"] == "trusted"


def test_a_forbidden_text_is_blocked_with_the_rule_named(guard: Guard, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("forbidden-demo-term")
    ran = guard("release", source, "--out", out)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("guard: Blocked by rule 'blocklist'")
    assert ran.err.count("\n") == 1
    assert not out.exists()


def test_a_forbidden_prompt_is_blocked_too(guard: Guard, made: Path, tmp_path: Path) -> None:
    ran = guard("release", made, "--out", tmp_path / "out.png", "--prompt", "forbidden-demo-term")
    assert ran.code == 1
    assert not (tmp_path / "out.png").exists()


def test_without_keys_the_remedy_is_to_make_some(
    guard: Guard, made: Path, tmp_path: Path, no_keys: Path
) -> None:
    ran = guard("release", made, "--out", tmp_path / "out.png")
    assert ran.code == 2
    assert "guard keys init" in ran.err
    assert not (tmp_path / "out.png").exists()


def test_the_input_is_never_overwritten(guard: Guard, made: Path) -> None:
    before = made.read_bytes()
    ran = guard("release", made, "--out", made)
    assert ran.code == 2
    assert "is the input itself" in ran.err
    assert made.read_bytes() == before


def test_an_ending_that_lies_is_refused(guard: Guard, made: Path, tmp_path: Path) -> None:
    ran = guard("release", made, "--out", tmp_path / "out.jpg")
    assert ran.code == 2
    assert "Name it out.png" in ran.err


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_an_unreadable_input_exits_2(guard: Guard, tmp_path: Path, name: str) -> None:
    ran = guard("release", name, "--out", tmp_path / "out.png")
    assert ran.code == 2
    assert "is not a file" in ran.err


def test_generate_releases_what_the_model_made(guard: Guard, painter: Painter, tmp_path: Path) -> None:
    out = tmp_path / "hill.png"
    ran = guard(
        "generate", "a hill", "--model", "painter", "--seed", "7", "--size", "512x384", "--out", out, "--json"
    )
    assert ran.code == 0
    (request,) = painter.requests
    assert (request.prompt, request.modality, request.n, request.seed) == ("a hill", Modality.IMAGE, 1, 7)
    assert (request.mime, dict(request.parameters)) == ("image/png", {"size": "512x384"})
    assert ran.record["out"] == str(out)
    assert guard("verify", out).code == 0


def test_generate_numbers_several_files(guard: Guard, painter: Painter, tmp_path: Path) -> None:
    ran = guard("generate", "a hill", "--model", "painter", "-n", "2", "--out", tmp_path / "hill.png")
    assert ran.code == 0
    files = [tmp_path / "hill-1.png", tmp_path / "hill-2.png"]
    assert sorted(tmp_path.iterdir()) == files
    assert guard("verify", *files).code == 0


def test_another_type_than_asked_for_is_kept_under_its_own_ending(
    guard: Guard, painter: Painter, tmp_path: Path
) -> None:
    record = guard("generate", "x", "--model", "painter", "--out", tmp_path / "hill.jpg", "--json").record
    assert painter.requests[0].mime == "image/jpeg"
    assert record["out"] == str(tmp_path / "hill.png")
    assert (tmp_path / "hill.png").exists()


def test_a_file_without_ending_asks_for_no_type(guard: Guard, painter: Painter, tmp_path: Path) -> None:
    assert guard("generate", "x", "--model", "painter", "--out", tmp_path / "hill").code == 0
    assert painter.requests[0].mime is None
    assert (tmp_path / "hill").exists()


def test_a_forbidden_prompt_never_reaches_the_model(guard: Guard, painter: Painter, tmp_path: Path) -> None:
    ran = guard("generate", "forbidden-demo-term", "--model", "painter", "--out", tmp_path / "x.png")
    assert ran.code == 1
    assert "blocklist" in ran.err
    assert painter.requests == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nobody"], "No model goes by the name 'nobody'"),
        (["--model", "painter", "--modality", "text"], "makes image, not text"),
        (["--model", "painter", "--modality", "smell"], "smell"),
        (["--model", "painter", "-n", "0"], "-n"),
        (["--model", "painter", "--out", "x.doc"], "'.doc'"),
        (["--model", "painter", "--out", "no/such/x.png"], "does not exist"),
    ],
)
def test_bad_usage(guard: Guard, painter: Painter, tmp_path: Path, options: list[str], message: str) -> None:
    if "--out" not in options:
        options = [*options, "--out", str(tmp_path / "x.png")]
    ran = guard("generate", "a hill", *options)
    assert ran.code == 2
    assert message in ran.err
    assert painter.requests == []


def test_the_upstream_of_the_settings_is_offered_to_the_model(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = []

    def load(name: str, *, modality: Modality, upstream: Callable[[], object] | None) -> Generator:
        offered.append(upstream)
        return Painter()

    monkeypatch.setattr(models.registry, "load", load)
    assert guard("generate", "x", "--model", "upstream:m", "--out", tmp_path / "a.png").code == 0
    monkeypatch.setenv("GUARD_UPSTREAM", "http://127.0.0.1:9/v1")
    assert guard("generate", "x", "--model", "upstream:m", "--out", tmp_path / "b.png").code == 0
    nothing, connect = offered
    assert nothing is None
    assert connect is not None
    assert connect().origin == "http://127.0.0.1:9"  # type: ignore[attr-defined]


def test_an_unreachable_upstream_is_one_sentence(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARD_UPSTREAM", "http://127.0.0.1:9/v1")
    ran = guard("generate", "x", "--model", "upstream:m", "--out", tmp_path / "a.png")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
