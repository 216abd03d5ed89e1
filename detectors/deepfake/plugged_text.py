"""Texts judged by how likely a language model finds them: Fast-DetectGPT and Binoculars.

Checkpoints lie on this machine: nothing is fetched and nothing is unpickled. Each class is made from a
`detectors.plugged.Entry`; weights load at the first `inspect`, after their SHA-256 was compared with the
entry's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from detectors.base import Context, Finding, Span, abstained
from detectors.deepfake.loading import checkpoint
from detectors.deepfake.networks import card_of, scored
from detectors.explain import Explanation
from detectors.quality import short_text
from guard.errors import DetectorError
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    import torch

    from detectors.plugged import Entry

__all__ = ["Binoculars", "FastDetectGpt"]

_LONGEST = 1 << 16
_MOST_TOKENS = 512
_MOST_WINDOWS = 8
_FEWEST = 16
_TINY = 1e-12
_LEAST = -1e4
"""The lowest log-probability: a word that a model rules out would make 0 · ∞."""


@dataclass(frozen=True, slots=True)
class _Window:
    """One stretch: its tokens' ids (1, n), and where each stands in the text."""

    ids: torch.Tensor
    places: list[tuple[int, int]]


class PluggedText(ABC):
    """What both do: gates, windows of 512 tokens whose mean counts, calibration where the entry has one."""

    about = ""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.card = card_of(
            entry,
            Modality.TEXT,
            f"{self.about} Weights: {', '.join(part.place for part in entry.parts)}.",
            uncalibrated="the score is no probability",
            seconds=300.0,
            licence="see the checkpoint",
            data="none: it only uses how likely a language model finds each word",
            limits="Plain writing, as learners write it, looks likely to a model, and so synthetic. Only the "
            f"first {_MOST_TOKENS * _MOST_WINDOWS:,} tokens are read.",
            abstains="below 50 words",
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where it is no text, or where the weights cannot be used."""
        text = _text(artifact)
        if why := short_text(text):
            return [abstained(self.card, why)]
        values = [self.added(window) for window in self._windows(text)]
        if not values:
            return [abstained(self.card, "The model's tokens are too few to judge.")]
        return [scored(self.card, self.entry, float(sum(each.sum() for each in values) / len(values)))]

    def explain(self, artifact: Artifact, context: Context) -> Explanation | None:  # noqa: ARG002
        """What each token adds to the statistic, averaged over the windows; None where it abstains."""
        text = _text(artifact)
        windows = [] if short_text(text) else self._windows(text)
        if not windows:
            return None
        found = []
        for window in windows:
            values = (self.added(window) / len(windows)).tolist()
            for (start, end), value in zip(window.places[1:], values, strict=True):
                found.append((Span(start, end, text[start:end]), value))
        return Explanation(self.card.id, self.card.signal, tokens=tuple(found))

    @abstractmethod
    def added(self, window: _Window) -> torch.Tensor:
        """What each token but the first adds to a window's statistic, (n - 1,), float64; higher is likelier
        to be a machine's."""

    def _windows(self, text: str) -> list[_Window]:
        tokenizer = self._loaded[0][1]
        encoded = tokenizer(
            text[:_LONGEST], return_offsets_mapping=True, return_tensors="pt", add_special_tokens=False
        )
        room = min(_MOST_TOKENS, *(_room(model) for model, _ in self._loaded))
        ids, places = encoded["input_ids"], encoded["offset_mapping"][0].tolist()
        found = [
            _Window(ids[:, at : at + room], places[at : at + room])
            for at in range(0, min(len(places), _MOST_WINDOWS * room), room)
        ]
        return [window for window in found if len(window.places) >= min(_FEWEST, room)]

    @cached_property
    def _loaded(self) -> list[tuple[Any, Any]]:
        """Each checkpoint's model and tokenizer, which must agree on every token."""
        found = [_opened(part) for part in self.entry.parts]
        vocabularies = [tokenizer.get_vocab() for _, tokenizer in found]
        if any(vocabulary != vocabularies[0] for vocabulary in vocabularies):
            raise DetectorError(
                f"The two checkpoints of '{self.entry.id}' do not share a tokenizer.",
                "Use two models of one family, such as a base model and what was tuned from it.",
            )
        return found


class FastDetectGpt(PluggedText):
    """Conditional probability curvature, worked out without sampling (Bao et al., 2024, arXiv 2310.05130).

    With one checkpoint it both scores and is the reference that alternatives are drawn from; a second one,
    `reference`, takes the latter part. The statistic is the text's log-likelihood less its expected value
    under the reference, over the standard deviation.
    """

    about = "Fast-DetectGPT's curvature, by a causal language model."

    def added(self, window: _Window) -> torch.Tensor:
        """Each token's log-likelihood less its mean, over the window's standard deviation."""
        own, *others = _log_probabilities([model for model, _ in self._loaded], window)
        reference = (others or [own])[0].exp()
        mean = (reference * own).sum(-1)
        variance = (reference * own.square()).sum(-1) - mean.square()
        picked = own.gather(-1, window.ids[0, 1:, None])[:, 0]
        return (picked - mean) / variance.sum().clamp_min(_TINY).sqrt()


class Binoculars(PluggedText):
    """Perplexity over cross-perplexity of two related models (Hans et al., 2024, arXiv 2401.12070).

    The entry's checkpoint performs (in the paper, the tuned one), `reference` observes. The paper's ratio is
    low for machine texts; the statistic is its negative.
    """

    about = "Binoculars' ratio of perplexity and cross-perplexity, by two causal language models."

    def added(self, window: _Window) -> torch.Tensor:
        """Each token's negative share of the ratio."""
        performer, observer = _log_probabilities([model for model, _ in self._loaded], window)
        crossed = -(observer.exp() * performer).sum()
        return performer.gather(-1, window.ids[0, 1:, None])[:, 0] / crossed.clamp_min(_TINY)


def _opened(part: Entry) -> tuple[Any, Any]:
    model, tokenizer = checkpoint(part, "AutoModelForCausalLM"), checkpoint(part, "AutoTokenizer")
    if not getattr(tokenizer, "is_fast", False):
        raise DetectorError(f"{part.place} has no tokenizer that says where its tokens stand.")
    return model, tokenizer


def _room(model: Any) -> int:
    return int(getattr(model.config, "max_position_embeddings", _MOST_TOKENS))


def _log_probabilities(models: Sequence[Any], window: _Window) -> list[torch.Tensor]:
    """By each model, (n - 1, vocabulary), float64: of each next token, given those before it.

    Models of one family pad their vocabulary to different sizes: what only one has is left out.
    """
    import torch

    with torch.inference_mode():
        logits = [model(input_ids=window.ids).logits[0, :-1].double() for model in models]
    width = min(each.shape[-1] for each in logits)
    return [each[:, :width].log_softmax(-1).clamp_min(_LEAST) for each in logits]


def _text(artifact: Artifact) -> str:
    if artifact.modality is not Modality.TEXT:
        raise DetectorError(f"This is {artifact.mime}, not a text.", "Give it a text.")
    return artifact.text
