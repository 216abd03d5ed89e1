from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guard.errors import ConfigurationError, MarkError, MissingExtraError
from guard.watermark import audioseal_nets
from guard.watermark.audioseal import ALG, AudioSeal, Checkpoint
from guard.watermark.base import Payload, Reading, ReadingState, Strength

PAYLOAD = Payload.from_hex("a5f0123456789abc")
# As small as the package's layers allow; everything else is as the cards have it.
TINY = {"n_filters": 8, "dimension": 32, "lstm": 1}
MAKERS = {"generator": audioseal_nets.generator_of, "detector": audioseal_nets.detector_of}


def sound(seconds: float, rate: int = 16000, channels: int = 1) -> NDArray[np.float32]:
    random = np.random.default_rng(5)
    times = np.arange(round(seconds * rate)) / rate
    swell = 0.2 * (1.2 + np.sin(2 * np.pi * 3 * times))[:, None]
    voices = np.sin(2 * np.pi * 200 * times[:, None] * np.arange(1, channels + 1))
    return (swell * (voices + 0.1 * random.normal(size=(len(times), channels)))).astype(np.float32)


def network(what: str) -> Any:
    import torch

    torch.manual_seed(3)
    return MAKERS[what]({"seanet": TINY})


def old_names(net: Any) -> dict[str, Any]:
    """The weights under the names of published checkpoints."""
    return {name.replace(".inner_conv", ""): weight for name, weight in net.state_dict().items()}


def pinned(path: Path) -> Checkpoint:
    return Checkpoint(path, hashlib.sha256(path.read_bytes()).hexdigest())


def saved(path: Path, what: str, config: Any = None, change: Callable[[Any], Any] = old_names) -> Checkpoint:
    import torch

    torch.save({"xp.cfg": config or {"seanet": TINY}, "model": change(network(what))}, path)
    return pinned(path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> AudioSeal:
    """The engine on random weights: its bits mean nothing, its plumbing is what is tested."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return AudioSeal(*(saved(folder / f"{what}.pth", what) for what in MAKERS))


def mark(engine: AudioSeal, samples: NDArray[Any], rate: int = 16000, **changed: Any) -> NDArray[np.float32]:
    options = {"payload": PAYLOAD, "key": b"", "strength": Strength.DEFAULT} | changed
    return engine.embed(samples, rate, **options)


@pytest.mark.heavy
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 2), (48000, 6), (96000, 1)])
def test_rate_length_and_channels_stay(tiny: AudioSeal, rate: int, channels: int) -> None:
    before = sound(1.2345, rate, channels)
    kept = before.copy()
    after = mark(tiny, before, rate)
    assert np.array_equal(before, kept)
    assert (after.shape, after.dtype) == (before.shape, np.float32)
    added = after - before
    assert all(-5 < snr < 40 for snr in 10 * np.log10((before**2).sum(0) / (added**2).sum(0)))
    above = np.abs(np.fft.rfft(added[:, 0])) ** 2
    assert rate <= 16000 or above[round(8200 * len(added) / rate) :].sum() < 1e-3 * above.sum()


@pytest.mark.heavy
def test_what_is_added_is_what_the_package_gives(tiny: AudioSeal) -> None:
    import torch

    before = sound(2)
    bits = torch.tensor([int(bit) for bit in f"{0xA5F0:016b}"])
    with torch.inference_mode():
        theirs = network("generator").get_watermark(torch.from_numpy(before.T[None].copy()), message=bits)
    assert np.allclose(mark(tiny, before) - before, theirs[0].numpy().T, atol=1e-5)
    louder, quieter = (mark(tiny, before, strength=step) for step in (Strength.ROBUST, Strength.INVISIBLE))
    assert np.allclose(louder - before, 2 * (quieter - before), atol=1e-5)


@pytest.mark.heavy
def test_only_the_upper_sixteen_bits_are_written(tiny: AudioSeal) -> None:
    before = sound(1)
    same = mark(tiny, before, payload=Payload.from_hex("a5f0ffffffffffff"))
    other = mark(tiny, before, payload=Payload.from_hex("a5f1123456789abc"))
    assert np.array_equal(mark(tiny, before), same)
    assert not np.array_equal(same, other)


@pytest.mark.heavy
def test_long_sound_is_marked_in_pieces_that_fit(tiny: AudioSeal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sound(23.4567, 16000, 2)
    pieces = mark(tiny, before) - before
    monkeypatch.setattr("guard.watermark.audioseal._PIECE", 60)
    whole = mark(tiny, before) - before
    assert np.sqrt(np.mean((pieces - whole) ** 2)) < 0.01 * np.sqrt(np.mean(whole**2))


@pytest.mark.heavy
@pytest.mark.parametrize("seconds", [1, 10, 10.5, 11, 19, 20.01])
def test_pieces_cover_every_length(tiny: AudioSeal, seconds: float) -> None:
    before = np.full((round(seconds * 8000), 1), 0.1, np.float32)
    added = (mark(tiny, before, 8000) - before)[:, 0]
    loudness = np.sqrt(np.add.reduceat(added**2, np.arange(0, len(added), 800)[:-1]))
    assert loudness.min() > 0.2 * loudness.max()


@pytest.mark.heavy
@pytest.mark.parametrize("seconds", [0.3, 7, 30])
def test_a_stream_marks_as_the_whole_is_marked(tiny: AudioSeal, seconds: float) -> None:
    before = sound(24, 8000, 2)
    stream = tiny.stream(8000, 2, PAYLOAD, key=b"", strength=Strength.DEFAULT)
    starts = range(0, len(before), round(seconds * 8000))
    after = [stream.push(before[start : start + starts.step]) for start in starts]
    assert sum(map(len, after)) >= len(before) - 10 * 8000
    whole = mark(tiny, before, 8000)
    assert np.allclose(np.concatenate([*after, stream.finish()]), whole, atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("rate", [16000, 44100])
def test_the_reading_is_a_candidate_of_sixteen_bits(tiny: AudioSeal, rate: int) -> None:
    engine = AudioSeal(detector=leaning(tiny, 5.0))
    reading = engine.read(sound(12, rate, 2), rate, keys=[b"any"])
    assert reading == Reading(
        ReadingState.CANDIDATE, "audioseal", short_id=0xA5F0, quality=1.0, short_bits=16
    )


@pytest.mark.heavy
def test_what_does_not_look_marked_is_absent(tiny: AudioSeal) -> None:
    engine = AudioSeal(detector=leaning(tiny, -5.0))
    absent = Reading(ReadingState.ABSENT, "audioseal", quality=0.0)
    assert engine.read(sound(2), 16000, keys=[]) == absent


def leaning(tiny: AudioSeal, towards: float) -> Checkpoint:
    """A detector that is always as sure, and always reads A5F0: its last layer does not listen."""
    import torch

    assert tiny.detector
    path = tiny.detector.path.with_name(f"leaning{towards}.pth")
    weights = old_names(network("detector"))
    bits = [4.0 if bit == "1" else -4.0 for bit in f"{0xA5F0:016b}"]
    weights["detector.1.weight"].zero_()
    weights["detector.1.bias"] = torch.tensor([0.0, towards, *bits])
    torch.save({"xp.cfg": {"seanet": TINY}, "best_state": {"model": weights}}, path)
    return pinned(path)


@pytest.mark.heavy
def test_sound_below_a_second(tiny: AudioSeal) -> None:
    with pytest.raises(MarkError, match="a second of sound"):
        mark(tiny, sound(0.99))
    assert tiny.read(sound(0.99), 16000, keys=[]) == Reading(ReadingState.UNSUPPORTED, "audioseal")


@pytest.mark.heavy
def test_silent_channels_and_silence_do_no_harm(tiny: AudioSeal) -> None:
    assert np.isfinite(mark(tiny, np.zeros((16000, 2), np.float32))).all()
    assert tiny.read(np.zeros((16000, 2), np.float32), 16000, keys=[]).state in ReadingState


@pytest.mark.heavy
def test_a_configuration_of_omegaconf_is_read(tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    config = OmegaConf.create({"seanet": {**TINY, "lstm": "${layers}"}, "layers": 1, "optim": {"lr": 0.1}})
    OmegaConf.resolve(config)
    path = tmp_path / "g.pth"
    engine = AudioSeal(generator=saved(path, "generator", config))
    assert mark(engine, sound(1)).shape == (16000, 1)


@pytest.mark.heavy
def test_newer_names_and_weight_norm_are_read(tiny: AudioSeal, tmp_path: Path) -> None:
    def normed(net: Any) -> dict[str, Any]:
        weights = old_names(net)
        for name in [name for name in weights if name.endswith(("conv.weight", "convtr.weight"))]:
            weight = weights.pop(name)
            weights[f"{name}_v"] = weight
            weights[f"{name}_g"] = weight.flatten(1).norm(dim=1)[:, None, None]
        return weights

    before = sound(1)
    newer = saved(tmp_path / "newer.pth", "generator", change=lambda net: net.state_dict())
    folded = saved(tmp_path / "folded.pth", "generator", change=normed)
    for checkpoint in (newer, folded):
        assert np.allclose(mark(AudioSeal(checkpoint), before), mark(tiny, before), atol=1e-5)


@pytest.mark.heavy
def test_another_file_than_the_pinned_is_refused(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "generator.pth", "generator")
    changed = Checkpoint(checkpoint.path, "0" * 64)
    with pytest.raises(ConfigurationError, match=f"got sha256 {checkpoint.sha256}, expected 0000"):
        mark(AudioSeal(generator=changed), sound(1))
    upper = Checkpoint(checkpoint.path, checkpoint.sha256.upper())
    assert len(mark(AudioSeal(generator=upper), sound(1)))


class Dangerous:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


@pytest.mark.heavy
def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    torch.save({"xp.cfg": Dangerous(), "model": {}}, "bad.pth")
    with pytest.raises(ConfigurationError, match="more than weights"):
        mark(AudioSeal(generator=pinned(Path("bad.pth"))), sound(1))
    assert not Path("executed").exists()


@pytest.mark.heavy
def test_what_is_no_checkpoint(tiny: AudioSeal, tmp_path: Path) -> None:
    import torch

    text, tensor = tmp_path / "text.pth", tmp_path / "tensor.pth"
    text.write_text("weights")
    torch.save(torch.zeros(3), tensor)
    for path, said in ((text, "no checkpoint"), (tensor, "no checkpoint of AudioSeal")):
        with pytest.raises(ConfigurationError, match=said):
            mark(AudioSeal(generator=pinned(path)), sound(1))
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        mark(AudioSeal(generator=Checkpoint(tmp_path / "none.pth", "")), sound(1))
    with pytest.raises(ConfigurationError, match="not hold the weights"):
        mark(AudioSeal(generator=tiny.detector), sound(1))


@pytest.mark.parametrize("what", ["generator", "detector"])
def test_what_is_not_set_is_asked_for(what: str) -> None:
    with pytest.raises(ConfigurationError, match=f"No {what}") as caught:
        mark(AudioSeal(), sound(1)) if what == "generator" else AudioSeal().read(sound(1), 16000, keys=[])
    assert f"GUARD_AUDIOSEAL__{what.upper()}_SHA256" in caught.value.remedy


@pytest.mark.heavy
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "audioseal", None)
    with pytest.raises(MissingExtraError, match=r"guard-provenance\[local\]"):
        mark(AudioSeal(generator=Checkpoint(tmp_path / "g.pth", "")), sound(1))


@pytest.mark.heavy
def test_marks_of_two_engines_share_a_clip(tiny: AudioSeal) -> None:
    """The other mark is as loud as AudioSeal's own is: 25 dB below the sound."""
    from guard.watermark.dipole import embed, read

    before = sound(10, 16000)
    added = mark(tiny, before) - before
    level = 10 ** (-25 / 20) * np.sqrt(np.mean(before**2) / np.mean(added**2))
    first = embed(before, 16000, PAYLOAD, key=b"key", strength=Strength.DEFAULT) + level * added
    assert read(first, 16000, keys=[b"key"]).payload == PAYLOAD
    second = embed(
        (before + level * added).astype(np.float32), 16000, PAYLOAD, key=b"key", strength=Strength.DEFAULT
    )
    assert read(second, 16000, keys=[b"key"]).payload == PAYLOAD


def test_the_module_alone_imports_nothing_heavy() -> None:
    code = "import sys, guard.watermark.audioseal; print('torch' in sys.modules, 'audioseal' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "False"]
    assert ALG == "guard.audioseal.1"
