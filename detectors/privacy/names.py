"""Names, places and what else a checkpoint tells in text: token classifiers in the hub's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from detectors.base import Context, DetectorCard, Finding, Span, abstained
from detectors.deepfake.loading import checkpoint
from guard.media import Artifact, Modality

if TYPE_CHECKING:
    from detectors.plugged import Entry

__all__ = ["Names"]

_SIGNAL = "personal_data"
_LONGEST = 65_536
_TOKENS, _OVERLAP = 512, 64


class _Piece(NamedTuple):
    start: int
    end: int
    kind: str
    score: float


class Names:
    """Any token classifier of transformers; its labels, without B- and I-, are those of the spans.

    The entry's `threshold` is the probability from which a token counts. Only the labels that the entry lists
    are looked for, all but "O" where it lists none.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.card = DetectorCard(
            id=entry.id,
            version=entry.version,
            signal=_SIGNAL,
            modalities=frozenset({Modality.TEXT}),
            description=f"Names and places, by a token classifier in the hub's format: {entry.place}.",
            licence="see the checkpoint",
            data="see the checkpoint's own card",
            calibration="none: scores are the network's own",
            abstains=f"texts above {_LONGEST} characters",
            limits="As its authors state; Guard has measured nothing of it.",
            seconds=180.0,
        )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        """One finding. Raises `DetectorError` where the weights cannot be used, or it is not text."""
        text = artifact.text
        if len(text) > _LONGEST:
            why = f"The text has {len(text)} characters; up to {_LONGEST} are read for names."
            return [abstained(self.card, why, threshold=self.entry.threshold)]
        pieces = [piece for piece in self._pieces(text) if piece.score >= self.entry.threshold]
        spans = tuple(_joined(sorted(pieces), text))
        score = max((piece.score for piece in pieces), default=0.0)
        message = f"{len(spans)} place(s) in the text" if spans else ""
        return [
            Finding(self.card.id, self.card.version, _SIGNAL, score, self.entry.threshold, spans, message),
        ]

    def _pieces(self, text: str) -> Iterator[_Piece]:
        """Each token that the network gives a label to, read in windows that overlap."""
        import torch

        tokenizer, model = self._loaded
        batch = tokenizer(
            text,
            truncation=True,
            max_length=min(_TOKENS, tokenizer.model_max_length),
            stride=min(_OVERLAP, tokenizer.model_max_length // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding=True,
            return_tensors="pt",
        )
        offsets = batch.pop("offset_mapping")
        batch.pop("overflow_to_sample_mapping", None)
        with torch.inference_mode():
            scores, classes = model(**batch).logits.softmax(-1).max(-1)
        for (start, end), score, number in zip(
            offsets.reshape(-1, 2).tolist(),
            scores.flatten().tolist(),
            classes.flatten().tolist(),
            strict=True,
        ):
            kind = str(model.config.id2label[number]).removeprefix("B-").removeprefix("I-")
            if end > start and kind != "O" and (not self.entry.labels or kind in self.entry.labels):
                yield _Piece(start, end, kind, score)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        model = checkpoint(self.entry, "AutoModelForTokenClassification")
        return checkpoint(self.entry, "AutoTokenizer"), model


def _joined(pieces: Sequence[_Piece], text: str) -> Iterator[Span]:
    """Tokens of one kind with nothing but a blank between them are one place."""
    open_: Span | None = None
    for start, end, kind, _ in pieces:
        if open_ and open_.label == kind and not text[open_.end : start].strip() and start <= open_.end + 1:
            open_ = Span(open_.start, max(open_.end, end), kind)
            continue
        if open_:
            yield open_
        open_ = Span(start, end, kind)
    if open_:
        yield open_
