"""Reading the marks that a language model puts into its choice of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from guard.errors import ConfigurationError, MarkError, MissingExtraError
from guard.media import Artifact, Modality
from guard.tokenmarks import Scheme, Tally, TokenMark
from guard.watermark.base import Payload, Reading, ReadingState, Strength

__all__ = ["ACCEPT", "TokenWatermarker", "token_watermarker"]

ACCEPT = 1e-5
"""The p-value at which a mark counts as found, before it is divided by the number of keys tried."""

_FEWEST_TOKENS = 50
"""Different pairs of tokens below which nothing is said: a short or repetitive text carries no mark that
convinces."""

_MOST_CHARACTERS = 40_000
"""Some 10,000 tokens convince by far; several times as many would draw every slot of SynthID's table, and a
table that is seen whole says nothing about a text."""


@dataclass(frozen=True)
class TokenWatermarker:
    """One scheme over one tokenizer, which must be that of the model whose texts are to be known again.

    The mark has no payload: `found` says that the key's owner generated the text, and the ledger's
    fingerprint says which release it was. Texts that are too short or repeat themselves read as
    `unsupported`, not as `absent`. Code and other text with little choice in it often carries no mark at all,
    so `absent` never means that a text was not generated. `among` is how many engines read the same text: the
    p-values then cover them all.
    """

    scheme: Scheme
    tokenizer: Any
    vocabulary: int
    among: int = 1

    modality = Modality.TEXT

    @property
    def name(self) -> str:
        return str(self.scheme)

    @property
    def alg(self) -> str:
        return f"guard.{self.scheme}.1"

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        """The artifact itself, if its model chose the words by `key`: nobody can put the mark in later.

        Raises `MarkError` where the mark is not there.
        """
        del payload, strength  # part of every engine's call; this mark has neither
        if self.read(artifact, keys=[key]).state is not ReadingState.FOUND:
            raise MarkError(
                f"This text carries no mark of '{self.name}'.",
                "Only a hosted model can put it in, and only where it has a choice of words.",
            )
        return artifact

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        """The key that explains the text best; its p-value is exact and covers all keys tried."""
        text = artifact.text[:_MOST_CHARACTERS]
        tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(set(pairwise(tokens))) < _FEWEST_TOKENS or not keys:
            return Reading(ReadingState.UNSUPPORTED, self.name)
        chances = [_chance(TokenMark(self.scheme, key).tally(tokens, self.vocabulary)) for key in keys]
        best = min(range(len(keys)), key=chances.__getitem__)
        p_value = min(1.0, chances[best] * len(keys) * self.among)
        found = p_value <= ACCEPT
        state = ReadingState.FOUND if found else ReadingState.ABSENT
        return Reading(state, self.name, p_value=p_value, key_index=best if found else None)


def token_watermarker(scheme: Scheme, folder: Path, among: int = 1) -> TokenWatermarker:
    """The engine for texts of the model in a checkpoint's folder.

    Raises `ConfigurationError` where no tokenizer loads from there, `MissingExtraError` without transformers.
    """
    try:
        from transformers import AutoConfig, AutoTokenizer
    except ImportError:
        raise MissingExtraError("Reading marks in text", "local") from None
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **safely)
        # Not the tokenizer's own count: models round theirs up, and the green list is a part of the model's.
        vocabulary = AutoConfig.from_pretrained(folder, **safely).get_text_config().vocab_size
    except Exception as error:  # many types, and each says that this is no such model
        raise ConfigurationError(
            f"{folder} holds no tokenizer that loads: {error}", "Name the folder of the hosted model."
        ) from error
    return TokenWatermarker(scheme, tokenizer, vocabulary, among)


def _chance(tally: Tally) -> float:
    """The chance that a text written without the key would show as many hits or more."""
    from scipy.stats import binom, hypergeom

    at_least = tally.hits - 1
    if tally.population:
        return float(hypergeom.sf(at_least, tally.population, int(tally.winning), tally.draws))
    return float(binom.sf(at_least, tally.draws, tally.winning))
