"""Released files that are kept for the next download."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from guard.api.visual.shelf import Shelf, Source
from guard.app import App
from guard.media import Artifact, Limits
from guard.pipeline import Origin, Release
from tests.pictures import png

SOURCE: Source = ("https://api.example", "policy", "video_1")
LIMITS = Limits()


def released(app: App, seed: int = 0) -> Release:
    (release,) = app.guard().release([png(seed, 256, 256)], Origin("m"))
    return release


def shelf_of(app: App, max_bytes: int = 1 << 30) -> Shelf:
    return Shelf(app.settings.home / "shelf", app.ledger, max_bytes)


def test_what_is_kept_is_found_with_its_release(app: App) -> None:
    release = released(app)
    shelf_of(app).keep(SOURCE, "video", release.artifact)
    kept = shelf_of(app).find(SOURCE, "video", LIMITS)
    assert kept is not None
    assert kept.release_id == release.id
    assert kept.artifact == release.artifact
    assert os.stat(app.settings.home / "shelf").st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("source", "variant"),
    [
        (SOURCE, "thumbnail"),
        ((*SOURCE[:2], "video_2"), "video"),
        (("https://api.example", "other policy", "video_1"), "video"),
    ],
)
def test_nothing_else_is(app: App, source: Source, variant: str) -> None:
    shelf = shelf_of(app)
    shelf.keep(SOURCE, "video", released(app).artifact)
    assert shelf.find(source, variant, LIMITS) is None


def test_what_the_ledger_does_not_know_is_not_served(app: App) -> None:
    shelf = shelf_of(app)
    shelf.keep(SOURCE, "video", released(app).artifact)
    (path,) = shelf.folder.iterdir()
    path.write_bytes(png(5).data)
    assert shelf.find(SOURCE, "video", LIMITS) is None


def test_all_variants_are_forgotten_together(app: App) -> None:
    shelf = shelf_of(app)
    release = released(app)
    for variant in ("video", "thumbnail"):
        shelf.keep(SOURCE, variant, release.artifact)
    other = (*SOURCE[:2], "video_10")
    shelf.keep(other, "video", release.artifact)
    shelf.forget(SOURCE)
    assert shelf.find(SOURCE, "video", LIMITS) is None
    assert shelf.find(SOURCE, "thumbnail", LIMITS) is None
    assert shelf.find(other, "video", LIMITS) is not None


def test_what_nobody_asked_for_longest_makes_room(app: App) -> None:
    artifacts = [released(app, seed).artifact for seed in range(3)]
    shelf = shelf_of(app, max_bytes=len(artifacts[0].data) + len(artifacts[2].data) + 1000)
    for number, artifact in enumerate(artifacts[:2]):
        shelf.keep(SOURCE, str(number), artifact)
        _age(shelf.folder, 100)
    assert shelf.find(SOURCE, "0", LIMITS) is not None
    shelf.keep(SOURCE, "2", artifacts[2])
    assert shelf.find(SOURCE, "0", LIMITS) is not None
    assert shelf.find(SOURCE, "1", LIMITS) is None


def _age(folder: Path, seconds: int) -> None:
    for path in folder.iterdir():
        stat = path.stat()
        os.utime(path, (stat.st_atime - seconds, stat.st_mtime - seconds))


def test_a_folder_that_cannot_be_written_harms_nobody(app: App) -> None:
    (app.settings.home / "shelf").write_text("in the way")
    shelf = shelf_of(app)
    shelf.keep(SOURCE, "video", Artifact.from_text("x"))
    assert shelf.find(SOURCE, "video", LIMITS) is None
    shelf.forget(SOURCE)


def test_one_file_is_made_by_one_at_a_time(app: App) -> None:
    shelf = shelf_of(app)
    turn = shelf.turn(SOURCE, "video")
    assert shelf.turn(SOURCE, "video") is turn
    assert shelf.turn(SOURCE, "thumbnail") is not turn
