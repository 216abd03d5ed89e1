"""Sound detectors that somebody else trained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Context, Finding
from detectors.deepfake.convert import convert
from detectors.plugged import from_file
from guard.errors import DetectorError
from guard.media import Artifact
from guard.media.stream import Samples
from tests.unit.detectors.deepfake.golden_sounds import OUT, samples

pytestmark = pytest.mark.heavy

UPLOAD = Context("upload")
PUBLISHED = {"aasist": "AASIST", "aasist-l": "AASIST-L"}


def noise(seconds: float, rate: int = 16_000, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)).astype(np.float32)


def sound(mono: NDArray[np.float32], rate: int = 16_000) -> Artifact:
    return Artifact.from_samples(Samples(rate, mono[:, None]), "audio/wav")


def entry(folder: Path, kind: str, weights: Path, extra: str = "") -> Path:
    file = folder / "detectors.yaml"
    sha256 = hashlib.sha256((weights / "model.safetensors" if weights.is_dir() else weights).read_bytes())
    lines = f"id: mine\n    kind: {kind}\n    path: {weights}\n    sha256: {sha256.hexdigest()}\n{extra}"
    file.write_text(f"detectors:\n  - {lines}")
    return file


def inspected(file: Path, artifact: Artifact) -> Finding:
    (finding,) = from_file(file)["mine"].inspect(artifact, UPLOAD)
    return finding


@pytest.fixture(scope="module", params=PUBLISHED)
def published(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    target = tmp_path_factory.mktemp("weights") / f"{request.param}.safetensors"
    convert(request.param, shared_data / "aasist/models/weights" / f"{PUBLISHED[request.param]}.pth", target)
    return target


def test_published_weights_answer_as_worked_out_apart(published: Path, shared_data: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from detectors.deepfake.aasist import Aasist

    network = Aasist(24 if published.stem == "aasist-l" else 64).eval()
    network.load_state_dict(load_file(published), strict=False)
    expected = json.loads(OUT.read_text())["logits"][published.stem]
    batch = torch.from_numpy(np.stack([samples(shared_data / name) for name in expected]))
    with torch.inference_mode():
        found = network(batch).numpy()
    assert len(expected) == 20
    assert np.abs(found - np.array(list(expected.values()))).max() < 1e-4


def test_it_hears_all_of_a_sound_and_the_median_counts(published: Path, tmp_path: Path) -> None:
    file = entry(tmp_path, published.stem, published)
    short = inspected(file, sound(noise(2)))
    again = inspected(file, sound(np.tile(noise(2), 2)))
    assert short.details["raw"] == pytest.approx(again.details["raw"], abs=0.3)
    parts = [noise(4.0375, seed=seed) for seed in range(3)]
    whole = inspected(file, sound(np.concatenate(parts)))
    each = sorted(inspected(file, sound(part)).details["raw"] for part in parts)
    assert whole.details["raw"] == pytest.approx(each[1], abs=1e-3)
    assert whole.state == "scored"
    assert whole.likelihood_ratio is None


@pytest.mark.parametrize(
    ("mono", "rate", "why"),
    [
        (noise(0.5), 16_000, "needed"),
        (np.zeros(32_000, np.float32), 16_000, "silen"),
        (noise(3, rate=8_000), 8_000, "Hz"),
    ],
)
def test_too_little_to_go_by(
    published: Path, tmp_path: Path, mono: NDArray[np.float32], rate: int, why: str
) -> None:
    file = entry(tmp_path, published.stem, published)
    finding = inspected(file, sound(mono, rate))
    assert finding.state == "inconclusive"
    assert why in finding.inconclusive


def test_a_time_line_says_where(published: Path, tmp_path: Path) -> None:
    detector = from_file(entry(tmp_path, published.stem, published))["mine"]
    explanation = detector.explain(sound(noise(2)), UPLOAD)  # type: ignore[attr-defined]
    assert [round(start, 1) for start, _, _ in explanation.times] == [0.0, 0.5, 1.0, 1.5]
    assert detector.explain(sound(np.zeros(32_000, np.float32)), UPLOAD) is None  # type: ignore[attr-defined]


def test_weights_of_another_network_are_refused(published: Path, tmp_path: Path) -> None:
    other = "aasist" if published.stem == "aasist-l" else "aasist-l"
    with pytest.raises(DetectorError, match="another shape"):
        inspected(entry(tmp_path, other, published), sound(noise(2)))


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two classes in the hub's format, with random weights."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("wav2vec2")
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        conv_dim=(16, 16), conv_stride=(5, 4), conv_kernel=(10, 8), num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4, classifier_proj_size=8,
        id2label={0: "real", 1: "Fake"}, label2id={"real": 0, "Fake": 1},
    )  # fmt: skip
    Wav2Vec2ForSequenceClassification(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


class TestCheckpoints:
    def test_the_label_s_probability(self, wav2vec2: Path, tmp_path: Path) -> None:
        import torch
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        heard = sound(noise(1.5)).samples.data.mean(axis=1)
        inputs = AutoFeatureExtractor.from_pretrained(wav2vec2)(
            heard, sampling_rate=16_000, return_tensors="pt"
        )
        with torch.inference_mode():
            model = AutoModelForAudioClassification.from_pretrained(wav2vec2)
            expected = float(model(**inputs).logits.softmax(-1)[0, 1])
        found = inspected(
            entry(tmp_path, "audio-transformers", wav2vec2, "    label: fake\n"), sound(noise(1.5))
        )
        assert found.score == pytest.approx(expected, abs=1e-4)

    def test_a_label_that_it_has_not(self, wav2vec2: Path, tmp_path: Path) -> None:
        with pytest.raises(DetectorError, match="spoof"):
            inspected(
                entry(tmp_path, "audio-transformers", wav2vec2, "    label: spoof\n"), sound(noise(1.5))
            )
