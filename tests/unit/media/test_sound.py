"""Sound written as files: what comes back, what is kept of the source, what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from guard.errors import GuardError, InputError, LimitExceededError, UnsupportedMediaError
from guard.media import Artifact, Limits, Modality
from guard.media.coding import Coding, coding_of
from guard.media.riff import Depth
from guard.media.stream import Samples
from tests.unit.media.makers import sound as tone
from tests.unit.media.sounds import TAGS, chords, cover_of, encoded, tags_of, written

LOSSLESS = ["audio/wav", "audio/flac"]
LOSSY = ["audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg"]
TAGGED = [
    ("audio/mpeg", "mp3", "libmp3lame", "mp3", "fltp"),
    ("audio/mp4", "mp4", "aac", "mov", "fltp"),
    ("audio/flac", "flac", "flac", "flac", "s16"),
    ("audio/wav", "wav", "pcm_s16le", "wav", "s16"),
    ("audio/ogg", "ogg", "libopus", "ogg", "flt"),
]


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The ratio of sound to difference, in dB."""
    return float(10 * np.log10((one**2).sum() / ((one - other) ** 2).sum()))


@pytest.mark.parametrize("mime", LOSSLESS)
@pytest.mark.parametrize(
    ("rate", "channels"), [(8_000, 1), (44_100, 2), (96_000, 8), (48_000, 3), (12_345, 7)]
)
def test_lossless_sound_comes_back_to_the_last_bit_of_16(mime: str, rate: int, channels: int) -> None:
    sound = chords(rate, channels, 0.31)
    made = Artifact.from_samples(sound, mime)
    back = Artifact.from_bytes(made.data).samples
    assert (made.modality, made.mime, back.rate) == (Modality.AUDIO, mime, rate)
    assert np.array_equal(back.data, np.rint(sound.data * 32_768) / 32_768)


@pytest.mark.parametrize("mime", LOSSY)
@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (48_000, 2)])
def test_lossy_sound_comes_back_in_time_and_alike(mime: str, rate: int, channels: int) -> None:
    sound = chords(rate, channels)
    back = Artifact.from_bytes(Artifact.from_samples(sound, mime).data).samples
    heard, wanted = back.data, sound.data
    if mime == "audio/aac":  # ADTS has no place for the encoder's delay and padding
        assert 1024 <= len(heard) - len(wanted) <= 3072
        heard = heard[1024 : 1024 + len(wanted)]
    if back.rate != rate:  # Opus
        heard = heard[:: back.rate // rate]
    assert back.rate == (48_000 if mime == "audio/ogg" else rate)
    assert heard.shape == wanted.shape
    assert likeness(wanted, heard) > 15


@pytest.mark.parametrize("mime", LOSSY[1:])
@pytest.mark.parametrize("channels", [3, 4, 5, 6, 8])
def test_more_channels_where_the_codec_has_them(mime: str, channels: int) -> None:
    back = Artifact.from_samples(chords(48_000, channels, 0.2), mime).samples
    assert back.data.shape[1] == channels


@pytest.mark.parametrize(
    ("mime", "rate", "heard"),
    [("audio/mpeg", 96_000, 48_000), ("audio/mpeg", 12_345, 16_000), ("audio/mp4", 192_000, 96_000)],
)
def test_a_rate_that_the_codec_does_not_know_becomes_one_that_it_does(
    mime: str, rate: int, heard: int
) -> None:
    back = Artifact.from_samples(chords(rate, 1, 0.5), mime).samples
    assert back.rate == heard
    assert abs(len(back.data) - heard // 2) <= 1


@pytest.mark.parametrize(
    ("subtype", "depth"),
    [
        ("PCM_U8", Depth(8)),
        ("PCM_16", Depth(16)),
        ("PCM_24", Depth(24)),
        ("PCM_32", Depth(32)),
        ("FLOAT", Depth(32, floating=True)),
        ("DOUBLE", Depth(64, floating=True)),
    ],
)
def test_a_wave_keeps_its_depth_and_every_sample(subtype: str, depth: Depth) -> None:
    source = Artifact.from_bytes(written(chords(), "WAV", subtype))
    made = Artifact.from_samples(source.samples, "audio/wav", like=source)
    assert coding_of(made.data, "audio/wav").depth == depth
    assert np.array_equal(made.samples.data, source.samples.data)


@pytest.mark.parametrize(("subtype", "kept"), [("PCM_16", Depth(16)), ("PCM_24", Depth(24))])
def test_flac_keeps_its_depth_and_a_waves(subtype: str, kept: Depth) -> None:
    for kind in ("FLAC", "WAV"):
        source = Artifact.from_bytes(written(chords(), kind, subtype))
        made = Artifact.from_samples(source.samples, "audio/flac", like=source)
        assert coding_of(made.data, "audio/flac").depth == kept
        assert np.array_equal(made.samples.data, source.samples.data)


def test_apple_lossless_stays_lossless() -> None:
    source = Artifact.from_bytes(encoded(chords(), "ipod", "alac", sample_format="s16p"))
    made = Artifact.from_samples(source.samples, "audio/mp4", like=source)
    assert coding_of(made.data, "audio/mp4").codec == "alac"
    assert np.array_equal(made.samples.data, source.samples.data)


def test_telephone_codecs_in_a_wave_become_16_bits() -> None:
    source = Artifact.from_bytes(written(chords(8_000, 1), "WAV", "ULAW"))
    made = Artifact.from_samples(source.samples, "audio/wav", like=source)
    assert coding_of(made.data, "audio/wav").depth == Depth(16)
    assert np.array_equal(made.samples.data, source.samples.data)


def test_above_full_scale_floats_stay_and_integers_hold() -> None:
    loud = Samples(8_000, np.array([[0.5], [1.7], [-3.0], [1.0]], np.float32))
    source = Artifact.from_bytes(written(loud, "WAV", "FLOAT"))
    assert Artifact.from_samples(loud, "audio/wav", like=source).samples.data[:, 0].tolist() == pytest.approx(
        [0.5, 1.7, -3.0, 1.0]
    )
    top = 32_767 / 32_768
    for mime in LOSSLESS:
        assert Artifact.from_samples(loud, mime).samples.data[:, 0].tolist() == [0.5, top, -1.0, top]


@pytest.mark.parametrize("bit_rate", [32_000, 128_000, 320_000])
def test_mp3_keeps_its_bit_rate_exactly_where_it_is_steady(bit_rate: int) -> None:
    source = Artifact.from_bytes(encoded(chords(44_100), "mp3", "libmp3lame", bit_rate=bit_rate))
    made = Artifact.from_samples(source.samples, "audio/mpeg", like=source)
    for artifact in (source, made):
        coding = coding_of(artifact.data, "audio/mpeg")
        assert (coding.bit_rate, coding.steady) == (bit_rate, True)
    assert made.samples.data.shape == source.samples.data.shape


@pytest.mark.parametrize(
    ("mime", "muxer", "codec", "bit_rate", "options"),
    [
        ("audio/mpeg", "mp3", "libmp3lame", 128_000, {"abr": "1"}),
        ("audio/mp4", "ipod", "aac", 96_000, {}),
        ("audio/aac", "adts", "aac", 192_000, {}),
        ("audio/ogg", "ogg", "libopus", 64_000, {}),
    ],
)
def test_other_codecs_keep_it_about(mime: str, muxer: str, codec: str, bit_rate: int, options: dict) -> None:
    kind = "flt" if codec == "libopus" else "fltp"
    data = encoded(chords(seconds=2), muxer, codec, bit_rate=bit_rate, options=options, sample_format=kind)
    source = Artifact.from_bytes(data)
    made = Artifact.from_samples(source.samples, mime, like=source)
    before, after = (coding_of(artifact.data, mime) for artifact in (source, made))
    assert (before.codec, before.steady) == (after.codec, False)
    assert after.bit_rate == pytest.approx(before.bit_rate, rel=0.2)


@pytest.mark.parametrize(
    ("level", "rate", "channels"), [(0.2, 44_100, 2), (0.6, 22_050, 1), (0.9, 48_000, 2)]
)
def test_vorbis_stays_vorbis_of_about_its_quality(level: float, rate: int, channels: int) -> None:
    out, sound = io.BytesIO(), chords(rate, channels, 2)
    with soundfile.SoundFile(
        out, "w", rate, channels, "VORBIS", format="OGG", compression_level=level
    ) as file:
        file.write(sound.data)
    source = Artifact.from_bytes(out.getvalue())
    made = Artifact.from_samples(source.samples, "audio/ogg", like=source)
    before, after = (coding_of(artifact.data, "audio/ogg") for artifact in (source, made))
    assert (before.codec, after.codec) == ("vorbis", "vorbis")
    assert after.bit_rate == pytest.approx(before.bit_rate, rel=0.35)
    assert made.samples.data.shape == source.samples.data.shape


@pytest.mark.parametrize(("mime", "muxer", "codec", "demuxer", "sample_format"), TAGGED)
def test_tags_and_cover_art_go_over(
    mime: str, muxer: str, codec: str, demuxer: str, sample_format: str
) -> None:
    has_cover = muxer in ("mp3", "mp4", "flac")
    data = encoded(chords(), muxer, codec, cover=has_cover, tags=TAGS, sample_format=sample_format)
    source = Artifact.from_bytes(data)
    made = Artifact.from_bytes(Artifact.from_samples(source.samples, mime, like=source).data)
    assert made.mime == mime
    assert tags_of(made.data, demuxer) == TAGS
    assert cover_of(made.data, demuxer) == cover_of(data, demuxer)
    assert (cover_of(made.data, demuxer) is not None) == has_cover
    assert made.samples.data.shape == source.samples.data.shape


def test_tags_stay_behind_where_the_type_changes() -> None:
    source = Artifact.from_bytes(encoded(chords(), "mp3", "libmp3lame", tags=TAGS))
    made = Artifact.from_samples(source.samples, "audio/flac", like=source)
    assert tags_of(made.data, "flac") == {}
    assert coding_of(made.data, "audio/flac").depth == Depth(16)


def test_the_speakers_of_a_wave_stay() -> None:
    sound = chords(48_000, 6, 0.1)
    side = Artifact.from_bytes(encoded(sound, "wav", "pcm_s16le", sample_format="s16"))
    odd = bytearray(side.data)
    at = odd.index(b"fmt ") + 8 + 20
    assert odd[at : at + 4] == b"\x3f\0\0\0"
    odd[at : at + 4] = b"\x0f\x06\0\0"  # 5.1 with speakers at the sides
    source = Artifact.from_bytes(bytes(odd))
    assert coding_of(source.data, "audio/wav").layout == "5.1(side)"
    for mime in LOSSLESS:
        made = Artifact.from_samples(source.samples, mime, like=source)
        assert coding_of(made.data, mime).layout == "5.1(side)"


def test_headerless_samples_are_one_channel_of_24_khz() -> None:
    made = Artifact.from_samples(chords(48_000, 1, 1.0), "audio/pcm")
    assert len(made.data) == pytest.approx(48_000, abs=4)
    back = Artifact.from_bytes(made.data, claimed="audio/pcm")
    assert (back.mime, back.samples.rate, back.samples.data.shape[1]) == ("audio/pcm", 24_000, 1)
    assert np.array_equal(
        Artifact.from_samples(back.samples, "audio/pcm", like=back).samples.data, back.samples.data
    )
    with pytest.raises(UnsupportedMediaError, match="1 to 1 channels"):
        Artifact.from_samples(chords(), "audio/pcm")


def test_blocks_make_the_same_file_as_the_whole() -> None:
    sound = chords(44_100, 2, 1.3)
    parts = [sound.data[:7], sound.data[7:7], sound.data[7:30_001], sound.data[30_001:]]
    for mime in (*LOSSLESS, *LOSSY[:3]):
        whole = Artifact.from_samples(sound, mime)
        pieces = Artifact.from_blocks(parts, 44_100, 2, mime)
        assert np.allclose(pieces.samples.data, whole.samples.data, atol=0.02)
        assert pieces.samples.data.shape == whole.samples.data.shape


@pytest.mark.parametrize("mime", [*LOSSLESS, *LOSSY])
@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (Samples(8_000, np.zeros((0, 1), np.float32)), "no sound"),
        (Samples(8_000, np.full((9_000, 1), np.nan, np.float32)), "no numbers"),
        (Samples(8_000, np.full((9_000, 1), -np.inf, np.float32)), "no numbers"),
        (Samples(0, np.zeros((100, 1), np.float32)), "0 Hz"),
        (Samples(-8_000, np.zeros((100, 1), np.float32)), "-8000 Hz"),
        (Samples(8_000, np.zeros((100, 100), np.float32)), "channels"),
        (Samples(8_000, np.zeros((100, 0), np.float32)), "channels"),
        (Samples(8_000, np.zeros(100, np.float32)), "channels"),
    ],
)
def test_what_is_no_sound_is_refused(mime: str, sound: Samples, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        Artifact.from_samples(sound, mime)
    assert refused.value.remedy


def test_blocks_must_agree() -> None:
    with pytest.raises(InputError, match="shape") as refused:
        Artifact.from_blocks(
            [np.zeros((5, 2), np.float32), np.zeros((5, 1), np.float32)], 8_000, 2, "audio/wav"
        )
    assert "(n, 2)" in refused.value.remedy


@pytest.mark.parametrize("mime", ["audio/webm", "video/mp4", "image/png", "text/plain", "sound/of/music"])
def test_types_that_are_not_written(mime: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=f"no sound of type {mime}") as refused:
        Artifact.from_samples(chords(), mime)
    assert "audio/flac" in refused.value.remedy


def test_what_only_the_encoder_knows_to_refuse() -> None:
    with pytest.raises(UnsupportedMediaError, match="written as audio/flac: ") as refused:
        Artifact.from_samples(chords(2_000_001, 1, 0.05), "audio/flac")
    assert "WAV" in refused.value.remedy


@pytest.mark.parametrize("rate", [100, 7_999, 200_001, 700_001])
def test_vorbis_is_spared_the_rates_on_which_it_crashes(rate: int) -> None:
    source = Artifact.from_bytes(written(chords(), "OGG", "VORBIS"))
    made = Artifact.from_samples(Samples(rate, chords(48_000, 2, 0.01).data), "audio/ogg", like=source)
    assert made.samples.rate in (8_000, 192_000)
    with pytest.raises(InputError, match="no sound"):
        Artifact.from_samples(Samples(rate, np.zeros((0, 2), np.float32)), "audio/ogg", like=source)


def test_flac_in_ogg_is_not_made_lossy_in_silence() -> None:
    source = Artifact.from_bytes(encoded(chords(), "ogg", "flac", sample_format="s16"))
    with pytest.raises(UnsupportedMediaError, match="something else") as refused:
        Artifact.from_samples(source.samples, "audio/ogg", like=source)
    assert "FLAC" in refused.value.remedy


def test_the_file_is_held_to_the_limits() -> None:
    with pytest.raises(LimitExceededError, match="max_bytes"):
        Artifact.from_samples(chords(), "audio/wav", limits=Limits(max_bytes=1_000))


def test_a_wave_ends_at_four_gibibytes() -> None:
    from guard.media.riff import wav_head

    with pytest.raises(UnsupportedMediaError, match="4 GiB") as refused:
        wav_head(96_000, 8, Depth(32), 1 << 32)
    assert "FLAC" in refused.value.remedy


def test_a_source_of_another_kind_only_lends_its_coding() -> None:
    film = Artifact.from_bytes(tone("webm", "libopus"))
    made = Artifact.from_samples(film.samples, "audio/ogg", like=film)
    assert coding_of(made.data, "audio/ogg").codec == "libopus"
    coding = coding_of(tone("ipod", "aac"), "audio/mp4")
    assert isinstance(coding, Coding)
    assert coding.bit_rate > 8_000


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("mime", "muxer", "codec", "demuxer", "sample_format"), TAGGED)
def test_a_damaged_source_gives_a_file_or_a_clear_error(
    cut: float, mime: str, muxer: str, codec: str, demuxer: str, sample_format: str
) -> None:
    data = encoded(chords(seconds=0.2), muxer, codec, tags=TAGS, sample_format=sample_format)
    random, broken = np.random.default_rng(int(cut * 10)), bytearray(data)
    for place in random.integers(0, int(len(data) * cut) + 1, 12):
        broken[place] ^= 1 << int(random.integers(8))
    source = Artifact(Modality.AUDIO, mime, bytes(broken))
    try:
        made = Artifact.from_samples(chords(seconds=0.2), mime, like=source)
    except GuardError:
        return
    assert len(made.data) > 100
