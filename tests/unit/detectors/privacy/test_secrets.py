"""Credentials in text: found whole, and nothing that only looks like one."""

from __future__ import annotations

import base64
import hashlib
import random
import string
import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Context, Finding
from detectors.privacy import Secrets
from detectors.run import inspect_all
from detectors.watching import Watching
from guard.media import Artifact

_DRAW = random.Random(7)
_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
CONTEXT = Context("output")


def drawn(count: int, letters: str = _ALNUM) -> str:
    return "".join(_DRAW.choices(letters, k=count))


PRIVATE = "RSA PRIVATE" + " KEY"
# Built from parts, so that no scanner takes this file for a leak.
ISSUED = {
    "Amazon": "AKIA" + drawn(16, string.ascii_uppercase + string.digits),
    "GitHub": "gh" + "p_" + drawn(36),
    "OpenAI": "sk-" + "proj-" + drawn(48),
    "Groq": "gs" + "k_" + drawn(52),
    "xAI": "xa" + "i-" + drawn(80),
    "Replicate": "r" + "8_" + drawn(37),
    "Vault": "hv" + "s." + drawn(28),
    "SendGrid": "S" + "G." + drawn(22) + "." + drawn(43),
    "Slack hook": "https://hooks.slack.com/" + "services/T" + drawn(9) + "/B" + drawn(9) + "/" + drawn(24),
    "Telegram": drawn(9, string.digits.replace("0", "")) + ":" + "AA" + drawn(33),
    "Shopify": "shp" + "at_" + drawn(32, _HEX),
    "DigitalOcean": "dop" + "_v1_" + drawn(64, _HEX),
    "PyPI": "pypi-" + "AgE" + drawn(60),
    "Azure": "Account" + "Key=" + drawn(86) + "==",
    "a web token": "eyJ" + drawn(20) + ".eyJ" + drawn(30) + "." + drawn(40),
    "a private key": f"-----BEGIN {PRIVATE}-----\n{drawn(64)}\n-----END {PRIVATE}-----",
}  # fmt: skip


def looked_at(text: str) -> Finding:
    (finding,) = inspect_all([Secrets()], Artifact.from_text(text), CONTEXT)
    return finding


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in looked_at(text).spans]


@pytest.mark.parametrize("issuer", ISSUED)
def test_what_an_issuer_shaped_is_found_whole(issuer: str) -> None:
    secret = ISSUED[issuer]
    assert found(f"Here it is: {secret} and no more.") == [secret]


def test_the_finding_names_a_signal_a_label_and_never_the_secret() -> None:
    finding = looked_at("password: Tr0ub4dor&3x")
    assert (finding.signal, finding.score, finding.flagged) == ("secret", 1.0, True)
    assert [span.label for span in finding.spans] == ["credential"]
    assert "Tr0ub4dor" not in finding.message
    assert looked_at("nothing").score == 0.0


def test_of_an_assignment_and_an_address_only_the_secret_is_cut() -> None:
    text = "set api_key = 'k9Jd83hfKs02lqPz7TnW'; see postgres://bob:hunter2x@db.example.org/x"
    assert found(text) == ["k9Jd83hfKs02lqPz7TnW", "hunter2x"]


INNOCENT = {
    "ids": " ".join(f"id={uuid.UUID(int=_DRAW.getrandbits(128))}" for _ in range(50)),
    "tokens that are ids": f"token={uuid.UUID(int=_DRAW.getrandbits(128))}",
    "hashes": " ".join(f"sha256:{hashlib.sha256(bytes([n])).hexdigest()}" for n in range(50)),
    "commits": " ".join(f"commit {hashlib.sha1(bytes([n])).hexdigest()}" for n in range(50)),
    "a picture": "data:image/png;base64," + base64.b64encode(_DRAW.randbytes(30_000)).decode(),
    "integrity": f'integrity="sha512-{base64.b64encode(hashlib.sha512(b"x").digest()).decode()}"',
    "addresses": "https://example.org/a/b?utm_source=x1&id=8f3a9c2b7d6e5f4a#part-2 http://host:8080/@user",
    "code": "token = next(tokens)\nself.secret_key = config.secret_key\nif password is None: raise E1\n"
    "api_key: str = os.environ['API_KEY_2']\nprivate_key = rsa.generate_private_key(65537, 2048)",
    "prose": "The token is expensive2 to win. Your password must be: at least 8 characters with 1 digit.",
    "numbers": "3.14159265358979 1732272000000 978-3-16-148410-0",
}


@pytest.mark.parametrize("kind", INNOCENT)
def test_what_only_looks_random_is_left_alone(kind: str) -> None:
    assert found(INNOCENT[kind]) == []


def in_pieces(text: str, sizes: Sequence[int]) -> tuple[Finding, list[int]]:
    watching = Watching([Secrets()], CONTEXT, 64)
    cleared: list[int] = []
    at = 0
    while at < len(text):
        size = sizes[len(cleared) % len(sizes)]
        cleared.append(watching.feed(text[at : at + size]))
        at += size
    watching.finish()
    return watching.findings[0], cleared


@pytest.mark.parametrize("sizes", [(1,), (3, 7, 1), (1000,)])
def test_a_stream_ends_with_the_same_finding_and_lets_no_part_of_a_secret_out(sizes: tuple[int, ...]) -> None:
    text = f"Take {ISSUED['OpenAI']} or password = Tr0ub4dor&3x or amqp://me:hunter2x@host or none."
    streamed, cleared = in_pieces(text, sizes)
    whole = looked_at(text)
    assert streamed.spans == whole.spans
    assert len(whole.spans) == 3
    first, came = whole.spans[0], 0
    for number, point in enumerate(cleared):
        came += sizes[number % len(sizes)]
        if came < first.end:
            assert point <= first.start


_PARTS = st.sampled_from(
    [
        *ISSUED.values(),
        "password = Tr0ub4dor&3x",
        'api_key: "k9Jd83hfKs02lqPz7TnW"',
        "amqp://me:hunter2x@host",
        "Authorization: Bearer abc9def8ghi7jkl6mno5",
        "token=",
        "secret is",
        "https://",
        "-----BEGIN RSA PRIVATE",
        "рассword: Xk29s!aa",
        "a\u0301\u200b",
        "\n",
        " ",
        ".",
    ]
)

_ANY = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)


@given(
    st.lists(_PARTS | _ANY, max_size=8).map("".join),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
)
@settings(max_examples=40)
def test_whatever_the_pieces_a_stream_ends_as_the_whole_does(text: str, sizes: list[int]) -> None:
    assert in_pieces(text, sizes)[0].spans == looked_at(text).spans


def test_text_without_secrets_is_cleared_at_once() -> None:
    _, cleared = in_pieces("The quick brown fox jumps over the lazy dog. " * 4, (9,))
    assert cleared[-1] >= 170


@pytest.mark.parametrize(
    "text", ["", "😀" * 1000, "a" * 300_000, "token=" * 20_000, "\u200b\ufeff\u202e" * 999]
)
def test_odd_texts_get_an_answer(text: str) -> None:
    assert looked_at(text).state == "scored"
