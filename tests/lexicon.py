"""A language model with a choice of words, for tests of the marks in it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["LEXICON", "build_lexicon"]

LEXICON = [f"{a}{b}{c}" for a in "bdfgklmnp" for b in "aeiou" for c in "lmnrstxz"]


def build_lexicon(folder: Path) -> Path:
    """`folder`, with a Llama of 360 words in it that likes some better than others, as languages do."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<unk>", "</s>", *LEXICON]
    inner = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", eos_token="</s>").save_pretrained(
        folder
    )
    torch.manual_seed(0)
    # The vocabulary is rounded up, as most models' are: the tokenizer's own count would misread KGW.
    config = LlamaConfig(
        vocab_size=384, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=512, eos_token_id=None, bos_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(12)
        model.lm_head.weight[[0, 1, *range(len(words), 384)]] = 0
    model.save_pretrained(folder)
    return folder
