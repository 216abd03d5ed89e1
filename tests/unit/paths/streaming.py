"""What tests of streams share: a policy to be under, a text to follow, the rows that it leaves."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from hypothesis import strategies as st

from guard.app import App
from guard.errors import BlockedError
from guard.media import Artifact, Modality
from guard.pipeline import Guard, Origin, Release
from guard.streaming.answer import AnswerStream
from guard.watermark import Payload, Reading, ReadingState, Strength
from policies.policy import loads

CHAT = Origin("writer", "2", "studio", prompt="Say something.", caller="alice", route="chat")
BANNED = "forbidden-demo-term"
KEY = "ghp_" + "a1B2" * 10
HEAD = "name: test\nversion: 1\nrequire: {chat: {mark: false, sign: false}}\n"
WORDS = st.sampled_from(
    [
        *("Good ", "morning", ". ", "for", " forbidden", "-demo", "-term", " ", "f o r b i d d e n", "\n"),
        *(BANNED, "forbidden demo term", "f0rbidden-demo-term", "fоrbidden", "-\u200bdemo-", "gh", "sk-"),
        *(
            KEY,
            KEY[:20],
            "ghp_",
            "日本",
            "é\u0301",
            "🙂",
            "-----BEGIN PRIVATE",
            " KEY-----",
            "AKIA",
            "x" * 30,
        ),
    ]
)


def under(
    guard: Guard, rules: str, *, stream: str = "{}", detectors: Sequence[object] | None = None
) -> Guard:
    policy = loads(f"{HEAD}stream: {stream}\nrules: [{rules}]")
    found = guard.detectors if detectors is None else detectors
    return dataclasses.replace(guard, policy=policy, detectors=found)  # type: ignore[arg-type]


def rule(action: str, when: str = 'scores["tone"] > 0.5', **extra: str) -> str:
    more = "".join(f", {name}: {value}" for name, value in extra.items())
    return f"{{id: {action}, when: '{when}', action: {action}, reason: because{more}}}"


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def follow(answer: AnswerStream, pieces: Sequence[str]) -> tuple[str, list[Release] | None]:
    """What leaves of one text when all that is cleared leaves at once, and the releases, None for a block."""
    text, left = answer.text("t"), ""
    sent = 0
    try:
        for piece in pieces:
            cleared = text.feed(piece)
            left += text.shown(sent, cleared)
            sent = cleared
        releases = answer.finish()
    except BlockedError:
        return left, None
    return left + text.shown(sent, text.cleared) + text.tail, releases


def rows(app: App) -> list[dict[str, object]]:
    import json

    with app.ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql('SELECT * FROM releases ORDER BY "index"').mappings().all()
    return [dict(row) | {"decision": json.loads(row["decision"])} for row in rows]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Capitals:
    """An engine that marks a text by writing it in capitals."""

    name = "capitals"
    alg = "test.capitals"
    modality = Modality.TEXT

    def __init__(self) -> None:
        self.payload: Payload | None = None

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        self.payload = payload
        return Artifact.from_text(artifact.text.upper())

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        return Reading(ReadingState.FOUND, self.name, self.payload)
