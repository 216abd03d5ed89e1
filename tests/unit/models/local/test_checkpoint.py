from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from guard.errors import InputError, MissingExtraError, ModelNotFoundError
from guard.media import Modality
from models.local.checkpoint import Checkpoint, card_of, locate

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(name.encode())
    return path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and nobody at the hub's address."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "hub"


def cached(hub: Path, name: str, *files: str) -> Path:
    """Place a model where the hub's client keeps one it fetched."""
    home = hub / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    return folder_of(home / "snapshots" / COMMIT, *files)


@pytest.mark.parametrize(
    ("names", "modality"),
    [
        (["config.json"], Modality.TEXT),
        (["model_index.json"], Modality.IMAGE),
        (["config.json", "model_index.json"], Modality.IMAGE),
    ],
)
def test_the_kind_of_model_shows_in_its_files(tmp_path: Path, names: list[str], modality: Modality) -> None:
    found = locate(str(folder_of(tmp_path, *names)))
    assert found == Checkpoint(tmp_path.name, tmp_path, modality)


@pytest.mark.parametrize(
    ("config", "modality"),
    [
        ('{"model_type": "vits"}', Modality.AUDIO),
        ('{"model_type": "speecht5"}', Modality.AUDIO),
        ('{"model_type": "bark"}', Modality.AUDIO),
        ('{"model_type": "musicgen"}', Modality.AUDIO),
        ('{"model_type": "whisper"}', Modality.TEXT),
        ('{"model_type": "llama"}', Modality.TEXT),
        ('{"model_type": ["vits"]}', Modality.TEXT),
        ("[]", Modality.TEXT),
        ("{", Modality.TEXT),
        ("\xff", Modality.TEXT),
    ],
)
def test_models_of_sound_show_in_their_settings(tmp_path: Path, config: str, modality: Modality) -> None:
    (tmp_path / "config.json").write_bytes(config.encode("latin-1"))
    assert locate(str(tmp_path)).modality is modality


def test_the_card_does_not_tell_where_on_the_machine_the_folder_lies(tmp_path: Path) -> None:
    card = card_of(locate(str(folder_of(tmp_path, "config.json"))))
    assert card.name == tmp_path.name
    assert str(tmp_path.parent) not in str(card)


def test_a_folder_without_a_model_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="holds no model") as caught:
        locate(str(tmp_path))
    assert "save_pretrained" in caught.value.remedy


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "./nor/this", "a/b/c", "", "org/model@main", "örg/model"]
)
def test_what_is_no_folder_and_no_hub_id(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder_of(tmp_path, "x"))
    with pytest.raises(ModelNotFoundError) as caught:
        locate(name)
    assert "No model lies" in caught.value.message or "holds no model" in caught.value.message


def test_a_folder_has_no_revisions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="revision"):
        locate(str(folder_of(tmp_path, "config.json")), revision="main")


@pytest.mark.heavy
@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_model_in_the_hubs_cache_is_found_with_its_commit(hub: Path, revision: str | None) -> None:
    folder = cached(hub, "org/tiny", "config.json")
    assert locate("org/tiny", revision=revision) == Checkpoint("org/tiny", folder, Modality.TEXT, COMMIT)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "revision"), [("org/absent", None), ("org/tiny", "v2"), ("-bad-/id", None), ("single", None)]
)
def test_a_model_that_is_not_here_is_not_fetched(hub: Path, name: str, revision: str | None) -> None:
    cached(hub, "org/tiny", "config.json")
    with pytest.raises(ModelNotFoundError, match="not on this machine") as caught:
        locate(name, revision=revision)
    assert "Fetch it first" in caught.value.remedy


@pytest.mark.heavy
def test_a_hub_that_cannot_be_reached_is_said_plainly(hub: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="The hub did not give org/absent at v1: "):
        locate("org/absent", revision="v1", allow_download=True)


def test_without_the_extra_the_hub_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="local"):
        locate("org/tiny")


def test_the_weights_hash_is_one_that_a_shell_gives_too(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, "model_index.json", "unet/b.safetensors", "a.safetensors", "unet-2/c.safetensors"
    )
    command = "find * -name '*.safetensors' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    shell = subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True, text=True)
    card = card_of(locate(str(folder)))
    assert card.sha256 == shell.stdout.split()[0]
    assert card.version == card.sha256[:12]


def test_the_weights_hash_sees_bytes_and_names(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "config.json", "model.safetensors")
    before = card_of(locate(str(folder))).sha256
    (folder / "model.safetensors").write_bytes(b"other")
    changed = card_of(locate(str(folder))).sha256
    (folder / "model.safetensors").rename(folder / "renamed.safetensors")
    assert len({before, changed, card_of(locate(str(folder))).sha256}) == 3


def test_a_card_of_a_hub_model_names_its_revision(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "config.json")
    card = card_of(Checkpoint("org/tiny", folder, Modality.TEXT, COMMIT))
    assert (card.name, card.revision, card.version, card.provider) == (
        "org/tiny",
        COMMIT,
        COMMIT[:12],
        "local",
    )
    assert card.sha256 == hashlib.sha256().hexdigest()


@pytest.mark.parametrize(
    ("readme", "licence"),
    [
        ("---\nlicense: mit\n---\ntext", "mit"),
        ("---\nlicense:\n- mit\n- apache-2.0\n---", "mit, apache-2.0"),
        ("---\nlicense: other\nlicense_name: house-rules\n---\n", "house-rules"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlanguage: en\n---\n", "unknown"),
        ("---\n- a list\n---\n", "unknown"),
        ("---\nlicense: [broken\n---\n", "unknown"),
        ("no front matter, license: mit", "unknown"),
        ("---\nlicense: mit\nnever closed", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_licence_stands_in_the_front_matter(tmp_path: Path, readme: str | None, licence: str) -> None:
    folder_of(tmp_path, "config.json")
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    assert card_of(locate(str(tmp_path))).licence == licence
