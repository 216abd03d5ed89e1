"""Sound and video: what comes out, when, and what is refused on the way."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from scipy.io import wavfile

from guard.errors import MalformedMediaError, UnsupportedMediaError
from guard.media import Artifact, Limits, Modality
from guard.media.stream import Samples, decode_samples, duration
from tests.unit.media.makers import FILES, sound, video

SOUNDS = [
    ("wav", "pcm_s16le"),
    ("wav", "pcm_s24le"),
    ("wav", "pcm_f32le"),
    ("wav", "pcm_u8"),
    ("flac", "flac"),
    ("mp3", "libmp3lame"),
    ("ipod", "aac"),
    ("adts", "aac"),
    ("ogg", "libopus"),
    ("ogg", "vorbis"),
    ("webm", "libopus"),
]
VIDEOS = [
    ("mp4", "libx264"),
    ("mp4", "mpeg4"),
    ("mov", "libx264"),
    ("webm", "libvpx"),
    ("webm", "libvpx-vp9"),
    ("matroska", "libx264"),
    ("avi", "mpeg4"),
]


def tone_strength(samples: Samples) -> float:
    """How much of the sound is the tone that `makers.sound` plays, in the middle of it."""
    middle = samples.data[len(samples.data) // 4 : -len(samples.data) // 4, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak = int(spectrum.argmax())
    return float((spectrum[peak - 3 : peak + 4] ** 2).sum() / (spectrum**2).sum())


@pytest.mark.parametrize(("kind", "codec"), SOUNDS)
def test_sound_of_every_kind(kind: str, codec: str) -> None:
    artifact = Artifact.from_bytes(sound(kind, codec))
    samples = artifact.samples
    assert artifact.modality is Modality.AUDIO
    assert samples.rate == 48_000
    assert samples.data.dtype == np.float32
    assert samples.data.shape[1] == 2
    assert samples.duration == pytest.approx(0.5, abs=0.06)
    assert artifact.duration == pytest.approx(0.5, abs=0.06)
    assert np.abs(samples.data).max() == pytest.approx(0.5, abs=0.05)
    assert tone_strength(samples) > 0.98


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
def test_rate_and_channels_are_kept(rate: int, layout: str) -> None:
    samples = Artifact.from_bytes(sound("flac", "flac", rate=rate, layout=layout)).samples
    assert samples.rate == rate
    assert samples.data.shape == (rate // 2, 1 if layout == "mono" else 2)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_samples_agree_with_another_writer(kind: type[np.generic]) -> None:
    wanted = np.random.default_rng(0).uniform(-0.9, 0.9, (4_000, 3))
    scale = {np.uint8: 127, np.int16: 32_767, np.int32: 2_147_483_000}.get(kind, 1)
    stored = (wanted * scale + (128 if kind is np.uint8 else 0)).astype(kind)
    out = io.BytesIO()
    wavfile.write(out, 22_050, stored)
    samples = Artifact.from_bytes(out.getvalue()).samples
    assert (samples.rate, samples.data.shape) == (22_050, (4_000, 3))
    assert np.abs(samples.data - wanted).max() < max(2 / scale if scale > 1 else 0, 1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6, 8, 9, 25, 64])
def test_many_channels(channels: int) -> None:
    wanted = np.random.default_rng(0).uniform(-1, 1, (5_000, channels)).astype(np.float32)
    out = io.BytesIO()
    wavfile.write(out, 8_000, wanted)
    assert np.array_equal(Artifact.from_bytes(out.getvalue()).samples.data, wanted)


def test_samples_of_a_plain_wave() -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(np.array([0, 16_384, -32_768, 32_767], "<i2").tobytes())
    samples = Artifact.from_bytes(out.getvalue()).samples
    assert samples.data[:, 0].tolist() == pytest.approx([0, 0.5, -1, 32_767 / 32_768])


@pytest.mark.parametrize(("kind", "codec"), VIDEOS)
def test_video_of_every_kind(kind: str, codec: str) -> None:
    artifact = Artifact.from_bytes(video(kind, codec))
    frames = list(artifact.frames())
    assert artifact.modality is Modality.VIDEO
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.02)
    assert artifact.duration == pytest.approx(0.5, abs=0.11)
    for _, pixels in frames:
        assert pixels.shape == (48, 64, 3)
        assert pixels.dtype == np.uint8
        assert pixels[2:8, 2:12].mean() > 220
        assert pixels[20:, 30:].mean() < 30


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [(-90, (0, -1)), (90, (-1, 0)), (180, (-1, -1))],
)
def test_frames_are_upright(rotation: int, corner: tuple[int, int]) -> None:
    # The white corner was filmed top left; a clip turned clockwise shows it top right.
    pixels = next(Artifact.from_bytes(video(rotation=rotation)).frames()).pixels
    assert pixels.shape == ((48, 64, 3) if rotation == 180 else (64, 48, 3))
    assert pixels[3 * (2 * corner[0] + 1), 3 * (2 * corner[1] + 1)].mean() > 200
    assert pixels[3, 3].mean() < 60
    assert pixels.flags.c_contiguous


def test_frames_can_be_asked_for_again() -> None:
    artifact = Artifact.from_bytes(video())
    next(artifact.frames())
    assert sum(1 for _ in artifact.frames()) == 5


def test_a_video_without_sound_and_a_sound_without_pictures() -> None:
    with pytest.raises(UnsupportedMediaError, match="no sound track"):
        _ = Artifact.from_bytes(video()).samples
    silent = Artifact(Modality.VIDEO, "video/mp4", sound("mp4", "aac"))
    with pytest.raises(UnsupportedMediaError, match="no picture track"):
        next(silent.frames())


def test_the_sound_of_a_video() -> None:
    samples = Artifact.from_bytes(video(sound_too=True)).samples
    assert samples.rate == 48_000
    assert samples.duration == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["wav", "flac", "mp3", "m4a", "opus", "webm-of-sound"])
def test_garbage_behind_a_good_header_is_malformed(name: str) -> None:
    mime, data = FILES[name]()
    artifact = Artifact(Modality.AUDIO, mime, data[:24] + bytes(400))
    with pytest.raises(MalformedMediaError) as refused:
        _ = artifact.samples
    assert refused.value.remedy


def test_a_wave_without_samples_is_malformed() -> None:
    out = io.BytesIO()
    wavfile.write(out, 8_000, np.zeros(0, np.int16))
    with pytest.raises(MalformedMediaError, match="no sound"):
        _ = Artifact.from_bytes(out.getvalue()).samples


def test_a_video_without_frames_is_malformed() -> None:
    data = video("matroska", count=3)
    cluster = data.index(b"\x1f\x43\xb6\x75")
    with pytest.raises(MalformedMediaError):
        list(Artifact(Modality.VIDEO, "video/x-matroska", data[:cluster]).frames())


@pytest.mark.parametrize("name", ["mp4", "webm", "avi"])
def test_damage_in_the_middle_of_a_video(name: str) -> None:
    mime, data = FILES[name]()
    middle = len(data) // 2
    artifact = Artifact(Modality.VIDEO, mime, data[:middle] + b"\xff" * 64 + data[middle + 64 :])
    try:
        frames = list(artifact.frames())
    except (MalformedMediaError, UnsupportedMediaError):
        return
    assert all(frame.pixels.shape[2] == 3 for frame in frames)


def test_sound_that_changes_on_the_way_is_malformed() -> None:
    stereo, mono, slow = (
        sound("mp3", "libmp3lame", layout=layout, rate=rate)
        for layout, rate in (("stereo", 48_000), ("mono", 48_000), ("stereo", 44_100))
    )
    for other in (mono, slow):
        with pytest.raises(MalformedMediaError, match="on the way"):
            decode_samples(stereo + other[other.index(b"\xff\xfb", 200) :], "audio/mpeg", Limits())


def test_the_sniffed_type_alone_is_read() -> None:
    # A playlist names other files; no type that Guard sniffs may be taken for one.
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    for mime in ("audio/mpeg", "video/mp4", "video/x-matroska"):
        with pytest.raises(MalformedMediaError):
            decode_samples(playlist, mime, Limits())


@pytest.mark.parametrize("layout", ["wav", "flac"])
def test_duration_is_counted_where_the_header_says_nothing(layout: str) -> None:
    out = io.BytesIO()
    with av.open(_Pipe(out), "w", format=layout) as container:
        stream = container.add_stream("pcm_s16le" if layout == "wav" else "flac", rate=8_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert duration(out.getvalue(), f"audio/{layout}", Limits()) == pytest.approx(0.5, abs=0.01)


def test_duration_of_a_live_video_is_its_last_frame() -> None:
    out = io.BytesIO()
    with av.open(_Pipe(out), "w", format="webm", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())
    assert duration(out.getvalue(), "video/webm", Limits()) == pytest.approx(0.4, abs=0.11)


class _Pipe(io.RawIOBase):
    """Somewhere to write without going back, as a live stream does."""

    def __init__(self, out: io.BytesIO) -> None:
        self.out = out

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: object) -> int:
        return self.out.write(data)  # type: ignore[arg-type]
