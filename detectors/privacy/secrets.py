"""Keys, tokens and passwords in text: by the shapes that issuers gave them, and by the words before them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files

from detectors.base import Context, DetectorCard, Finding, Span, Watch
from detectors.blocklist import Blocklist, Group
from detectors.blocklist.groups import load_groups
from detectors.blocklist.matching import united
from detectors.privacy.randomness import password, random_value
from guard.media import Artifact, Modality

__all__ = ["Secrets"]

_ID, _SIGNAL, _THRESHOLD = "keys-and-tokens", "secret", 0.5
_LABEL = "credential"
_SHIPPED = "secrets"
"""The signal of the groups in Guard's own block list that hold credentials."""


class Secrets:
    """Finds credentials; what a name such as `api_key` announces must look random, or is left alone.

    Holds the patterns of Guard's block list and more, so a platform whose own list has none still has these.
    Spans are in code points of `artifact.text`, all with the label "credential".
    """

    card = DetectorCard(
        id=_ID,
        version="1",
        signal=_SIGNAL,
        modalities=frozenset({Modality.TEXT}),
        description="Keys, tokens and passwords, by their issuers' prefixes and by the words before them.",
        licence="Apache-2.0",
        data="none: patterns written for it",
        calibration="none: a hit scores 1, no hit scores 0",
        measured_error="see docs/guide/privacy.md",
        limits="A secret that no known prefix and no telling word announces is not found, nor is a password "
        "that is a plain word. What is written as an example (your-key-here, xxxx) is left alone.",
        seconds=None,  # linear in the text, as the block list
    )

    def inspect(self, artifact: Artifact, context: Context) -> Sequence[Finding]:
        """One finding. Raises `DetectorError` where the artifact is not text."""
        found = _patterns().inspect(artifact, context)
        return [_finding(artifact.text, found)]

    def watch(self, context: Context) -> Watch:
        """A watch that ends with the finding of `inspect`, and holds back what may yet become a secret."""
        return _Watch(_patterns().watch(context))


class _Watch:
    """Follows the patterns, and judges what they find by the text that has come in so far."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._pieces: list[str] = []
        self._seen: Sequence[Finding] = ()
        self._findings: Sequence[Finding] = ()

    def feed(self, piece: str) -> int:
        self._pieces.append(piece)
        return self._watch.feed(piece)

    def findings(self) -> Sequence[Finding]:
        return self._judged(self._watch.findings())

    def finish(self) -> Sequence[Finding]:
        return self._judged(self._watch.finish())

    def _judged(self, found: Sequence[Finding]) -> Sequence[Finding]:
        if found is not self._seen:
            self._seen = found
            self._pieces = ["".join(self._pieces)]
            self._findings = (_finding(self._pieces[0], found),)
        return self._findings


def _finding(text: str, found: Sequence[Finding]) -> Finding:
    hits = next(finding for finding in found if finding.signal == _SIGNAL).spans
    places = united(place for hit in hits if (place := _judge(text, hit)) is not None)
    # The words themselves stay out of the message: findings are logged.
    message = f"{len(places)} place(s) in the text" if places else ""
    spans = tuple(Span(start, end, _LABEL) for start, end in places)
    return Finding(_ID, Secrets.card.version, _SIGNAL, float(bool(places)), _THRESHOLD, spans, message)


def _judge(text: str, hit: Span) -> tuple[int, int] | None:
    """Where in a hit the secret is; None where it is none."""
    written = text[hit.start : hit.end]
    if hit.label == "assigned":
        place = random_value(written)
    elif hit.label == "connection":
        place = password(written)
    else:
        place = (0, len(written))
    return (hit.start + place[0], hit.start + place[1]) if place else None


@cache
def _patterns() -> Blocklist:
    with as_file(files("detectors.privacy").joinpath("secrets.yaml")) as path:
        own = load_groups(path).groups
    shipped = [group for group in Blocklist().groups if group.signal == _SHIPPED]
    return Blocklist([*map(_renamed, shipped), *own])


def _renamed(group: Group) -> Group:
    return group.model_copy(update={"signal": _SIGNAL})
