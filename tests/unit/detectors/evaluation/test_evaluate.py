"""The whole evaluation, from a folder to a report."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors import Finding, Measurement, abstained
from detectors.cards import measurements
from detectors.evaluation import Plan, Report, run
from detectors.evaluation.changes import conditions
from detectors.evaluation.items import collect
from detectors.evaluation.leakage import identity
from detectors.evaluation.scoring import score
from detectors.evaluation.verdict import warnings
from guard.errors import DetectorError, InputError
from guard.media import Artifact, Modality
from tests.pictures import encoded, natural
from tests.unit.detectors.seers import Many, Seer, found
from tests.voices import artifact as voice

PICTURES = {"signal": "synthetic", "modalities": frozenset({Modality.IMAGE})}
TEXTS = {"signal": "toxicity", "others": ("insult",)}


def smooth(artifact: Artifact) -> Sequence[Finding]:
    """Takes pictures without fine detail for synthetic; abstains from tiny ones."""
    pixels = artifact.picture.rgb().astype(float)
    if min(pixels.shape[:2]) < 60:
        return [abstained(SMOOTH.card, "The picture is 9 × 9 pixels; 60 are needed.")]
    raw = 12 - float(np.abs(np.diff(pixels, axis=1)).mean())
    return [found(1 / (1 + np.exp(-raw)), "synthetic", likelihood_ratio=1.0, details={"raw": raw})]


SMOOTH = Many(smooth, **PICTURES)


def shape(seed: int, blur: bool, side: int = 96) -> np.ndarray:
    import cv2

    pixels = natural(seed, side, side)
    return cv2.GaussianBlur(pixels, (0, 0), 2) if blur else pixels


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of either class, of one format and size, and what nobody can use."""
    root = tmp_path_factory.mktemp("pictures") / "set & <b>more"
    for seed in range(32):
        blur = seed % 2 == 0
        source = f"{'synthetic' if blur else 'real'}/{'a<i>$x$' if seed % 4 < 2 else 'b'}"
        (root / source).mkdir(parents=True, exist_ok=True)
        (root / source / f"{seed}.png").write_bytes(encoded(shape(seed, blur)))
    (root / "real" / "b" / "tiny.png").write_bytes(encoded(natural(0, 9, 9)))
    (root / "real" / "b" / "broken.png").write_bytes(encoded(shape(0, False))[:500])
    (root / "real" / "b" / "empty.png").write_bytes(b"")
    (root / "real" / "b" / "readme.txt").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def report(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run(SMOOTH, Plan(pictures, seed=1), tmp_path_factory.mktemp("out") / "deep" / "er")


class TestPictures:
    def test_a_good_detector_scores_well(self, report: Report) -> None:
        first = report.data["conditions"][0]
        assert first["name"] == "same pipeline"
        assert first["macro_auc"] > 0.8
        assert first["macro_auc_interval"][0] <= first["macro_auc"] <= first["macro_auc_interval"][1]
        assert [condition["name"] for condition in report.data["conditions"]][1:] == [
            "resized to 512",
            "as given",
        ]

    def test_what_cannot_be_used_is_named(self, report: Report) -> None:
        unreadable = report.data["unreadable"]
        assert set(unreadable) == {f"real/b/{name}" for name in ("broken.png", "empty.png", "readme.txt")}
        assert unreadable["real/b/readme.txt"] == "text, which the detector does not look at"

    def test_abstentions_count_against_the_coverage_alone(self, report: Report) -> None:
        first = report.data["conditions"][0]
        assert first["coverage"] == pytest.approx(32 / 33)
        assert first["abstentions"] == {"The picture is # × # pixels; ## are needed.": 1}

    def test_who_never_doubts_is_not_made_to_answer(self, report: Report) -> None:
        assert [condition["made_to_answer"] for condition in report.data["conditions"]] == [None] * 3
        assert "made to answer" not in report.page.read_text()

    def test_who_doubts_is_also_measured_as_if_made_to_answer(self, pictures: Path, tmp_path: Path) -> None:
        def shy(artifact: Artifact) -> Sequence[Finding]:
            said = smooth(artifact)[0]
            if said.score is None or abs(said.score - 0.5) > 0.49:
                return [said]
            return [abstained(SMOOTH.card, "Not clear enough.", raw=float(said.details["raw"]))]

        made = run(Many(shy, **PICTURES), Plan(pictures, controls=False, seed=1), tmp_path)
        bold = run(SMOOTH, Plan(pictures, controls=False, seed=1), tmp_path / "bold")
        first, all_answers = made.data["conditions"][0], bold.data["conditions"][0]
        assert first["coverage"] < all_answers["coverage"]
        assert first["made_to_answer"]["macro_auc"] == all_answers["macro_auc"]
        assert first["made_to_answer"]["share"] == pytest.approx(32 / 33), "the tiny picture has no output"
        assert "made to answer" in made.page.read_text()

    def test_every_control_was_tried_and_the_worst_comes_first(self, report: Report) -> None:
        shares = [row["flagged"] or 0.0 for row in report.data["controls"]]
        assert len(shares) == 9
        assert shares == sorted(shares, reverse=True)
        assert {row["name"]: row["flagged"] for row in report.data["controls"]}["blurred"] > 0.5
        assert any("flagged under the control" in line for line in report.lines())

    def test_a_card_takes_its_measurements_from_it(self, report: Report) -> None:
        stored = json.loads((report.page.parent / "report.json").read_text())
        rows = measurements(stored)
        assert {row.name for row in rows if row.kind == "source"} == {"a<i>$x$", "b"}
        assert sum(row.kind == "control" for row in rows) == 9
        assert all(isinstance(row, Measurement) for row in rows)
        assert stored["false_alarms"] == stored["conditions"][0]["false_alarms"]
        assert stored["data"] == "set & <b>more"

    def test_the_same_seed_gives_the_same_scores(self, pictures: Path) -> None:
        items = collect(pictures, SMOOTH.card, 9).items[:6]
        change = conditions(Modality.IMAGE, "synthetic", [])[0].change
        raw = [score(SMOOTH, "synthetic", items, change, seed).raw.tolist() for seed in (1, 1, 2)]
        assert raw[0] == raw[1] != raw[2]

    def test_a_picture_is_known_again_and_a_broken_one_is_no_leak(
        self, pictures: Path, tmp_path: Path
    ) -> None:
        split = tmp_path / "split.json"
        known = [identity(Artifact.from_path(path)) for path in sorted(pictures.glob("real/b/[0-9]*.png"))]
        split.write_text(json.dumps({"train": known}))
        data = run(SMOOTH, Plan(pictures, splits=split, limit=5, controls=False), tmp_path / "out").data
        assert set(data["leakage"]["found"]) == {f"real/b/{n}.png" for n in (11, 15, 19, 23, 27)}
        assert data["controls"] == []

    def test_the_page_needs_nothing_and_takes_no_names_for_markup(self, report: Report) -> None:
        page = report.page.read_text(encoding="utf-8")
        read = Reader()
        read.feed(page)
        assert not read.open
        assert "i" not in read.seen
        assert "script" not in read.seen
        assert page.count("<svg") == 3 * 4 + 1
        assert "a&lt;i&gt;$x$" in page
        assert not re.search(r'(?:src|href)="(?!#)', page)
        assert "set &amp; &lt;b&gt;more" in page

    def test_the_summary_is_short_and_plain(self, report: Report) -> None:
        summary = report.summary()
        assert summary["detector"] == "seer"
        assert json.loads(json.dumps(summary))["name"] == "same pipeline"
        assert report.lines()[-1] == f"Report: {report.page}"


class Reader(HTMLParser):
    """Which tags a page has, and which it leaves open."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop() != tag:
            pass


def lay(root: Path, **texts: Sequence[str]) -> Path:
    for place, lines in texts.items():
        label, _, source = place.partition("__")
        (root / label).mkdir(parents=True, exist_ok=True)
        content = "\n".join(json.dumps({"text": text}) for text in lines)
        (root / label / f"{source}.jsonl").write_text(content, encoding="utf-8")
    return root


def rude(artifact: Artifact) -> Sequence[Finding]:
    text = artifact.text
    if "fail" in text:
        raise DetectorError("Out of order.")
    if "?" in text:
        return [abstained(SMOOTH.card, "This is a question.", "toxicity")]
    return [found(0.9 if "bad" in text else 0.2), found(0.95 if "bad" in text else 0.1, "toxicity")]


RUDE = Seer(rude, **TEXTS)
NICE = [f"a nice text number {number}" for number in range(40)]
ROUGH = [f"a rude bad text number {number}" for number in range(40)]


class TestTexts:
    def test_a_set_whose_classes_differ_in_length_is_void(self, tmp_path: Path) -> None:
        data = lay(tmp_path / "set", clean__a=NICE, toxic__b=[text * 9 for text in ROUGH])
        report = run(RUDE, Plan(data), tmp_path / "out")
        assert not report.sound
        assert report.lines()[0].startswith("VOID: format, size and length alone tell the classes apart")
        assert report.data["conditions"][0]["macro_auc"] == 1.0
        assert "This set is void" in report.page.read_text()

    def test_failures_abstentions_and_one_source_are_owned_up_to(self, tmp_path: Path) -> None:
        mixed = [f"a calm old text number {number}" for number in range(25)]
        data = lay(tmp_path / "set", clean__a=mixed, toxic__b=[*ROUGH[:10], *["fail"] * 9, *["why bad?"] * 9])
        report = run(RUDE, Plan(data), tmp_path / "out")
        said = " ".join(report.lines())
        assert "The detector failed on 9 items; for one, toxic/b.jsonl:11: Out of order." in said
        assert "answers for 66 % of the items only" in said
        assert "All 'clean' items come from one source" in said
        assert "There are only 25 'clean' items." in said
        assert "No training split was given" in said
        assert report.data["conditions"][0]["abstentions"] == {"This is a question.": 9}

    @pytest.mark.parametrize("label", ["clean", "toxic"])
    def test_one_class_alone(self, tmp_path: Path, label: str) -> None:
        data = lay(tmp_path / "set", **{f"{label}__a": NICE})
        report = run(RUDE, Plan(data), tmp_path / "out")
        assert report.sound
        assert any("nothing can be said of how well" in line for line in report.lines())
        assert report.data["conditions"][0]["sources"][0]["flagged"] == 0.0
        assert report.page.exists()

    def test_what_was_trained_on_is_left_out(self, tmp_path: Path) -> None:
        data = lay(tmp_path / "set", clean__a=NICE, toxic__b=ROUGH)
        split = tmp_path / "split.json"
        split.write_text(json.dumps({"train": [identity(Artifact.from_text(text)) for text in ROUGH[:5]]}))
        report = run(RUDE, Plan(data, splits=split), tmp_path / "out")
        assert set(report.data["leakage"]["found"].values()) == {"the same bytes"}
        assert report.data["items"]["positive"] == {"b": 35}
        assert any(line.startswith("5 items were seen in training") for line in report.lines())

    def test_a_card_may_bring_its_training_split(self, tmp_path: Path) -> None:
        data = lay(tmp_path / "set", clean__a=NICE, toxic__b=ROUGH)
        known = {"training": {"items": [identity(Artifact.from_text(NICE[0]))]}}
        report = run(Seer(rude, **TEXTS, report=known), Plan(data), tmp_path / "out")
        assert report.data["leakage"]["checked"]
        assert len(report.data["leakage"]["found"]) == 1

    def test_a_kind_that_the_detector_does_not_look_at(self, tmp_path: Path) -> None:
        (tmp_path / "set" / "real" / "a").mkdir(parents=True)
        (tmp_path / "set" / "real" / "a" / "x.png").write_bytes(encoded(natural(0, 20, 20)))
        with pytest.raises(InputError, match=r"No item could be put to the detector; for one, real/a/x.png"):
            run(RUDE, Plan(tmp_path / "set"), tmp_path / "out")

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        data = lay(tmp_path / "set", clean__a=NICE[:3])
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="cannot be written"):
            run(RUDE, Plan(data), tmp_path / "file")

    def test_the_signal_that_counts_is_asked_for(self, tmp_path: Path) -> None:
        data = lay(tmp_path / "set", clean__a=NICE[:3], toxic__b=ROUGH[:3])
        items = collect(data, RUDE.card, 9).items
        assert set(score(RUDE, "toxicity", items, None, 0).score) == {0.1, 0.95}
        assert set(score(RUDE, "tone", items, None, 0).score) == {0.2, 0.9}
        assert set(score(RUDE, "else", items, None, 0).score) == {0.2, 0.95}


def test_sounds_are_measured_with_their_controls(tmp_path: Path) -> None:
    for seed in range(2):
        for label in ("real", "synthetic"):
            path = tmp_path / "set" / label / f"s{seed % 2}" / f"{seed}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(voice("audio/wav", 1.2, seed + 9 * (label == "real")).data)
    seer = Seer(
        lambda _: [found(0.3, "synthetic")], signal="synthetic", modalities=frozenset({Modality.AUDIO})
    )
    told: list[str] = []
    report = run(seer, Plan(tmp_path / "set"), tmp_path / "out", told.append)
    assert [row["flagged"] for row in report.data["controls"]] == [0.0] * 3
    assert told[0] == "same pipeline: 4 items"
    assert "control MP3: 2 items" in told
    assert report.data["conditions"][0]["macro_auc"] == 0.5


def told(**first: Any) -> list[str]:
    """The warnings of a report whose first condition says this."""
    condition = {
        "void": {"void": False, "auc": 0.5},
        "failures": {},
        "coverage": 1.0,
        "shuffled_auc": 0.5,
        "calibration_error": 0.01,
        "asserted": {"positive": {"right": 0.9}},
    }
    return warnings(
        {
            "labels": ["real", "synthetic"],
            "items": {"negative": {"a": 50, "b": 50}, "positive": {"c": 50, "d": 50}},
            "leakage": {"checked": True, "found": {}},
            "unreadable": {},
            "controls": [{"name": "blurred", "flagged": None}],
            "conditions": [condition | first],
        }
    )


@pytest.mark.parametrize(
    ("first", "warning"),
    [
        ({"shuffled_auc": 0.58}, "With labels at random the AUC is 0.58"),
        ({"calibration_error": 0.2}, "Scores are off as probabilities by 0.20"),
        ({"asserted": {"positive": {"right": 0.6}}}, "90 % sure or more, it is right 60 % of the time"),
        ({"void": {"void": False, "auc": None}}, "too few items for the void test"),
    ],
)
def test_each_warning_alone(first: dict[str, Any], warning: str) -> None:
    assert told() == []
    (said,) = told(**first)
    assert warning in said
