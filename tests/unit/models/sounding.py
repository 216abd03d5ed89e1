"""Builds tiny speech, music and transcription checkpoints with random weights, as the hub's files are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.models.conftest import build_tokenizer

VOICE_SIZE = 8
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def build_vits(folder: Path, *, speakers: int = 3) -> Path:
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    config = VitsConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        duration_predictor_num_flows=1,
        duration_predictor_filter_channels=16,
        prior_encoder_num_flows=1,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        wavenet_dilation_rate=1,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        depth_separable_num_layers=1,
        num_speakers=speakers,
        speaker_embedding_size=8,
        sampling_rate=16000,
    )
    VitsModel(config).save_pretrained(folder)
    words = folder / "words.json"
    words.write_text(json.dumps({letter: number for number, letter in enumerate(" " + LETTERS)}))
    tokenizer = VitsTokenizer(str(words), phonemize=False, language="eng", pad_token=" ", unk_token=" ")
    tokenizer.save_pretrained(folder)
    words.unlink()
    return folder


def build_speecht5(folder: Path) -> Path:
    import sentencepiece
    from transformers import SpeechT5Config, SpeechT5ForTextToSpeech, SpeechT5Tokenizer

    config = SpeechT5Config(
        vocab_size=40,
        hidden_size=24,
        encoder_layers=1,
        encoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
        speaker_embedding_dim=VOICE_SIZE,
        num_mel_bins=20,
        speech_decoder_prenet_units=16,
        speech_decoder_postnet_layers=2,
        speech_decoder_postnet_units=16,
        max_text_positions=60,
        max_speech_positions=400,
    )
    model = SpeechT5ForTextToSpeech(config)
    # Untrained, it would stop at once: this keeps the stop's probability low until the length runs out.
    model.speech_decoder_postnet.prob_out.bias.data.fill_(-9.0)
    model.save_pretrained(folder)
    build_vocoder(folder / "vocoder")
    corpus = folder / "corpus.txt"
    corpus.write_text(f"hello boat on the sea\n{LETTERS}\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "made"),
        model_type="char",
        vocab_size=32,
        bos_id=0,
        pad_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    SpeechT5Tokenizer(str(folder / "made.model")).save_pretrained(folder)
    for rest in (corpus, folder / "made.model", folder / "made.vocab"):
        rest.unlink()
    return folder


def build_vocoder(folder: Path) -> Path:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    config = SpeechT5HifiGanConfig(
        model_in_dim=20,
        upsample_initial_channel=16,
        upsample_rates=[8, 8],
        upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        initializer_range=0.5,
    )
    SpeechT5HifiGan(config).save_pretrained(folder)
    return folder


def build_codec(**options: Any) -> dict[str, Any]:
    from transformers import EncodecConfig

    small = {"num_filters": 4, "hidden_size": 8, "num_lstm_layers": 1, "codebook_dim": 8}
    described: dict[str, Any] = EncodecConfig(**small, **options).to_dict()
    return described


def fill_codebooks(codec: Any) -> None:
    """Untrained, every code stands for the same nothing."""
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()


def build_bark(folder: Path) -> Path:
    from transformers import BarkConfig, BarkModel
    from transformers.models.bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig

    small = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 1024}
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(input_vocab_size=200, output_vocab_size=130, **small).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(
            input_vocab_size=200, output_vocab_size=200, **small
        ).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            input_vocab_size=20, output_vocab_size=20, n_codes_total=8, n_codes_given=1, **small
        ).to_dict(),
        codec_config=build_codec(
            target_bandwidths=[1.5, 3.0, 6.0], codebook_size=16, upsampling_ratios=[8, 5, 4, 2]
        ),
    )
    model = BarkModel(config)
    fill_codebooks(model.codec_model)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(_bark_generation()))
    build_tokenizer().save_pretrained(folder)
    presets = folder / "speaker_embeddings" / "v2"
    presets.mkdir(parents=True)
    for part, shape in (("semantic", 10), ("coarse", (2, 12)), ("fine", (8, 12))):
        np.save(presets / f"en_speaker_6_{part}_prompt.npy", np.full(shape, 3, np.int64))
    return folder


def _bark_generation() -> dict[str, Any]:
    semantic = {
        "max_new_tokens": 8,
        "do_sample": True,
        "eos_token_id": 100,
        "semantic_pad_token": 100,
        "text_encoding_offset": 130,
        "text_pad_token": 190,
        "semantic_infer_token": 191,
        "semantic_vocab_size": 100,
        "semantic_rate_hz": 49.9,
        "max_input_semantic_length": 16,
    }
    coarse = {
        "do_sample": True,
        "coarse_semantic_pad_token": 150,
        "coarse_infer_token": 151,
        "coarse_rate_hz": 75,
        "n_coarse_codebooks": 2,
        "sliding_window_len": 20,
        "max_coarse_input_length": 32,
        "max_coarse_history": 30,
    }
    fine = {"max_fine_history_length": 16, "max_fine_input_length": 32, "n_fine_codebooks": 8}
    return {
        "model_type": "bark",
        "semantic_config": semantic,
        "coarse_acoustics_config": coarse,
        "fine_acoustics_config": fine,
        "sample_rate": 24000,
        "codebook_size": 16,
    }


def build_musicgen(folder: Path) -> Path:
    from transformers import (
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    text = T5Config(vocab_size=20, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codec = build_codec(
        target_bandwidths=[2.2],
        sampling_rate=32000,
        codebook_size=2048,
        upsampling_ratios=[8, 5, 4, 4],
        normalize=False,
    )
    decoder = MusicgenDecoderConfig(
        vocab_size=2048,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        num_codebooks=4,
    )
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=codec, decoder=decoder.to_dict())
    )
    given = {
        "pad_token_id": 2048,
        "bos_token_id": 2048,
        "decoder_start_token_id": 2048,
        "guidance_scale": 3.0,
    }
    fill_codebooks(model.audio_encoder)
    model.generation_config.update(**given)
    model.save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
    return folder


def build_whisper(folder: Path, *, multilingual: bool = True) -> Path:
    """A transcriber that hears nothing but the letters of "boat", in some order."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    alphabet = [*sorted(ByteLevel.alphabet()), "<|endoftext|>"]
    tokenizer = WhisperTokenizer(vocab={word: number for number, word in enumerate(alphabet)}, merges=[])
    signs = [
        "startoftranscript",
        "en",
        "de",
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
    ]
    tokenizer.add_tokens([f"<|{sign}|>" for sign in signs], special_tokens=True)
    tokenizer.add_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)], special_tokens=True)
    ids = {sign: tokenizer.convert_tokens_to_ids(f"<|{sign}|>") for sign in [*signs, "endoftext"]}
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_target_positions=32,
        bos_token_id=ids["endoftext"],
        eos_token_id=ids["endoftext"],
        pad_token_id=ids["endoftext"],
        decoder_start_token_id=ids["startoftranscript"],
    )
    model = WhisperForConditionalGeneration(config)
    letters = [alphabet.index(letter) for letter in "boat"]
    model.model.decoder.layer_norm.bias.data.fill_(1.0)
    model.model.decoder.embed_tokens.weight.data[letters] += 1.0
    model.save_pretrained(folder)
    generation = {
        "decoder_start_token_id": ids["startoftranscript"],
        "eos_token_id": ids["endoftext"],
        "pad_token_id": ids["endoftext"],
        "no_timestamps_token_id": ids["notimestamps"],
        "prev_sot_token_id": ids["startofprev"],
        "is_multilingual": multilingual,
        "suppress_tokens": [],
        "max_initial_timestamp_index": 1,
        "max_length": 32,
        "return_timestamps": False,
    }
    if multilingual:
        generation |= {
            "lang_to_id": {"<|en|>": ids["en"], "<|de|>": ids["de"]},
            "task_to_id": {"transcribe": ids["transcribe"], "translate": ids["translate"]},
        }
    (folder / "generation_config.json").write_text(json.dumps(generation))
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder
