"""Reading marks in the choice of words, in texts that a model of this test wrote."""

from __future__ import annotations

import random
import shutil
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, MarkError, MissingExtraError
from guard.media import Artifact, Modality
from guard.tokenmarks import Scheme, TokenMark
from guard.watermark import Payload, ReadingState, Strength
from guard.watermark.tokens import TokenWatermarker, token_watermarker
from models.base import GenerationRequest
from models.local.checkpoint import locate
from models.local.text import LocalText
from tests.lexicon import LEXICON, build_lexicon

pytestmark = pytest.mark.heavy

KEY, OTHER = b"the key of this test", b"another key"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_lexicon(tmp_path_factory.mktemp("lexicon"))


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalText:
    return LocalText(locate(str(folder)))


@lru_cache
def texts(model: LocalText, mark: TokenMark | None, temperature: float = 1) -> list[Artifact]:
    asked = {"max_tokens": 200, "temperature": temperature}
    request = GenerationRequest("bal", Modality.TEXT, n=4, seed=5, mark=mark, parameters=asked)
    return list(model.generate(request))


@pytest.fixture(scope="module", params=list(Scheme))
def engine(request: pytest.FixtureRequest, folder: Path) -> TokenWatermarker:
    return token_watermarker(request.param, folder)


def test_marked_texts_are_found_under_their_key(engine: TokenWatermarker, model: LocalText) -> None:
    for text in texts(model, TokenMark(engine.scheme, KEY)):
        reading = engine.read(text, keys=[OTHER, KEY])
        assert (reading.state, reading.key_index, reading.payload) == (ReadingState.FOUND, 1, None)
        assert reading.engine == engine.name
        assert reading.p_value is not None
        assert reading.p_value < 1e-5


def test_half_of_a_text_and_one_with_changed_words_are_found_too(
    engine: TokenWatermarker, model: LocalText
) -> None:
    words = texts(model, TokenMark(engine.scheme, KEY))[0].text.split()
    changed = [random.Random(1).choice(LEXICON) if i % 12 == 0 else word for i, word in enumerate(words)]
    for left in (words[60:180], changed):
        reading = engine.read(Artifact.from_text(" ".join(left)), keys=[KEY])
        assert reading.state is ReadingState.FOUND


def test_other_texts_are_not(engine: TokenWatermarker, model: LocalText) -> None:
    unmarked = texts(model, None) + texts(model, TokenMark(engine.scheme, OTHER))
    for text in unmarked:
        reading = engine.read(text, keys=[KEY])
        assert (reading.state, reading.key_index) == (ReadingState.ABSENT, None)
        assert reading.p_value is not None
        assert reading.p_value > 1e-5


def test_the_p_value_is_one_of_chance(engine: TokenWatermarker) -> None:
    rng = random.Random(3)
    p_values = [
        engine.read(
            Artifact.from_text(" ".join(rng.choices(LEXICON, k=120))), keys=[rng.randbytes(8)]
        ).p_value
        for _ in range(30)
    ]
    low = sum(p is not None and p <= 0.2 for p in p_values)
    assert low <= 15  # 6 expected; more with a chance below 1 in 1,000


def test_more_keys_ask_for_more_evidence(engine: TokenWatermarker) -> None:
    text = Artifact.from_text(" ".join(random.Random(4).choices(LEXICON, k=120)))
    alone = engine.read(text, keys=[KEY]).p_value
    among = engine.read(text, keys=[KEY] * 3).p_value
    assert alone is not None
    assert among == pytest.approx(min(1.0, 3 * alone))


@pytest.mark.parametrize("text", ["bal", "bal bam " * 500, "x = 1\n" * 300])
def test_short_and_repetitive_texts_say_nothing(engine: TokenWatermarker, text: str) -> None:
    reading = engine.read(Artifact.from_text(text), keys=[KEY])
    assert (reading.state, reading.p_value) == (ReadingState.UNSUPPORTED, None)


def test_without_keys_there_is_nothing_to_find(engine: TokenWatermarker, model: LocalText) -> None:
    assert engine.read(texts(model, None)[0], keys=[]).state is ReadingState.UNSUPPORTED


def test_a_megabyte_of_text_is_read_from_its_start(engine: TokenWatermarker, model: LocalText) -> None:
    start = texts(model, TokenMark(engine.scheme, KEY))[0].text
    assert engine.read(Artifact.from_text(start + " bal" * 250_000), keys=[KEY]).state is ReadingState.FOUND


def test_at_temperature_zero_there_is_no_choice_and_no_mark(
    engine: TokenWatermarker, model: LocalText
) -> None:
    marked = texts(model, TokenMark(engine.scheme, KEY), temperature=0)
    plain = texts(model, None, temperature=0)
    assert [text.text for text in marked] == [text.text for text in plain]


def test_embedding_checks_what_the_model_did(engine: TokenWatermarker, model: LocalText) -> None:
    options = {"key": KEY, "strength": Strength.DEFAULT}
    marked = texts(model, TokenMark(engine.scheme, KEY))[0]
    assert engine.embed(marked, Payload(1), **options) is marked
    with pytest.raises(MarkError, match="carries no mark"):
        engine.embed(texts(model, None)[0], Payload(1), **options)


def test_engines_name_themselves(engine: TokenWatermarker) -> None:
    assert engine.modality is Modality.TEXT
    assert engine.alg == f"guard.{engine.name}.1"


def test_a_folder_without_a_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    with pytest.raises(ConfigurationError, match="no tokenizer"):
        token_watermarker(Scheme.KGW, tmp_path)


def test_without_the_extra_the_remedy_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match="local"):
        token_watermarker(Scheme.KGW, folder)
